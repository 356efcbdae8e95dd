import time

import pytest

from corpus.claims import Claim, claims_of
from corpus.conflicts import conflicts, contradicts
from corpus.records import Article, Audience

HUIZHOU = ("广东省", "惠州市")
GUANGZHOU = ("广东省", "广州市")


def article(
    body: str,
    *,
    key: str = "a",
    title: str = "医保",
    place: tuple[str, ...] = HUIZHOU,
    audience: Audience = Audience.ANYONE,
    year: str = "",
    truncated: bool = False,
) -> Article:
    return Article(key, title, body, place, audience, effective_year=year, truncated=truncated)


def only(body: str, **more: object) -> Claim:
    (claim,) = claims_of(article(body, **more))  # type: ignore[arg-type]
    return claim


def conflict(first: str, second: str, **more: object) -> bool:
    """Whether two articles contradict each other; ``more`` says how the second one differs."""
    other = article(second, key="b", **more)  # type: ignore[arg-type]
    return bool(conflicts([article(first), other]))


def test_a_claim_says_what_it_measures_and_where_it_stands() -> None:
    body = "先看医院等级。三级医院住院，职工医保报销80%。"
    claim = only(body, year="2024")
    assert (claim.kind, claim.subject, claim.value) == ("比例", "报销", "80%")
    assert dict(claim.strict) == {"setting": {"住院"}, "level": {"三级"}}
    assert dict(claim.lenient)["insurance"] == {"职工"}
    assert body[claim.start : claim.end] == claim.text == "三级医院住院，职工医保报销80%。"
    assert (claim.place, claim.years) == (HUIZHOU, {"2024"})


@pytest.mark.parametrize(
    ("sentence", "kind", "value"),
    [
        ("住院起付线是八百元。", "起付线", "八百元"),
        ("普通门诊一年最多报3000元。", "限额", "3000元"),
        ("居民医保个人缴费每人每年400元。", "缴费", "400元"),
        ("男性累计缴费年限要满30年。", "年限", "30年"),
        ("医保局咨询电话是0752-1234567。", "电话", "0752-1234567"),
        ("门诊定点每年9月至12月可以变更。", "日期", "9月至12月"),
        ("门特申请20个工作日内办结。", "期限", "20个工作日"),
        ("职工可以选2家门诊定点医院。", "数量", "2家"),
        ("异地备案在小程序里就能办。", "说法", "可以网上办"),
    ],
)
def test_kinds(sentence: str, kind: str, value: str) -> None:
    claim = only(sentence)
    assert (claim.kind, claim.value) == (kind, value)


def test_a_heading_and_a_lead_in_give_the_conditions() -> None:
    body = "## 住院待遇\n报销比例如下：\n- 一级医院：90%。\n- 三级医院：70%。"
    first, second = claims_of(article(body))
    assert dict(first.strict) == {"setting": {"住院"}, "level": {"一级"}}
    assert dict(second.strict) == {"setting": {"住院"}, "level": {"三级"}}


def test_no_claim_from_a_sentence_that_breaks_off_unless_asked_for() -> None:
    broken = article("单位缴费按工资总额的6%缴纳，2025年泰州为8", truncated=True)
    assert claims_of(broken) == ()
    (claim,) = claims_of(broken, unquotable=True)
    assert claim.text == "单位缴费按工资总额的6%缴纳"


@pytest.mark.parametrize(
    "sentence",
    [
        "例如基数5000元、补缴3年，要交10080元。",
        "说住院报销30%是错的。",
        "住院能不能报80%？",
        "交满25年仍要继续缴费。",
    ],
)
def test_examples_denials_and_questions_state_nothing(sentence: str) -> None:
    stated = [claim for claim in claims_of(article(sentence)) if claim.states]
    assert [claim for claim in stated if claim.kind != "说法"] == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("三级医院住院报销80%。", "在三级医院住院，报销比例是七成。"),
        ("大病保险年度限额17万元。", "大病保险一年最多付20万。"),
        ("男性累计缴费要满30年。", "男的累计缴费年限满25年就行。"),
        ("咨询电话是0752-1234567。", "医保咨询请打0752-7654321。"),
        ("断缴后累计缴费年限清零。", "断缴不会影响已累计的年限。"),
    ],
)
def test_another_figure_for_the_same_thing_contradicts(first: str, second: str) -> None:
    assert conflict(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("三级医院住院报销80%。", "一级医院住院报销90%。"),
        ("三级医院住院报销80%。", "三级医院普通门诊报销60%。"),
        ("三级医院住院报销80%。", "三级医院住院能报八成。"),
        ("三级医院住院报销80%。", "三级医院住院报销百分之八十。"),
        ("住院限额5万元。", "住院限额50000元。"),
        ("男性累计缴费要满30年。", "女性累计缴费要满25年。"),
        ("住院报销70%到90%。", "住院报销80%。"),
        ("住院报销不低于60%。", "住院报销75%。"),
        ("2023年住院报销75%。", "2024年住院报销80%。"),
        ("在职职工门诊报销60%。", "退休人员门诊报销70%。"),
    ],
)
def test_other_conditions_or_the_same_value_contradict_nothing(first: str, second: str) -> None:
    assert not conflict(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("门特申请10个工作日内办结。", "门特申请20个工作日办结。"),
        ("最多绑定5名家人。", "个人账户可以绑3名家庭成员。"),
        ("医保累计缴费年限最低25年。", "医保累计缴费年限要满30年。"),
        ("新生儿出生后90天内参保。", "新生儿出生后6个月内参保。"),
        ("职工门诊的起付标准是一年700元。", "职工门诊一年里先自付500元，超过的才报。"),
        ("生育津贴由社保局发放。", "生育津贴由医保部门支付。"),
        ("医保卡每月划入95元。", "医保卡每月进账75元。"),
        ("住院床位费支付标准每天50元。", "床位费医保每天最多付35元。"),
        ("住院能报七成五。", "住院报销六成。"),
        ("门诊统筹年度限额3000元。", "普通门诊每年封顶4000元。"),
    ],
)
def test_everyday_words_contradict_notices(first: str, second: str) -> None:
    assert conflict(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("新生儿出生后90天内参保。", "新生儿出生后3个月内参保。"),
        ("住院能报七成五。", "住院报销75%。"),
        ("有的地方规定住院报销60%。", "住院报销80%。"),
        ("居民大病保险10万元以上的部分报70%。", "居民大病保险5万元到10万元的部分报60%。"),
        ("急诊住院报销80%。", "报销比例提高5个百分点。"),
        ("办法从2020年9月1日起施行。", "12356从2025年5月1日起全国都能打。"),
        ("医保局咨询电话0752-1234567。", "医保局举报电话0752-7654321。"),
        ("产假98天。", "难产的增加产假15天。"),
        ("合肥有83种慢特病。", "三种证件任选一种。"),
        ("每年扣几十元。", "每年扣40元。"),
        ("养老保险最低缴费年限20年。", "医保最低缴费年限25年。"),
        ("选点每年10月至12月变更。", "选点每年10月1日至12月31日变更。"),
    ],
)
def test_more_that_contradicts_nothing(first: str, second: str) -> None:
    assert not conflict(first, second)


def test_the_head_of_a_table_says_what_its_figures_are_of() -> None:
    table = "| 医院 | 住院起付线 | 住院报销比例 |\n|---|---|---|\n| 三级医院 | 1000元 | 80% |"
    deductible, share = claims_of(article(table))
    assert (deductible.kind, deductible.subject) == ("起付线", "起付")
    assert (share.kind, share.subject) == ("比例", "报销")
    assert conflict(table, "三级医院住院报销70%。")
    assert not conflict(table, "三级医院住院起付线是1000元。")


def test_place_audience_and_year_of_the_article_count() -> None:
    sentence, other = "住院起付线是800元。", "住院起付线是500元。"
    assert conflict(sentence, other)
    assert not conflict(sentence, other, place=GUANGZHOU)
    assert not conflict(
        "职工医保住院起付线是800元。", "住院起付线是500元。", audience=Audience.RESIDENT
    )
    assert not conflict("2023年住院起付线是800元。", other, year="2024")


def test_contradicts_looks_at_two_claims_of_different_articles() -> None:
    body = "住院起付线是800元。住院起付线是500元。"
    one, two = claims_of(article(body))
    assert not contradicts(one, two)
    (other,) = claims_of(article("住院起付线是900元。", key="b"))
    assert contradicts(one, other)
    assert contradicts(other, one)


def test_a_figure_that_the_other_article_states_too_contradicts_nothing() -> None:
    assert not conflict("住院报销80%。", "住院报销80%。住院报销85%。")


def test_many_articles_are_compared_in_seconds() -> None:
    many = [
        article(f"住院报销{60 + i % 2}%，起付线{i % 7}00元。", key=str(i), place=("某省", f"市{i}"))
        for i in range(5000)
    ]
    many.append(article("住院报销99%。", key="x", place=("某省", "市7")))
    for each in many:
        claims_of(each)
    start = time.perf_counter()
    found = conflicts(many)
    assert [(c.first.article_id, c.second.article_id) for c in found] == [("7", "x")]
    assert time.perf_counter() - start < 5
