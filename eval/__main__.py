"""``python -m eval``: the retrieval, answer and place benchmarks and the table of targets."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from corpus.command import citizen_errors
from index import store

app = typer.Typer(
    help="评测：检索质量、回答质量、地名、速度与内存（retrieval, answers, regions, bench）",
    no_args_is_help=True,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 对象")]
Out = Annotated[Path, typer.Option("--out", help="结果文件夹，没有就新建")]
IndexFolder = Annotated[
    Path, typer.Option("--index", help="索引目录（python -m index build 生成）")
]
OUT = Path(__file__).with_name("out")
SIDE_BY_SIDE = 5  # groups of questions; more stand one under the other
DECISION = Path(__file__).parent.parent / "chatbot" / "rules" / "decision.json"
REGIONS = Path(__file__).parent / "questions" / "regions-dev.jsonl"
CACHE = OUT / "vectors.db"


@app.command()
@citizen_errors
def retrieval(
    data: Annotated[list[Path], typer.Option("--data", help="BEIR 格式的数据集目录，可写多次")],
    out: Out,
    qrels: Annotated[str, typer.Option("--qrels", help="用哪份标注：qrels/名字.tsv")] = "dev",
    systems: Annotated[
        str, typer.Option("--systems", help="系统名，逗号分开；头一个作基准，写错会列出全部")
    ] = "bm25,dense,hybrid",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="只用前几个问题")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="换用别的 sentence-transformers 模型")
    ] = None,
    cache: Annotated[Path, typer.Option("--cache", help="文档向量缓存，算过的不再算")] = CACHE,
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="改为检索这个文章目录，标注写的是文章编号")
    ] = None,
    perturb: Annotated[
        bool, typer.Option("--perturb", help="再用错字、同音字、繁体、拼音、语序、口语各问一遍")
    ] = False,
    as_json: Json = False,
) -> None:
    """检索评测：nDCG、召回、MRR，成对检验，图表报告（retrieval quality)."""
    from eval.console import show_metrics
    from eval.suite import run_suite
    from eval.systems import SYSTEMS

    names = tuple(dict.fromkeys(name.strip() for name in systems.split(",") if name.strip()))
    if not names or not set(names) <= set(SYSTEMS):
        msg = f"可选 {'、'.join(SYSTEMS)}，用逗号分开"
        raise typer.BadParameter(msg, param_hint="--systems")
    suite = run_suite(
        data,
        qrels,
        names,
        out,
        limit=limit,
        model=model,
        cache=cache,
        articles=corpus,
        perturb=perturb,
    )
    if as_json:
        typer.echo(json.dumps(suite.metrics, ensure_ascii=False))
    else:
        show_metrics(suite.metrics)
        for lift in suite.lifts:
            typer.echo(
                f"{lift.collection}：hybrid 比 {lift.leg} {lift.difference.mean:+.4f}，"
                f"p（Holm）{lift.p_holm:.4f}，{lift.verdict}"
            )
        typer.echo(f"报告在 {out}")
    for warning in suite.warnings:
        typer.echo(warning, err=True)


def _short(value: float | None) -> object:
    """A figure for a narrow column; a mean of more than 1 needs no decimals."""
    if not isinstance(value, float):
        return value
    return f"{value:.3f}" if value <= 1 else f"{value:.0f}"


@app.command()
@citizen_errors
def answers(
    questions: Annotated[list[Path], typer.Option("--questions", help="题目文件，可写多次")],
    out: Out,
    index: IndexFolder = store.DEFAULT,
    as_json: Json = False,
) -> None:
    """回答评测：要点、来源、拒答、急症、逐字核对、别处的数字（answer quality)."""
    from eval.answer_report import LABELS, write_answers
    from eval.answers import summary_by_group
    from eval.console import show_table
    from eval.opened import ask_files
    from eval.results import make_folder

    make_folder(out)
    outcomes = ask_files(index, questions)
    write_answers(outcomes, out)
    metrics = summary_by_group(outcomes)
    if as_json:
        typer.echo(json.dumps(metrics, ensure_ascii=False))
        return
    if len(metrics) > SIDE_BY_SIDE:
        sets = [(group, *(_short(of[name]) for name in LABELS)) for group, of in metrics.items()]
        show_table(("题组", *LABELS.values()), sets)
    else:
        rows = [(label, *(of[name] for of in metrics.values())) for name, label in LABELS.items()]
        show_table(("", *metrics), rows)
    typer.echo(f"报告在 {out}")


@app.command()
@citizen_errors
def conflicts(
    questions: Annotated[
        list[Path] | None, typer.Option("--questions", help="成对文章的文件，默认自带的两份")
    ] = None,
    as_json: Json = False,
    show_wrong: Annotated[bool, typer.Option("--wrong", help="列出判错的编号")] = False,
) -> None:
    """互相矛盾的文章找得到吗，有没有误报（contradictions between articles)."""
    from eval.conflicts import SETS, judge, load_pairs, summary
    from eval.console import show_table

    results = {path.stem: judge(load_pairs(path)) for path in questions or SETS.values()}
    if as_json:
        report = {name: summary(groups) for name, groups in results.items()}
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    for name, groups in results.items():
        rows = [(group, of.pairs, of.called, of.rate) for group, of in groups.items()]
        show_table((name, "对数", "判为矛盾", "比例"), rows)
        total = summary(groups)
        typer.echo(f"找到 {total['recall']:.3f}，误报 {total['false_alarms']:.3f}")
        if show_wrong:
            typer.echo("判错：" + "、".join(key for of in groups.values() for key in of.wrong))


def _tell(report: dict[str, Any], show: Callable[[dict[str, Any]], None], *, as_json: bool) -> None:
    """Print a report as one JSON object, or as its tables."""
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        show(report)


@app.command()
@citizen_errors
def bench(
    out: Annotated[Path, typer.Option("--out", help="结果写到哪个 JSON 文件")] = OUT / "bench.json",
    index: IndexFolder = store.DEFAULT,
    quick: Annotated[bool, typer.Option("--quick", help="小一号的数据，几分钟做完")] = False,
    load: Annotated[bool, typer.Option("--load", help="只测许多人同时问；约三分钟")] = False,
    long: Annotated[bool, typer.Option("--long", help="与 --load 同用：内存一项问两万题")] = False,
    url: Annotated[
        list[str] | None,
        typer.Option("--url", help="改为测已在运行的服务（许多人同时问），可写多次，互相比较"),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="改为与同类程序比较，结果写到 --out 旁边的 peers 文件夹")
    ] = False,
    scale: Annotated[
        bool,
        typer.Option("--scale", help="改为量一千到一百万片段的检索，结果写到旁边的 scale 文件夹"),
    ] = False,
    engines: Annotated[
        bool, typer.Option("--engines", help="改为比较本机索引与 Milvus：五万片段的速度与内存")
    ] = False,
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="--peers 用的数据集，默认自带的题目")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="--peers 时每个数据集只用前几个问题")
    ] = None,
    systems: Annotated[
        str | None, typer.Option("--systems", help="--peers 时只比这些，逗号分开，写错会列出全部")
    ] = None,
    sizes: Annotated[
        str | None, typer.Option("--sizes", help="--peers、--scale 时文集有多少片段，逗号分开")
    ] = None,
    cache: Annotated[Path, typer.Option("--cache", help="--peers 用的文档向量缓存")] = CACHE,
    as_json: Json = False,
) -> None:
    """速度与内存，逐项对照设计目标（speed and memory against the targets)."""
    if peers:
        from eval.bench_peers import bench_peers, choose

        folder = out.parent / "peers"
        chosen = choose(systems, sizes, quick=quick)
        bench_peers(data or [], folder, cache, chosen, limit=limit, as_json=as_json)
        return
    if scale:
        from eval.bench_peers import numbers
        from eval.bench_scale import SIZES, bench_scale

        wanted = SIZES if sizes is None else numbers(sizes)
        bench_scale(index, out.parent / "scale", wanted, as_json=as_json)
        return
    if engines:
        from eval.bench_engines import bench_engines, show_engines

        compared = bench_engines(index, out.with_name("bench-engines.json"), quick=quick)
        _tell(compared, show_engines, as_json=as_json)
        return
    from eval.bench import run_bench, show_bench
    from eval.bench_load import bench_load, show_load

    if url:
        from eval.bench_fleet import bench_fleet, show_fleet

        report = bench_fleet(url, out.with_name("fleet.json"), quick=quick)
        _tell(report, show_fleet, as_json=as_json)
        return
    if load:
        shown = bench_load(index, out.with_name("load.json"), quick=quick, long=long)
        _tell(shown, show_load, as_json=as_json)
        return
    report = run_bench(index, out, quick=quick)
    _tell(report, show_bench, as_json=as_json)


@app.command()
@citizen_errors
def engines(
    questions: Annotated[list[Path], typer.Option("--questions", help="题目文件，可写多次")],
    out: Out,
    index: IndexFolder = store.DEFAULT,
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="BEIR 格式的数据集目录，可写多次")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="每个文件、数据集只用前几个问题")
    ] = None,
    cache: Annotated[Path, typer.Option("--cache", help="文档向量缓存，算过的不再算")] = CACHE,
    as_json: Json = False,
) -> None:
    """本机索引与 Milvus 检索、回答得一样吗（do both engines find and answer the same)."""
    from dataclasses import asdict

    from eval.console import show_table
    from eval.engines import compare_engines

    found = compare_engines(index, data or [], questions, out, cache, limit)
    if as_json:
        typer.echo(json.dumps(list(map(asdict, found)), ensure_ascii=False))
        return
    rows = [
        (of.what, of.questions, of.criterion, of.reached, "成立" if of.holds else "不成立", of.note)
        for of in found
    ]
    show_table(("项目", "题数", "标准", "结果", "", "说明"), rows)
    typer.echo(f"报告在 {out}")


@app.command()
@citizen_errors
def regions(
    texts: Annotated[
        Path, typer.Option("--texts", help="标注好地名的文字，写法见 eval/questions/README.md")
    ] = REGIONS,
    failures: Annotated[
        bool, typer.Option("--failures/--no-failures", help="列出认错的文字")
    ] = True,
    as_json: Json = False,
) -> None:
    """地名识别：准确率与召回率，参保地与就医地，认错的文字（places in texts)."""
    from eval.regions import as_dict, judge_text, load_labels, show_failures, show_summary

    outcomes = [judge_text(label) for label in load_labels(texts)]
    if as_json:
        typer.echo(json.dumps(as_dict(outcomes), ensure_ascii=False))
        return
    show_summary(outcomes)
    if failures:
        show_failures(outcomes)


@app.command()
@citizen_errors
def fuzz(
    index: IndexFolder = store.DEFAULT,
    count: Annotated[int, typer.Option("--n", min=1, help="多少例，五例里有一例问两遍")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", help="同一个数，同样的题")] = 1,
    out: Annotated[Path, typer.Option("--out", help="失败的例子写到哪个 JSONL 文件")] = OUT
    / "fuzz.jsonl",
) -> None:
    """乱改的、恶意的、随机的问题：不出错，每条保证都成立（fuzz)."""
    from eval.fuzz import fuzz_index

    report = fuzz_index(index, count, seed, out)
    typer.echo(report.summary)
    if report.failures:
        typer.echo(f"失败的例子在 {out}", err=True)
        raise typer.Exit(1)


@app.command()
@citizen_errors
def calibrate(
    index: Annotated[list[Path], typer.Option("--index", help="索引目录，可写多次")],
    questions: Annotated[list[Path], typer.Option("--questions", help="题目文件，可写多次")],
    out: Annotated[Path, typer.Option("--out", help="写到哪个文件")] = DECISION,
) -> None:
    """按 dev 题目重新拟合“答还是不答”的界线（fit the decision to answer)."""
    from eval.calibrate import calibrate as fit

    typer.echo(json.dumps(fit(index, questions, out), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    app()
