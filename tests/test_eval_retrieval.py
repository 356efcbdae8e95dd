"""A retrieval run over rankers small enough to read: scores, comparisons, files, report."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ir_measures
import numpy as np
import pytest

from corpus.errors import InputError
from corpus.folder import SHIPPED
from eval.datasets import Dataset, Document, Qrel, Query, load_dataset
from eval.metrics import METRICS
from eval.perturb import PERTURBATIONS
from eval.report import TIMES, retrieval_report
from eval.results import make_folder, write_json, write_results, write_rows, write_text
from eval.retrieval import DEPTH, Evaluation, Ranker, compare, evaluate, guard_warnings
from eval.robustness import robustness
from eval.slices import slices
from eval.summary import write_summary
from eval.systems import SYSTEMS, build_engine, needs_encoder, stage_seconds, systems
from tests.fake_encoder import FakeEncoder

HOSTILE = "<script>alert('门特')</script>"
DATASET = Dataset(
    name="tiny & small",
    split="dev",
    documents=tuple(Document(f"d{n:03}", "", f"文{n}") for n in range(120)),
    queries=(Query("q1", "一"), Query("q2", HOSTILE), Query("q3", "无命中"), Query("q4", "四")),
    qrels=(
        Qrel("q1", "d000", 1),
        Qrel("q2", "d001", 1),
        Qrel("q3", "d002", 1),
        Qrel("q4", "gone", 1),
        Qrel("q4", "d001", 2),
    ),
    missing_documents=1,
)


MANY = Dataset(
    name="many",
    split="dev",
    documents=tuple(Document(f"d{n:02}", "", "文") for n in range(20)),
    queries=tuple(Query(f"q{n:02}", str(n)) for n in range(20)),
    qrels=tuple(Qrel(f"q{n:02}", f"d{n:02}", 1) for n in range(20)),
)


def first_document(question: str, k: int) -> Sequence[tuple[int, float]]:
    """Always the same documents with scores that are all equal, but nothing for 无命中."""
    return [] if question == "无命中" else [(place, 1.0) for place in range(k)]


def second_document(question: str, k: int) -> Sequence[tuple[int, float]]:
    """Document 1 before document 0, scores too near for single precision."""
    return [] if question == "无命中" else [(1, 1.0 + 1e-12), (0, 1.0)][:k]


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """Two systems over the tiny collection."""
    return evaluate(DATASET, {"bm25": first_document, "hybrid": second_document})


def test_every_query_counts_and_no_more_than_the_depth_is_kept(evaluation: Evaluation) -> None:
    first, second = evaluation.systems
    assert list(first.hits) == ["q1", "q2", "q3", "q4"]
    assert [len(hits) for hits in first.hits.values()] == [DEPTH, DEPTH, 0, DEPTH]
    mrr = METRICS.index("MRR@10")
    assert first.values[:, mrr].tolist() == [1.0, 0.5, 0.0, 0.5]
    assert second.values[:, mrr].tolist() == [0.5, 1.0, 0.0, 1.0]
    assert evaluation.metrics()["bm25"]["MRR@10"] == 0.5
    assert (first.seconds >= 0).all()


def test_the_comparison_is_against_the_first_system(evaluation: Evaluation) -> None:
    rows = compare(evaluation)
    assert [(row.system, row.baseline, row.metric) for row in rows] == [
        ("hybrid", "bm25", metric) for metric in METRICS
    ]
    by_metric = {row.metric: row for row in rows}
    assert by_metric["MRR@10"].difference.mean == pytest.approx(0.125)
    assert (by_metric["MRR@10"].wins, by_metric["MRR@10"].losses) == (2, 1)
    assert by_metric["Recall@100"].p_value == by_metric["Recall@100"].p_holm == 1.0


def test_one_system_alone_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    alone = evaluate(DATASET, {"bm25": first_document})
    assert compare(alone) == []
    write_results(alone, [], tmp_path)
    assert len(read_csv(tmp_path / "significance.csv")) == 1
    assert "Against the first system" not in retrieval_report(alone, [])


def test_another_evaluator_reads_the_same_figures_from_the_run(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    write_results(evaluation, compare(evaluation), tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    qrels = [ir_measures.Qrel(q.query_id, q.document_id, q.relevance) for q in DATASET.qrels]
    names = ["nDCG@10", "R@5", "R@10", "R@100", "RR@10", "AP"]
    for system in ("bm25", "hybrid"):
        text = (tmp_path / f"run.{system}.trec").read_text(encoding="utf-8")
        run = list(ir_measures.read_trec_run(text))
        measures = [ir_measures.parse_measure(name) for name in names]
        found = ir_measures.pytrec_eval.calc_aggregate(measures, qrels, run)
        assert [found[measure] for measure in measures] == pytest.approx(
            [metrics[system][name] for name in METRICS], abs=1e-6
        )


def test_run_lines_fall_strictly_in_single_precision(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    write_results(evaluation, [], tmp_path)
    text = (tmp_path / "run.bm25.trec").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == ["q1", "Q0", "d000", "1", "1", "bm25"]
    scores = np.array([line[4] for line in lines[:DEPTH]], dtype=np.float32)
    assert (np.diff(scores) < 0).all()


def test_tables_have_one_row_a_query_and_system(evaluation: Evaluation, tmp_path: Path) -> None:
    write_results(evaluation, compare(evaluation), tmp_path)
    rows = read_csv(tmp_path / "per_query.csv")
    assert rows[0] == ["query_id", "system", *METRICS]
    assert [row[:2] for row in rows[1:3]] == [["q1", "bm25"], ["q1", "hybrid"]]
    assert len(rows) == 1 + 4 * 2
    header, *body = read_csv(tmp_path / "significance.csv")
    assert header[:4] == ["system", "baseline", "metric", "difference"]
    assert len(body) == len(METRICS)
    timings = json.loads((tmp_path / "timings.json").read_text(encoding="utf-8"))
    assert set(timings) == {"bm25", "hybrid"}


def test_two_runs_are_byte_identical_but_for_times(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        out = tmp_path / name
        make_folder(out)
        run = evaluate(DATASET, {"bm25": first_document, "hybrid": second_document})
        write_results(run, compare(run), out)
        write_text(out / "report.html", retrieval_report(run, compare(run)))
        files = {path.name: path.read_bytes() for path in out.iterdir()}
        del files["timings.json"]
        before, _, after = files["report.html"].split(TIMES.encode())
        files["report.html"] = before + after
        written.append(files)
    assert set(written[0]) == {
        *("metrics.json", "per_query.csv", "significance.csv", "report.html"),
        *("run.bm25.trec", "run.hybrid.trec", "qrels.trec", "topics.tsv", "slices.csv"),
    }
    assert written[0] == written[1]


def test_the_report_stands_alone_and_escapes_the_data(evaluation: Evaluation) -> None:
    html = retrieval_report(evaluation, compare(evaluation))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "tiny &amp; small" in html
    assert "http://" not in html
    assert "https://" not in html
    assert html.count("data:image/svg+xml;base64,") == 4
    assert "1 judged documents are not in the corpus" in html


def test_a_mix_that_falls_behind_is_named() -> None:
    def scores(hybrid: float) -> dict[str, dict[str, float]]:
        legs = {"bm25": {"nDCG@10": 0.6}, "dense": {"nDCG@10": 0.9}}
        return legs | {"hybrid": {"nDCG@10": hybrid}}

    assert guard_warnings(scores(0.895)) == []
    assert "hybrid" in guard_warnings(scores(0.88))[0]
    assert guard_warnings({"hybrid": {"nDCG@10": 0.1}}) == []


def test_the_report_times_every_system_and_stage(evaluation: Evaluation) -> None:
    html = retrieval_report(evaluation, [], (), {"encode": np.array([0.004, 0.006])})
    _, times, _ = html.split(TIMES)
    assert "<td>hybrid</td>" in times
    assert "<td>encode</td><td>5.00</td>" in times


def test_the_mix_is_held_against_its_better_leg(tmp_path: Path) -> None:
    def run(name: str, better: Ranker, worse: Ranker) -> Evaluation:
        rankers = {"hybrid": better, "bm25": worse, "dense": lambda _, __: []}
        return evaluate(replace(MANY, name=name), rankers)

    def right(question: str, _: int) -> Sequence[tuple[int, float]]:
        return [(int(question), 1.0)]

    def second(question: str, _: int) -> Sequence[tuple[int, float]]:
        return [((int(question) + 1) % 20, 2.0), (int(question), 1.0)]

    evaluations = [run("up", right, second), run("down", second, right), run("same", right, right)]
    up, down, same = write_summary(evaluations, tmp_path)
    assert (up.leg, up.mix_mean, up.verdict[:4]) == ("bm25", 1.0, "显著更好")
    assert (down.difference.mean < 0, down.verdict[:2]) == (True, "低于")
    assert (same.p_holm, same.verdict[:2]) == (1.0, "差别")
    assert up.p_value < up.p_holm <= 0.05
    assert len(read_csv(tmp_path / "better_leg.csv")) == 1 + 3
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'href="up/report.html"' in html
    assert list(json.loads((tmp_path / "summary.json").read_text("utf-8"))) == [
        "up",
        "down",
        "same",
    ]
    assert write_summary([evaluate(MANY, {"bm25": right})], tmp_path) == []


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="建不了结果文件夹"):
        make_folder(blocker / "out")
    for write in (
        lambda: write_json(tmp_path, {}),
        lambda: write_rows(tmp_path / "none" / "x.csv", ("a",), []),
    ):
        with pytest.raises(InputError, match="写不了文件"):
            write()


def read_csv(path: Path) -> list[list[str]]:
    """All rows of a table."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


PASSAGES = Dataset(
    name="articles",
    split="dev",
    documents=(
        Document("a#1", "门特", "门特要先认定。", "a"),
        Document("a#2", "门特", "门特材料是病历。", "a"),
        Document("b#1", "备案", "异地就医先备案。", "b"),
    ),
    queries=tuple(
        Query(f"q{n}", text, kind)
        for n, (text, kind) in enumerate(
            [("门特", "term"), ("惠州门特要什么材料呢请问", "how"), ("2024年备案", "fact")] * 5
        )
    ),
    qrels=(Qrel("q0", "a", 2), Qrel("q1", "a", 1), Qrel("q2", "b", 1)),
)


def test_an_article_is_found_once_at_its_best_passage() -> None:
    run = evaluate(PASSAGES, {"all": lambda _, k: [(1, 3.0), (0, 2.0), (2, 1.0)][:k]})
    assert run.systems[0].hits["q0"] == (("a", 3.0), ("b", 1.0))


def test_slices_are_parts_of_the_queries() -> None:
    parts = slices(PASSAGES)
    assert {name: int(mask.sum()) for name, mask in parts.items()} == {
        **{"length ≤ 10": 10, "length 11–20": 5},
        **{"with a place": 5, "without a place": 10},
        **{"with a number": 5, "without a number": 10},
        **{"kind: fact": 5, "kind: how": 5, "kind: term": 5},
    }


def test_every_ablation_ranks_and_unknown_names_are_told() -> None:
    engine = build_engine(PASSAGES, FakeEncoder())
    for name, rank in systems(engine, tuple(SYSTEMS), PASSAGES).items():
        best = rank("门特材料", 3)
        assert best[0][0] in (0, 1), name
    with pytest.raises(InputError, match="没有这个检索系统"):
        systems(engine, ("bm26",), PASSAGES)
    assert needs_encoder(("bm25", "bm25-nobigrams")) is False
    assert needs_encoder(("hybrid-nolexicon",)) is True


def test_each_stage_is_timed() -> None:
    taken = stage_seconds(build_engine(PASSAGES, FakeEncoder()), PASSAGES)
    assert set(taken) == {"repair", "encode", "words", "vectors", "whole"}
    assert all(len(seconds) == 15 and (seconds >= 0).all() for seconds in taken.values())


def test_robustness_has_a_row_for_each_way_and_system(tmp_path: Path) -> None:
    engine = build_engine(PASSAGES, None)
    names = ("bm25", "bm25-nobigrams")
    evaluation = evaluate(PASSAGES, systems(engine, names, PASSAGES))
    losses = robustness(engine, names, evaluation)
    assert [(loss.perturbation, loss.system) for loss in losses] == [
        (way, name) for way in PERTURBATIONS for name in names
    ]
    kept = next(loss for loss in losses if loss.perturbation == "traditional")
    assert (kept.share, kept.p_value) == (0.0, 1.0)
    write_results(evaluation, compare(evaluation), tmp_path, losses)
    assert len(read_csv(tmp_path / "robustness.csv")) == 1 + 6 * 2
    assert "Robustness" in retrieval_report(evaluation, compare(evaluation), losses)


def test_the_own_questions_name_articles_that_are_there() -> None:
    for half in ("dev", "test"):
        folder = Path(__file__).parents[1] / "eval" / "questions" / f"retrieval-{half}"
        own = load_dataset(folder, half, SHIPPED)
        assert len(own.queries) >= 150
        assert own.missing_documents == 0
        best = {qrel.query_id for qrel in own.qrels if qrel.relevance == 2}
        assert best == {query.id for query in own.queries}
        assert {qrel.relevance for qrel in own.qrels} == {1, 2}
        assert all(query.kind for query in own.queries)
