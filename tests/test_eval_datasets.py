"""Collections in BEIR layout: what is read, and what is said of damaged ones."""

import json
from pathlib import Path

import pytest

from corpus.errors import InputError
from eval.datasets import Document, Qrel, Query, load_dataset

CORPUS = [
    {"_id": "d2", "title": "门特", "text": "门特要带身份证。"},
    {"_id": "d1", "title": "", "text": "异地就医先备案。"},
]
QUERIES = [{"_id": "q1", "text": "门特带什么"}, {"_id": "q2", "text": "没有标注的问题"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td2\t1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound collection that a test may damage."""
    (tmp_path / "qrels").mkdir()
    write_lines(tmp_path / "corpus.jsonl", CORPUS)
    write_lines(tmp_path / "queries.jsonl", QUERIES)
    (tmp_path / "qrels" / "dev.tsv").write_text(QRELS, encoding="utf-8")
    return tmp_path


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def test_reads_documents_judged_queries_and_qrels(folder: Path) -> None:
    dataset = load_dataset(folder, "dev")
    assert dataset.name == folder.name
    assert dataset.documents == (
        Document("d1", "", "异地就医先备案。"),
        Document("d2", "门特", "门特要带身份证。"),
    )
    assert dataset.queries == (Query("q1", "门特带什么"),)
    assert dataset.qrels == (Qrel("q1", "d2", 1),)
    assert dataset.missing_documents == 0


def test_header_is_optional_and_byte_order_mark_and_blank_lines_do_no_harm(folder: Path) -> None:
    (folder / "qrels" / "dev.tsv").write_text("\ufeffq1\td2\t1\r\n\r\nq2\td1\t0\n", "utf-8")
    dataset = load_dataset(folder, "dev")
    assert dataset.qrels == (Qrel("q1", "d2", 1), Qrel("q2", "d1", 0))
    assert len(dataset.queries) == 2


def test_a_judged_document_that_is_missing_is_counted(folder: Path) -> None:
    (folder / "qrels" / "dev.tsv").write_text("q1\td2\t1\nq1\tgone\t1\n", "utf-8")
    dataset = load_dataset(folder, "dev")
    assert dataset.missing_documents == 1
    assert Qrel("q1", "gone", 1) in dataset.qrels


def test_first_keeps_the_qrels_of_the_queries_it_keeps(folder: Path) -> None:
    (folder / "qrels" / "dev.tsv").write_text("q1\td2\t1\nq2\td1\t1\n", "utf-8")
    dataset = load_dataset(folder, "dev")
    assert dataset.first(None) is dataset
    assert dataset.first(1).queries == (Query("q1", "门特带什么"),)
    assert dataset.first(1).qrels == (Qrel("q1", "d2", 1),)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/dev.tsv"])
def test_a_missing_or_empty_or_binary_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match=f"{name}.*UTF-8"):
        load_dataset(folder, "dev")
    (folder / name).write_bytes(b"\n \n")
    with pytest.raises(InputError, match=f"{name}.*空"):
        load_dataset(folder, "dev")
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"读不了文件.*{name}"):
        load_dataset(folder, "dev")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="找不到数据集文件夹"):
        load_dataset(tmp_path / "none", "dev")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"title": "无编号", "text": "文"}', "缺少可用的 _id"),
        ('{"_id": "", "text": "文"}', "缺少可用的 _id"),
        ('{"_id": "a b", "text": "文"}', "缺少可用的 _id"),
        ('{"_id": true, "text": "文"}', "缺少可用的 _id"),
        ('{"_id": "d1", "text": "文"}', "重复"),
        ('{"_id": "d9"}', "text"),
        ('{"_id": "d9", "text": 7}', "text"),
        ('{"_id": "d9", "title": [], "text": "文"}', "title"),
        ('["d9"]', "JSON 对象"),
        ('{"_id": "d9", "te', "JSON"),
        ("[" * 100_000, "JSON"),
    ],
)
def test_a_damaged_line_is_named_with_file_and_number(
    folder: Path, line: str, complaint: str
) -> None:
    with (folder / "corpus.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=f"corpus.jsonl 第 3 行.*{complaint}"):
        load_dataset(folder, "dev")


@pytest.mark.parametrize("line", ["q1 d2 1", "q1\td2\tyes", "q1\td2", "q1\td2\t1"])
def test_a_damaged_judgement_is_named(folder: Path, line: str) -> None:
    (folder / "qrels" / "dev.tsv").write_text(f"{QRELS}{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"dev\.tsv 第 3 行"):
        load_dataset(folder, "dev")


def test_judgements_for_unknown_queries_or_none_at_all_are_refused(folder: Path) -> None:
    (folder / "qrels" / "dev.tsv").write_text("nobody\td2\t1\n", encoding="utf-8")
    with pytest.raises(InputError, match="nobody"):
        load_dataset(folder, "dev")
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\n", encoding="utf-8")
    with pytest.raises(InputError, match="没有任何相关性标注"):
        load_dataset(folder, "dev")


def test_a_whole_number_id_becomes_text(folder: Path) -> None:
    (folder / "corpus.jsonl").write_text('{"_id": 7, "text": "文"}\n', encoding="utf-8")
    assert load_dataset(folder, "dev").documents == (Document("7", "", "文"),)


TOPICS = (
    "<top>\n<num> Number: q1\n<title> 门特带什么\n<desc> 细说\n</top>\n"
    "<TOP>\n<num>q2</num>\n<title>异地\n备案</title>\n</TOP>\n"
)


@pytest.mark.parametrize(
    ("name", "text"),
    [("topics.txt", TOPICS), ("topics.tsv", "q1\t门特带什么\nq2\t异地 备案\n")],
)
def test_topics_and_judgements_of_trec_are_read(folder: Path, name: str, text: str) -> None:
    (folder / "queries.jsonl").unlink()
    (folder / "qrels" / "dev.tsv").unlink()
    (folder / name).write_text(text, encoding="utf-8")
    (folder / "qrels" / "dev.trec").write_text("q1 0 d2 1\nq2 0 d1 -1\n", encoding="utf-8")
    dataset = load_dataset(folder, "dev")
    assert dataset.queries == (Query("q1", "门特带什么"), Query("q2", "异地 备案"))
    assert dataset.qrels == (Qrel("q1", "d2", 1), Qrel("q2", "d1", -1))


@pytest.mark.parametrize("text", ["<top>\n<num> q1\n</top>\n", "q1 门特\n", "q1\ta\nq1\tb\n"])
def test_damaged_topics_are_named(folder: Path, text: str) -> None:
    (folder / "queries.jsonl").unlink()
    (folder / "topics.txt").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"topics\.txt 第 \d"):
        load_dataset(folder, "dev")


def test_a_damaged_judgement_of_trec_is_named(folder: Path) -> None:
    (folder / "qrels" / "dev.tsv").unlink()
    (folder / "qrels" / "dev.trec").write_text("q1 0 d2 1\nq2 d1 1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"dev\.trec 第 2 行.*四列"):
        load_dataset(folder, "dev")
