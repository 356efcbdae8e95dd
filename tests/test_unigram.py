"""The tokenizer of the bundled encoder, beside the tokenizers library on the same vocabulary."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from index import e5model
from index.e5file import read_e5_file
from index.encoder import MODEL_DIR
from index.unigram import MAX_TOKENS, UNKNOWN_ID, load_tokenizer

TEXTS = [
    "",
    " ",
    "   多 个   空格   ",
    "惠州职工医保门诊能报多少？",
    "ＡＢＣ１２３全角字符（测试）①②",
    "25℃ 50㎎ ½ 片",
    "換行\n制表\t符號",
    "零宽\u200b空格\ufeff",
    "𠮷野家 🙂",
    "한국어 질문 русский текст テスト です",
    "https://example.org/a?b=1&c=2",
    "参加职工医保的人在定点医院看门诊，超过起付线的部分按比例报销。" * 40,
]


@pytest.fixture(scope="module")
def source():
    path, _version = e5model._locate_source()
    return read_e5_file(path)


@pytest.fixture(scope="module")
def tokenizer(encoder):
    return load_tokenizer(MODEL_DIR)


@pytest.fixture(scope="module")
def oracle(source):
    """The tokenizers library on the same vocabulary."""
    vocabulary = list(zip(source.pieces, source.log_probabilities.tolist(), strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, UNKNOWN_ID, False))
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    return tokenizer


@pytest.mark.parametrize("text", TEXTS)
def test_token_ids_equal_those_of_the_tokenizers_library(text, tokenizer, oracle, source):
    prefixed = "query: " + text
    expected = oracle.encode(prefixed.translate(source.characters)).ids
    assert tokenizer.encode(prefixed)[1:-1] == expected[: MAX_TOKENS - 2]


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_token_ids_equal_the_librarys_for_any_text(tokenizer, oracle, source, text):
    prefixed = "passage: " + text
    expected = oracle.encode(prefixed.translate(source.characters)).ids
    assert tokenizer.encode(prefixed)[1:-1] == expected


def test_a_run_of_unknown_characters_is_one_token(tokenizer):
    assert tokenizer.encode("荸荠").count(UNKNOWN_ID) == 1
    assert tokenizer.encode("吃荸荠补荸").count(UNKNOWN_ID) == 2
