"""Metadata of a text: what stands there is found, what does not stays empty."""

import pytest

from corpus import metadata
from corpus.records import Authority


@pytest.mark.parametrize(
    ("title", "lines", "number"),
    [
        ("通知", ["国医保发〔2024〕38号", "各省："], "国医保发〔2024〕38号"),
        ("通知", ["皖医保发 [2023] 5 号"], "皖医保发〔2023〕5号"),
        ("通知", ["（医保发【2021】05号）"], "医保发〔2021〕5号"),
        ("通知", ["某市医疗保障局文件　惠医保发（2024）7号"], "惠医保发〔2024〕7号"),
        ("关于门诊的通知（湘医保发〔2022〕9号）", ["正文。"], "湘医保发〔2022〕9号"),
        ("通知", ["发文字号：惠府办〔2024〕3号 发布日期：2024-05-01"], "惠府办〔2024〕3号"),
        ("通知", ["文号 惠府办〔2024〕3号"], "惠府办〔2024〕3号"),
        ("通知", ["根据国医保发〔2021〕5号文件，现通知如下。"], ""),
        ("通知", ["根据国医保发〔2021〕5号"], ""),
        ("转发国医保发〔2021〕5号文件的通知", ["正文。"], ""),
        ("通知", ["正文。"] * 20 + ["国医保发〔2021〕5号"], ""),
        ("通知", ["电话0752-1234567号"], ""),
    ],
)
def test_the_number_is_the_documents_own(title: str, lines: list[str], number: str) -> None:
    assert metadata.document_number_of(title, lines) == number


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-09-01", "2024-09-01"),
        ("2024/9/1", "2024-09-01"),
        ("2024.9.1", "2024-09-01"),
        ("2024 年 9 月 1 日", "2024-09-01"),
        ("20240901", "2024-09-01"),
        ("二〇二四年十一月二十三日", "2024-11-23"),
        ("二○二四年十月三十日", "2024-10-30"),
        ("2024-02-30", ""),
        ("1024-01-01", ""),
        ("2024年9月", ""),
        ("0752-2024-901", ""),
    ],
)
def test_days(text: str, day: str) -> None:
    assert metadata.iso_date(text) == day


@pytest.mark.parametrize(
    ("lines", "day"),
    [
        (["来源：某报 时间：2024-12-20 09:30"], "2024-12-20"),
        (["【发布时间】2024-12-20"], "2024-12-20"),
        (["更新时间：2024-12-22", "发布日期：2024-12-20"], "2024-12-20"),
        (["一、缴费时间：2024年9月1日"], ""),
        (["时间：2024年9月1日至12月31日"], ""),
        (["成文日期：2024年9月1日"], ""),
        (["本通知自2025年1月1日起施行"], ""),
    ],
)
def test_only_what_is_called_publication_is_one(lines: list[str], day: str) -> None:
    assert metadata.published_of(lines) == day


@pytest.mark.parametrize(
    ("lines", "source"),
    [
        (["来源：某市医保局 浏览：3"], "某市医保局"),
        (["发布机构：某市医保局；文号：无"], "某市医保局"),
        (["信息来源: 某某日报|编辑"], "某某日报"),
        (["来源：本站"], ""),
        (["资金来源：财政补助"], ""),
        (["来源 某报"], ""),
    ],
)
def test_sources(lines: list[str], source: str) -> None:
    assert metadata.source_of(lines) == source


def test_a_signature_is_an_office_and_a_day() -> None:
    assert metadata.signature_of(["正文。", "某市人民政府办公室　2024年3月1日"]) == (
        "某市人民政府办公室",
        "2024-03-01",
    )
    assert metadata.signature_of(["正文。", "2024年3月1日"]) == ("", "")
    assert metadata.signature_of(["某市医疗保障局", "2024年3月1日", *["正文。"] * 9]) == ("", "")


@pytest.mark.parametrize(
    ("title", "body", "year"),
    [
        ("惠州2024年门诊", "本通知自2025年1月1日起施行。", "2024"),
        ("门诊通知", "本办法自2025年7月1日起执行，有效期五年。", "2025"),
        ("门诊通知", "原办法自2019年1月1日起施行。", ""),
        ("门诊通知", "2023年报了80%。", ""),
    ],
)
def test_the_year_from_which_a_text_holds(title: str, body: str, year: str) -> None:
    assert metadata.effective_year_of(title, body) == year


@pytest.mark.parametrize(
    ("source", "url", "authority"),
    [
        ("国家医疗保障局", "", Authority.OFFICIAL),
        ("", "https://www.nhsa.gov.cn/art/1.html", Authority.OFFICIAL),
        ("", "https://www.gov.cn.example.com/", Authority.SITE),
        ("国家医疗保障局", "https://blog.example.com/", Authority.SITE),
        ("某某晚报", "https://a.example.com/", Authority.MEDIA),
        ("健康网", "", Authority.SITE),
        ("", "", Authority.UNVERIFIED),
    ],
)
def test_authority(source: str, url: str, authority: Authority) -> None:
    assert metadata.authority_of(source, url) is authority


@pytest.mark.parametrize(
    ("body", "broken"),
    [
        ("起付线是100元。", False),
        ("正文。\n某市医疗保障局\n2024年3月1日", False),
        ("- 医院：一级医院和社区卫生服务中心；起付标准：100元；支付比例：80%", False),
        ("报销的比例是……", True),
        ("办理的条件如下：", True),
        ("参保人员在定点医疗机构发生的政策范围内门诊费用由统筹基金按", True),
        ("正文。\n点击阅读全文", True),
    ],
)
def test_a_text_that_breaks_off(body: str, broken: bool) -> None:
    assert metadata.breaks_off(body) is broken
