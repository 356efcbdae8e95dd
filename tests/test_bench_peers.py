"""The peers: each stands alone in a process, is scored like ours, and an absent one is named."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import InputError
from eval import bench_peers, peer_process, peers
from eval.bench_peers import QUICK, Choice, choose, run_peers
from eval.datasets import Dataset, Document, Qrel, Query
from eval.peer_process import measure
from eval.peer_report import common_size, markdown, mean_over_collections
from eval.peers import OURS, PEERS, Material, Peer, blanked, jieba_terms, missing
from eval.significance import bootstrap
from index.engine import passage_text
from tests.fake_encoder import FakeEncoder

TEXTS = (
    ("门特怎么办", "申请门特要带身份证和近期病历，先做认定。"),
    ("异地就医", "去外地看病之前先在国家医保服务平台备案。"),
    ("生育津贴", "生育津贴由单位向医保局申报。"),
    ("天气", "今天晴朗，适合散步。"),
)
QUESTIONS = ("门特要带什么材料", "去外地看病怎么备案", "生育津贴怎么领")
DATASET = Dataset(
    name="tiny",
    split="dev",
    documents=tuple(Document(f"d{n}", *text) for n, text in enumerate(TEXTS)),
    queries=tuple(Query(f"q{n}", text) for n, text in enumerate(QUESTIONS)),
    qrels=tuple(Qrel(f"q{n}", f"d{n}", 1) for n in range(len(QUESTIONS))),
)


@pytest.fixture(scope="module")
def material() -> Material:
    encoder = FakeEncoder()
    vectors = encoder.encode_passages([passage_text(*text) for text in TEXTS])
    asked = encoder.encode_questions(QUESTIONS)
    return Material(TEXTS, vectors, dict(zip(QUESTIONS, asked, strict=True)))


@pytest.mark.filterwarnings("ignore:.*being sunset:DeprecationWarning")
@pytest.mark.parametrize("name", PEERS)
def test_every_peer_finds_the_passage_that_shares_words_and_meaning(
    name: str, material: Material
) -> None:
    if absent := missing(PEERS[name]):
        pytest.skip(f"needs {'、'.join(absent)} (the optional group peers)")
    found = PEERS[name].build(material)
    for place, question in enumerate(QUESTIONS):
        hits = found(question, 3)
        assert hits[0][0] == place
        assert len(hits) <= 3
        scores = [score for _, score in hits]
        assert scores == sorted(scores, reverse=True)


def test_terms_that_were_cut_before_are_the_same(material: Material) -> None:
    before = replace(material, cut=[blanked(text) for text in material.texts])
    assert before.terms == material.terms == [jieba_terms(text) for text in material.texts]
    assert Material([("", "！")], material.vectors, {}).terms == [[]]


def test_a_measurement_has_hits_times_and_memory(material: Material) -> None:
    done = measure("rank_bm25", "tiny", material, QUESTIONS, 2, None)
    assert [hits[0][0] for hits in done.hits] == [0, 1, 2]
    assert len(done.seconds) == 3
    row = done.row()
    assert 0 < row["p50_ms"] <= row["p95_ms"]
    assert (row["documents"], row["searches"]) == (4, 3)
    assert row["resident_mb"] > 10


def test_a_slow_peer_is_timed_on_fewer_questions(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_process, "FEWEST", 2)
    assert len(measure("rank_bm25", "tiny", material, QUESTIONS, 2, 0.0).hits) == 2


def test_the_run_compares_what_is_installed_and_names_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = Peer(("a-package-that-nobody-has",), PEERS[OURS].build)
    few = {OURS: PEERS[OURS], "rank_bm25": PEERS["rank_bm25"], "absent": absent}
    monkeypatch.setattr(bench_peers, "PEERS", few)
    report = run_peers([DATASET], FakeEncoder(), tmp_path, Choice(tuple(few), (6, 9), 2))
    assert len(report["remarks"]) == 1
    assert "a-package-that-nobody-has" in report["remarks"][0]
    assert [(row["peer"], row["documents"]) for row in report["speed"]] == [
        (peer, size) for size in (4, 6, 9) for peer in (OURS, "rank_bm25")
    ]
    assert report["quality"]["tiny"]["rank_bm25"]["nDCG@10"] == 1.0
    header, rows = report["table"]
    assert [row[0] for row in rows] == [OURS, "rank_bm25"]
    assert len({len(header), *map(len, rows)}) == 1
    assert json.loads((tmp_path / "peers.json").read_text("utf-8"))["speed"] == report["speed"]
    with (tmp_path / "peers.csv").open(encoding="utf-8-sig") as file:
        assert len(list(csv.reader(file))) == 1 + 6
    assert (tmp_path / "peers.md").read_text("utf-8").count("\n") == 2 + 2
    assert (tmp_path / "peers.png").read_bytes().startswith(b"\x89PNG")
    assert "data:image/svg" in (tmp_path / "peers.html").read_text("utf-8")
    assert (tmp_path / "tiny" / "run.rank_bm25.trec").read_text("utf-8").startswith("q0 Q0 d0 1 ")


def test_a_peer_that_fails_is_named_and_has_no_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_peers, "PEERS", {OURS: PEERS[OURS], "unknown": PEERS[OURS]})
    report = run_peers([DATASET], FakeEncoder(), tmp_path, Choice((OURS, "unknown"), (5,), 2))
    assert ["unknown" in remark for remark in report["remarks"]] == [True, True]
    assert report["table"][1][1][1:] == ["–"] * (len(report["table"][0]) - 1)


def test_the_options_choose_peers_and_sizes() -> None:
    assert choose(None, None, quick=True) == QUICK
    chosen = choose("bm25s", " 10, 20", quick=False)
    assert (chosen.peers, chosen.sizes) == ((OURS, "bm25s"), (10, 20))
    with pytest.raises(InputError, match=r"bm26.*可选 yibao"):
        choose("bm26", None, quick=False)
    with pytest.raises(InputError, match="整数"):
        choose(None, "many", quick=False)


def test_the_table_is_taken_where_all_were_measured() -> None:
    rows = [("a", 10), ("b", 10), ("a", 20), ("b", 20), ("a", 30)]
    speed = [{"peer": p, "documents": n, "collection": f"made-{n}"} for p, n in rows]
    assert common_size({"speed": speed}) == 20
    assert common_size({"speed": []}) == 0


def test_each_collection_weighs_the_same_in_the_mean() -> None:
    many, few = np.full(900, 0.25), np.array([0.5, 1.0] * 20)
    whole = mean_over_collections([many, few])
    assert whole.mean == pytest.approx(0.5)
    alone = bootstrap(few)
    assert whole.high - whole.low == pytest.approx((alone.high - alone.low) / 2)


def test_markdown_and_terms() -> None:
    assert markdown(("x", "y"), [("a", 1.5)]) == "| x | y |\n|---|---|\n| a | 1.5 |\n"
    assert jieba_terms("！？") == []
    packages = {package for peer in PEERS.values() for package in peer.packages}
    assert packages >= set(peers.MODULES)
