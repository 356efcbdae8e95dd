"""Text to search terms: what is cut how, and what must hold for any text."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.regions import mentions
from index import terms as module
from index.terms import expansions, fingerprint, normalise, stop_words, terms, words

texts = st.text(st.sampled_from("医保门特慢住院怎么报销８0%.- aＡ。，\n\u200b門診裏"), max_size=30)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("門診報銷", "门诊报销"),
        ("瞭解臺灣醫療", "了解台湾医疗"),
        ("１２３９３", "12393"),
        ("８５％", "85%"),
        ("ＡＰＰ", "app"),
        ("门\u200b特\ufeff", "门特"),
        ("㎡①", "m21"),
        ("", ""),
    ],
)
def test_normalise(text: str, plain: str) -> None:
    assert normalise(text) == plain


def test_words_of_the_lexicon_are_words() -> None:
    for word in ("门特", "门慢", "异地就医", "生育津贴", "家庭共济", "起付线"):
        assert word in terms(f"请问{word}怎么办"), word


def test_numbers_latin_words_and_percentages_stay_whole() -> None:
    found = terms("拨打12393，比例85.5%，用APP，2024年")
    for word in ("12393", "85.5%", "app", "2024"):
        assert word in found, (word, found)


def test_stop_words_and_punctuation_are_no_words() -> None:
    assert words("请问，我的怎么可以吗？！。") == []
    assert "的" in stop_words()


@settings(max_examples=150, deadline=None)
@given(texts)
def test_terms_hold_no_white_space_and_are_stable(text: str) -> None:
    found = terms(text)
    assert found == terms(text)
    assert all(term and not any(char.isspace() for char in term) for term in found)


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("门诊报销比例住院保险"), min_size=1, max_size=12))
def test_every_pair_of_neighbours_is_a_term(text: str) -> None:
    found = terms(text)
    assert all(text[at : at + 2] in found for at in range(len(text) - 1))


@settings(max_examples=80, deadline=None)
@given(texts)
def test_width_and_traditional_characters_make_no_difference(text: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    assert terms(wide) == terms(text)
    assert terms("門診報銷") == terms("门诊报销")


@pytest.mark.parametrize(
    ("question", "meant"),
    [("门槛费多少", "起付线"), ("封顶是多少", "最高支付限额"), ("门特怎么办", "门诊特定病种")],
)
def test_spoken_words_are_widened(question: str, meant: str) -> None:
    assert meant in expansions(question)


@settings(max_examples=80, deadline=None)
@given(texts)
def test_an_expansion_is_never_there_already_and_never_twice(text: str) -> None:
    found = expansions(text)
    assert len(set(found)) == len(found)
    assert all(word not in normalise(text) for word in found)


def test_the_lexicon_changes_nobody_elses_jieba() -> None:
    import jieba

    terms("门特")
    assert module._tokenizer() is not jieba.dt
    assert jieba.dt.FREQ.get("门特", 0) == 0


def test_the_fingerprint_is_of_all_lexicon_files(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    for path in module.LEXICON.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    seen = {fingerprint.__wrapped__()}
    monkeypatch.setattr(module, "LEXICON", folder)
    assert fingerprint.__wrapped__() in seen
    for path in sorted(folder.iterdir()):
        path.write_bytes(path.read_bytes() + b"\n")
        seen.add(fingerprint.__wrapped__())
    assert len(seen) == 1 + len(list(folder.iterdir()))


def test_a_short_phrase_counts_only_where_words_begin_and_end() -> None:
    assert "变更" in expansions("想改医院")
    assert expansions("改革") == []


def _lexicon() -> tuple[list[list[str]], list[dict[str, list[str]]]]:
    data = yaml.safe_load((module.LEXICON / "synonyms.yaml").read_text(encoding="utf-8"))
    return data["same"], data["spoken"]


def test_the_lexicon_is_normalised_and_says_nothing_twice() -> None:
    same, spoken = _lexicon()
    said = [word for group in same for word in group]
    said += [word for family in spoken for word in family["say"]]
    meant = [word for family in spoken for word in family["mean"]]
    assert len(same) + len(spoken) >= 150
    assert len(set(said)) == len(said)
    assert [word for word in said + meant if word != normalise(word).strip()] == []


def test_the_lexicon_names_no_place_and_no_figure() -> None:
    same, spoken = _lexicon()
    entries = [word for group in same for word in group]
    entries += [word for family in spoken for word in family["say"] + family["mean"]]
    assert [word for word in entries if any(char.isdigit() for char in word)] == []
    assert [word for word in entries if mentions(word)] == []


def test_the_user_dictionary_lists_each_word_once() -> None:
    lines = (module.LEXICON / "words.txt").read_text(encoding="utf-8").splitlines()
    listed = [line.split()[0] for line in lines]
    assert len(set(listed)) == len(listed)
