"""Whether the evidence answers, and which reservations are printed first."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot import dialogue
from chatbot.decide import (
    FEATURES,
    answerable,
    caveats,
    decisions,
    features,
    probability,
    year_of,
)
from chatbot.question import RULES, understand
from chatbot.reading import Reading
from chatbot.records import Quote
from corpus.records import Article, Audience, Authority
from index import store
from index.search import Index
from tests.fake_encoder import FakeEncoder
from tests.small_corpus import write_corpus

HUIZHOU = ("广东省", "惠州市")
values = st.fixed_dictionaries({name: st.floats(0, 1) for name in FEATURES})


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    place: Path = tmp_path_factory.mktemp("decide")
    store.build(write_corpus(place / "文章"), place / "索引", FakeEncoder())
    return store.open_index(place / "索引", FakeEncoder())


def quote_of(**fields: object) -> Quote:
    """A quote of an official article of 惠州, with some metadata changed."""
    sound: dict[str, object] = {
        "id": "a",
        "title": "题",
        "body": "先备案。",
        "place": HUIZHOU,
        "authority": Authority.OFFICIAL,
    }
    return Quote.of(Article(**(sound | fields)), 0, 4)  # type: ignore[arg-type]


def notes(*quotes: Quote, place: tuple[str, ...] | None = HUIZHOU, year: str = "") -> list[str]:
    return [name for name, _ in caveats(understand("备案"), place, year, quotes)]


@pytest.mark.parametrize(
    "text",
    [
        "惠州门诊报销比例",
        "生育津贴谁申请",
        "异地备案",
        "种植牙多少钱",
        "天气",
        "广州住院",
        "zzz",
        "你好",
    ],
)
def test_features_lie_between_0_and_1(index: Index, text: str):
    turn = dialogue.read([], text)
    reading = Reading(index, turn, turn.text, turn.question)
    assert set(reading.values) == set(FEATURES)
    assert all(0 <= value <= 1 + 1e-6 for value in reading.values.values()), reading.values
    assert 0 < reading.probability < 1


def test_without_evidence_every_feature_is_0_and_nothing_is_answered(index: Index):
    nothing = features(index, "", {}, frozenset(), [], [], 0.0)
    assert nothing == dict.fromkeys(FEATURES, 0.0)
    assert not answerable(nothing, dense=True)
    assert not answerable(nothing, dense=False)


def test_full_evidence_is_answered():
    everything = dict.fromkeys(FEATURES, 1.0)
    assert answerable(everything, dense=True)
    assert answerable(everything, dense=False)


@given(values, st.sampled_from(FEATURES), st.booleans())
def test_more_evidence_never_makes_an_answer_less_likely(found, name: str, dense: bool):
    assert 0 <= probability(found, dense=dense) <= 1
    more = found | {name: 1.0}
    assert probability(more, dense=dense) >= probability(found, dense=dense)


@given(values)
def test_the_decision_without_the_encoder_ignores_what_only_the_encoder_knows(found):
    blind = found | {"closeness": 0.0, "side": 0.0}
    assert probability(found, dense=False) == probability(blind, dense=False)


def test_the_decision_file_is_well_formed_and_names_its_run():
    data = json.loads((RULES / "decision.json").read_text(encoding="utf-8"))
    assert set(data) == {"run", "fits"}
    assert data["run"]["command"] == "python -m eval calibrate"
    assert data["run"]["questions"]
    assert all("-test" not in name for name in data["run"]["questions"]), "fitted on test questions"
    assert set(data["fits"]) == {"hybrid", "bm25"} == set(decisions())
    for fit in data["fits"].values():
        assert set(fit["weights"]) <= set(FEATURES)
        assert all(weight >= 0 for weight in fit["weights"].values())
        assert 0 < fit["threshold"] < 1
        assert 0 < fit["right"] < fit["questions"]
    assert set(decisions()["hybrid"].weights) == set(FEATURES)
    assert set(FEATURES) - set(decisions()["bm25"].weights) == {"closeness", "nearest", "all_ways"}


def test_an_official_article_of_the_place_has_no_reservation():
    assert notes(quote_of()) == []


def test_without_a_place_a_national_article_has_no_reservation():
    assert notes(quote_of(place=("全国",)), place=None) == []


@pytest.mark.parametrize("place", [("全国",), ("广东省",)])
def test_a_wider_article_is_told(place: tuple[str, ...]):
    found = caveats(understand("备案"), HUIZHOU, "", [quote_of(place=place)])
    assert found == [("wider", {"asked": "广东省惠州市", "place": "".join(place)})]


def test_a_wider_article_beside_the_own_one_is_not_told():
    assert notes(quote_of(), quote_of(id="b", place=("全国",))) == []


def test_an_article_that_names_no_place_is_told():
    assert notes(quote_of(place=())) == ["unplaced"]
    assert notes(quote_of(place=()), place=None) == ["unplaced"]
    assert notes(quote_of(), quote_of(id="b", place=())) == ["unplaced"]


def test_an_older_article_is_told_with_the_newest_year():
    found = caveats(
        understand("备案"),
        HUIZHOU,
        "2025",
        [quote_of(effective_year="2022"), quote_of(id="b", published="2023-05-01")],
    )
    assert found == [("older", {"asked": "2025", "found": "2023"})]


@pytest.mark.parametrize("fields", [{"effective_year": "2025"}, {"published": "2026-01-01"}, {}])
def test_an_article_of_the_year_or_without_one_is_not_called_older(fields: dict[str, str]):
    assert notes(quote_of(**fields), year="2025") == []


def test_nobody_who_asks_for_no_year_hears_of_old_articles():
    assert notes(quote_of(effective_year="2018")) == []


@pytest.mark.parametrize(
    ("authority", "expected"),
    [
        (Authority.OFFICIAL, []),
        (Authority.MEDIA, []),
        (Authority.SITE, ["unofficial"]),
        (Authority.UNVERIFIED, ["unverified"]),
    ],
)
def test_unofficial_sources_are_told(authority: Authority, expected: list[str]):
    assert notes(quote_of(authority=authority)) == expected


def test_partly_unofficial_sources_are_told():
    assert notes(quote_of(), quote_of(id="b", authority=Authority.SITE)) == ["partly_unofficial"]


def test_only_what_is_from_a_website_is_called_so():
    site, own = quote_of(authority=Authority.SITE), quote_of(id="b", authority=Authority.UNVERIFIED)
    assert notes(site, own) == ["unverified"]
    assert notes(quote_of(id="c"), own) == ["partly_unverified"]


@pytest.mark.parametrize(
    ("asked", "audiences", "expected"),
    [
        ("职工医保怎么备案", [Audience.RESIDENT], ["other_audience"]),
        ("居民医保怎么备案", [Audience.EMPLOYEE], ["other_audience"]),
        ("职工医保怎么备案", [Audience.ANYONE, Audience.RESIDENT], ["partly_other_audience"]),
        ("职工医保怎么备案", [Audience.ANYONE, Audience.EMPLOYEE], []),
        ("怎么备案", [Audience.EMPLOYEE], ["one_audience"]),
    ],
)
def test_an_article_for_the_other_insurance_is_told(
    asked: str, audiences: list[Audience], expected: list[str]
):
    quotes = [quote_of(id=str(n), audience=one) for n, one in enumerate(audiences)]
    assert [name for name, _ in caveats(understand(asked), HUIZHOU, "", quotes)] == expected


def test_a_wider_rule_for_one_insurance_is_told_if_its_title_names_it():
    told = {"place": ("全国",), "audience": Audience.RESIDENT}
    named = quote_of(title="居民医保怎么报", **told)
    assert caveats(understand("怎么备案"), None, "", [named]) == [
        ("one_audience", {"audience": "居民"})
    ]
    assert caveats(understand("怎么备案"), None, "", [quote_of(**told)]) == []


def test_nothing_is_said_of_one_insurance_where_the_other_is_told_too():
    both = quote_of(id="b", place=("全国",), body="居民也报。")
    assert caveats(understand("怎么备案"), None, "", [quote_of(place=("全国",)), both]) == []
    own = quote_of(audience=Audience.EMPLOYEE)
    assert notes(own) == ["one_audience"]
    assert notes(own, quote_of(id="b", body="居民也报。")) == []


def test_reservations_keep_their_order():
    doubtful = quote_of(place=("全国",), authority=Authority.SITE, published="2020-01-01")
    unplaced = quote_of(id="b", place=(), authority=Authority.SITE)
    assert notes(doubtful, unplaced, year="2025") == ["wider", "unplaced", "older", "unofficial"]


def test_year_of_an_article():
    assert year_of(quote_of(effective_year="2024", published="2023-12-01").article) == "2024"
    assert year_of(quote_of(published="2023-12-01").article) == "2023"
    assert year_of(quote_of().article) == ""
