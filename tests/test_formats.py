"""Formats beside text: what each reader must take, and what it must refuse in one sentence."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from corpus.readers import Reading, pack, readings
from corpus.records import Article, Audience
from tests import import_documents as documents
from tests import import_pages as pages


def read(name: str, data: bytes, tmp_path: Path) -> list[Reading]:
    path = tmp_path / name
    path.write_bytes(data)
    return list(readings(path))


def one(name: str, data: bytes, tmp_path: Path) -> Article:
    (reading,) = read(name, data, tmp_path)
    (article,) = reading.articles
    return article


def reasons(name: str, data: bytes, tmp_path: Path) -> list[str]:
    return [reason for reading in read(name, data, tmp_path) for reason in reading.reasons]


def archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_a_page_reads_alike_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    declared = pages.OLD if encoding == "gb18030" else pages.OLD.replace("gb2312", "utf-8")
    found = one("页.html", declared.encode(encoding), tmp_path)
    assert found.body == one("页.html", pages.OLD.encode("gb18030"), tmp_path).body


def test_a_notice_of_the_state_holds_everywhere(tmp_path: Path) -> None:
    found = one("通知.html", pages.STATE.encode(), tmp_path)
    assert found.title == "国家医保局 财政部关于做好2024年居民医保工作的通知"
    assert (found.place, found.published) == (("全国",), "2024-08-26")
    assert (found.source_name, found.document_number) == ("国家医保局", "医保发〔2024〕19号")
    assert found.body == (
        "为了做好2024年的居民医保，现通知如下。\n\n### 一、合理提高筹资标准\n\n"
        "财政补助的标准增加30元，达到每人每年不低于670元。"
    )


def test_what_a_file_is_counts_more_than_its_name(tmp_path: Path) -> None:
    named = one("文.docx", documents.guide_pdf(), tmp_path)
    assert named.title == "惠州居民医保异地备案办事指南"
    assert one("页.txt", pages.NEWS.encode(), tmp_path).source_name == "惠州日报"
    assert one("页.doc", pages.NEWS.encode(), tmp_path).source_name == "惠州日报"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.docx", b"PK\x03\x04" + bytes(60), "压缩文件坏了"),
        ("a.docx", archive(**{"word/document.xml": b"<w"}), "Word 文档坏了"),
        ("a.xlsx", archive(**{"xl/workbook.xml": b""}), "另存为 CSV"),
        ("a.pptx", archive(**{"ppt/presentation.xml": b""}), "演示文稿"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60), "旧版 Office"),
        ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(60), "是图片"),
        ("a.rar", b"Rar!\x1a\x07\x00", "不是 zip"),
        ("a.mp4", b"\0\0\0\x20ftypisom" + bytes(60), "音频或视频"),
        ("a.pdf", b"not a pdf", "内容却不是"),
        ("a.pdf", b"%PDF-1.7\nhello", "PDF 坏了"),
        ("a.mhtml", "题\n文。".encode(), "网页存档"),
        ("a.html", b"<html><body></body></html>", "没有正文"),
        ("a.html", "<html><title>只有题目</title><body></body></html>".encode(), "没有正文"),
        ("a.csv", "名字,年龄\n甲,3\n".encode(), "找不到标题和正文"),
        ("a.csv", b"title,body\n", "里面没有文章"),
        ("a.json", b"[]", "里面没有文章"),
        ("a.json", b"[1]", "第 1 条不是合格的 JSON 对象"),
        ("a.json", b"[" * 100_000, "不是合格的 JSON"),
        ("a.json", b'{"name": "x"}', "找不到标题和正文"),
        ("a.zip", archive(), "里面没有文章"),
        ("a.zip", b"PK\x05\x06" + bytes(10), "压缩文件坏了"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (found,) = reasons(name, data, tmp_path)
    assert reason in found
    assert "\n" not in found


def test_a_page_that_is_nested_too_deep(tmp_path: Path) -> None:
    deep = "<html><body>" + "<b>" * 5000 + "可以报销。"
    (reading,) = read("深.html", deep.encode(), tmp_path)
    assert len(reading.reasons) == 1


def test_columns_are_known_by_their_names(tmp_path: Path) -> None:
    rows = [
        ("Title\tText\tCity\tDate\tYear\tTopic\tURL", "\t"),
        ("题名,内容,统筹区,发布时间,适用年份,分类,网址", ","),
        ("标题;正文;地区;日期;年度;主题;链接", ";"),
    ]
    for header, mark in rows:
        values = ["门诊", "报八成。", "惠州", "2024/1/2", "2025年", "门诊", "http://a.example/b"]
        found = one("表.tsv", f"{header}\n{mark.join(values)}\n".encode("utf-16"), tmp_path)
        assert (found.title, found.body, found.place) == ("门诊", "报八成。", ("广东省", "惠州市"))
        assert (found.published, found.effective_year) == ("2024-01-02", "2025")
        assert (found.topic, found.source_url) == ("门诊", "http://a.example/b")


def test_a_cell_that_says_nothing_known_stays_empty(tmp_path: Path) -> None:
    row = {"question": "能报吗", "answer": "能报。", "city": "某地", "date": "去年", "险种": "居民"}
    found = one("问.json", json.dumps({"data": [row]}).encode(), tmp_path)
    assert (found.place, found.published, found.audience) == ((), "", Audience.RESIDENT)
    whole = one("全.json", json.dumps({**row, "city": "全国"}).encode(), tmp_path)
    assert whole.place == ("全国",)


def test_names_in_an_archive_of_a_chinese_program(tmp_path: Path) -> None:
    raw = archive(**{"AAAA.txt": "惠州门诊\n报八成。".encode()})
    packed = raw.replace(b"AAAA.txt", "政策".encode("gb18030") + b".txt")
    (reading,) = read("包.zip", packed, tmp_path)
    assert reading.path == tmp_path / "包.zip" / "政策.txt"


@pytest.mark.parametrize("name", ["../a.txt", "/a.txt", "b/../../a.txt", "C:\\a.txt", "..\\a.txt"])
def test_paths_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    (found,) = reasons("包.zip", archive(**{name: "题\n文。".encode()}), tmp_path)
    assert "不安全" in found


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = reasons("包.zip", archive(**{"a.txt": bytes(30 * 1024**2)}), tmp_path)
    assert "太大" in found
    lying = archive(**{"a.txt": b"x" * 5_000_000})
    size = (5_000_000).to_bytes(4, "little")
    (found,) = reasons("包.zip", lying.replace(size, (900).to_bytes(4, "little")), tmp_path)
    assert "坏了" in found or "没有读" in found
    monkeypatch.setattr(pack, "MAX_TOTAL", 100)
    two = archive(**{"a.txt": "题\n文字。".encode() * 6, "b.txt": "题\n文字。".encode() * 6})
    assert reasons("包.zip", two, tmp_path) == ["解开以后太大，没有读"]
    monkeypatch.setattr(pack, "MAX_FILES", 1)
    assert "超过 1 个文件" in reasons("包.zip", two, tmp_path)[0]


def test_system_files_of_an_archive_are_left_out(tmp_path: Path) -> None:
    members = {"__MACOSX/._a.txt": b"\0\0", ".DS_Store": b"\0", "a.txt": "题\n文。".encode()}
    assert len(read("包.zip", archive(**members), tmp_path)) == 1
