"""The table of targets: what DESIGN asks for, what this machine reached, in one run.

Each ``_…_rows`` function measures one subject and gives its lines of the table; ``run_bench`` runs
them all, the service first, while nothing else is loaded. No figure is typed by hand.
"""

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from os import cpu_count, getloadavg
from pathlib import Path
from typing import Any

import typer
from tqdm import tqdm

from eval.answers import latency, summary
from eval.bench_corpus import measure_corpus
from eval.bench_encoder import measure_encoder
from eval.bench_search import (
    Made,
    large_engine,
    make_collection,
    measure_questions,
    measure_reference,
    measure_search,
)
from eval.bench_serve import measure_service
from eval.console import show_table
from eval.expectations import load_cases, question_files
from eval.opened import ask_files
from eval.results import make_folder, write_json
from index import store
from index.cache import CachedEncoder
from index.encoder import load_encoder
from index.search import LEGS

__all__ = ["Row", "run_bench", "show_bench"]

CHUNKS = 50_000  # passages of the large collection (DESIGN, "Targets")
QUICK_CHUNKS = 5_000  # the same with --quick
SEARCHES = 200  # questions timed at each size
BUSY = 0.5  # load a core from which times are not to be trusted
SERVED = 30  # questions put to the service before its memory is read


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``ok`` is ``None`` where DESIGN sets no target."""

    name: str
    unit: str
    reached: float
    target: float | None = None
    at_most: bool = True
    note: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether the target is met."""
        if self.target is None:
            return None
        return self.reached <= self.target if self.at_most else self.reached >= self.target

    @property
    def wanted(self) -> str:
        """The target as text.

        >>> Row("a", "ms", 5.0, 8.0).wanted
        '≤ 8'
        """
        return "–" if self.target is None else f"{'≤' if self.at_most else '≥'} {self.target:g}"


def run_bench(index: Path, out: Path, *, quick: bool) -> dict[str, Any]:
    """Measure everything and write it as JSON.

    Args:
        index: a built index folder; the encoder must be the bundled one.
        out: the JSON file.
        quick: a smaller collection, for a look within minutes.

    Raises:
        YibaoError: the index, the encoder, the service or the file fails.
    """
    make_folder(out.parent)
    load = getloadavg()[0]  # processes that wanted a core during the last minute
    files = question_files("dev")
    questions = [case.question for case in load_cases(files)]
    stages: dict[str, Callable[[], Iterator[Row]]] = {
        "service": partial(_service_rows, index, questions),
        "corpus": partial(_corpus_rows, megabytes=1 if quick else 4),
        "answers": partial(_answer_rows, index, files),
        "search": partial(_search_rows, index, questions, QUICK_CHUNKS if quick else CHUNKS),
        "encoder": partial(_encoder_rows, quick=quick),
    }
    rows: list[Row] = []
    for name, measure in (bar := tqdm(stages.items(), unit="", leave=False, disable=None)):
        bar.set_description(name)
        rows += measure()
    report = {
        "machine": {
            "processor": platform.machine(),
            "cores": cpu_count(),
            "python": platform.python_version(),
            "load_before": round(load, 2),
        },
        "quick": quick,
        "rows": [asdict(row) | {"ok": row.ok} for row in rows],
    }
    write_json(out, report)
    return report


def show_bench(report: dict[str, Any]) -> None:
    """Print the table: what, target, reached, ok."""
    machine = report["machine"]
    if machine["load_before"] > BUSY * (machine["cores"] or 1):
        typer.echo(f"注意：开始时机器正忙（负载 {machine['load_before']}），时间会偏大。", err=True)
    marks = {True: "达标", False: "未达标", None: "–"}
    rows = [Row(**{k: v for k, v in row.items() if k != "ok"}) for row in report["rows"]]
    show_table(
        ("项目", "单位", "目标", "达到", "", "说明"),
        [(r.name, r.unit, r.wanted, f"{r.reached:,.2f}", marks[r.ok], r.note) for r in rows],
    )


def _service_rows(index: Path, questions: Sequence[str]) -> Iterator[Row]:
    figures = measure_service(index, list(questions[:SERVED]))
    yield Row("启动：页面可开 page up", "s", figures["page_seconds"], 8)
    yield Row("启动：第一个答案 first answer", "s", figures["bm25_answer_seconds"])
    yield Row("启动：第一个双路答案 first hybrid", "s", figures["hybrid_answer_seconds"], 20)
    note = f"含子进程，答过 {min(SERVED, len(questions))} 题之后"
    yield Row("服务内存 resident", "MB", figures["resident_mb"], 800, note=note)


def _corpus_rows(megabytes: int) -> Iterator[Row]:
    figures = measure_corpus(megabytes)
    note = "自带文章，读入并写成 Markdown"
    yield Row("导入 import", "篇/s", figures["import_articles_per_second"], note=note)
    yield Row("导入 import", "MB/s", figures["import_megabytes_per_second"])
    yield Row("切片 chunking", "篇/s", figures["chunk_articles_per_second"])
    yield Row("切片 chunking", "MB/s", figures["chunk_megabytes_per_second"])
    yield Row("切句 sentences", "MB/s", figures["sentence_megabytes_per_second"])
    speed = figures["region_megabytes_per_second"]
    yield Row("地名识别 regions", "MB/s", speed, 1, at_most=False, note="1 MB 不超过 1 秒")


def _answer_rows(index: Path, files: Sequence[Path]) -> Iterator[Row]:
    outcomes = ask_files(index, files)
    times, sums = latency(outcomes), summary(outcomes)
    quotes, broken = int(sums["quotes"] or 0), int(sums["broken_quotes"] or 0)
    note = f"{len(outcomes)} 题，自带题目的 dev 半"
    yield Row("问→答 p50", "ms", times["p50_ms"], 60, note=note)
    yield Row("问→答 p95", "ms", times["p95_ms"], 150, note=note)
    share = 100 * (quotes - broken) / max(quotes, 1)
    yield Row("逐字引文 verbatim", "%", share, 100, at_most=False, note=f"{quotes} 句")
    yield Row("别处的数字 wrong place", "次", float(sums["wrong_place_figures"] or 0), 0)


def _search_rows(index: Path, questions: Sequence[str], size: int) -> Iterator[Row]:
    encoder = load_encoder()
    opened = store.open_index(index, encoder)
    asked = list(dict.fromkeys(filter(str.strip, questions)))
    asked = asked[:: -(-len(asked) // SEARCHES)]  # evenly: the sets differ in length
    vectors, encoding = measure_questions(opened.engine, asked)
    yield Row("编码一个问题 p50", "ms", encoding["p50_ms"], 8)
    small = measure_search(opened.engine, asked, vectors, LEGS)
    note = f"{len(opened.chunks):,} 个片段，不含编码"
    yield Row("检索（自带文章）p50", "ms", small["p50_ms"], note=note)
    yield Row("检索（自带文章）p95", "ms", small["p95_ms"], note=note)
    passages = [(opened.articles[c.article_id].title, c.text) for c in opened.chunks]
    cached = CachedEncoder(encoder, index / "embeddings.db")
    yield from _large_rows(make_collection(passages, cached, size), asked, vectors)


def _large_rows(made: Made, asked: Sequence[str], vectors: Sequence[Any]) -> Iterator[Row]:
    size = f"{len(made.documents):,}"
    note = "向量：真片段加小噪声；文字：真词抽样"
    engine = large_engine(made)
    ours = measure_search(engine, asked, vectors, LEGS)
    words_only = measure_search(engine, asked, vectors, ("bm25",))
    del engine
    reference = measure_reference(made, asked)
    yield Row(f"检索（{size} 片段）p50", "ms", ours["p50_ms"], note=note)
    yield Row(f"检索（{size} 片段）p95", "ms", ours["p95_ms"], note=note)
    yield Row(f"其中 BM25 一路（{size}）p50", "ms", words_only["p50_ms"])
    yield Row(f"rank_bm25 打分加排序（{size}）p50", "ms", reference["p50_ms"], note="不含切词")
    note = "rank_bm25 的时间 ÷ 我们的时间"
    for name, figures in (("双路", ours), ("BM25 一路", words_only)):
        ratio = reference["p50_ms"] / figures["p50_ms"]
        yield Row(f"比 rank_bm25 快（{name}）", "×", ratio, note=note)


def _encoder_rows(*, quick: bool) -> Iterator[Row]:
    figures = measure_encoder(quick=quick)
    ours, reference = figures["passages_per_second"], figures["reference_passages_per_second"]
    yield Row("编码文章 ours", "段/s", ours, note="每段 170 个词元")
    yield Row("编码文章 fp32", "段/s", reference, note="sentence-transformers 默认，轮流跑")
    yield Row("编码比 fp32 快", "×", ours / reference, 1.3, at_most=False)
    note = "与 fp32 向量的余弦，最低的一段"
    yield Row("编码一致 cosine", "", figures["cosine_min"], 0.995, at_most=False, note=note)
