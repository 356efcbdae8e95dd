"""Command line of the corpus: import, lint, stats."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from corpus import folder
from corpus.command import citizen_errors
from corpus.lint import Finding, lint
from corpus.records import NATIONAL, Article, Authority

app = typer.Typer(
    help="文章：导入、检查、统计（corpus: import, lint, stats）", no_args_is_help=True
)
_NAMED = 50  # articles named that lack metadata; --json names all
Json = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 对象")]
Folder = Annotated[Path, typer.Argument(help="文章目录，默认是自带的文章")]


@app.command("import")
@citizen_errors
def import_(
    src: Annotated[
        list[Path],
        typer.Argument(
            help="要导入的文件、目录或 zip（网页、mhtml、PDF、docx、txt、Markdown、CSV、JSONL）"
        ),
    ],
    to: Annotated[Path, typer.Option("--to", help="写到哪个目录")],
    as_json: Json = False,
) -> None:
    """导入文章，写成带文件头的 Markdown；来源没变的不动（import articles as Markdown)."""
    total = sum(1 for _ in folder.sources(src, leave_out=to))
    with tqdm(total=total, unit="个文件", file=sys.stderr, disable=None, leave=False) as bar:

        def step(path: Path) -> None:
            bar.set_postfix_str(path.name[:20], refresh=False)
            bar.update()

        report = folder.import_files(src, to, step)
    if as_json:
        typer.echo(json.dumps(_as_json(report), ensure_ascii=False))
    else:
        _tell(report)
    if report.skipped:
        raise typer.Exit(1)


def _as_json(report: folder.ImportReport) -> dict[str, object]:
    return {
        "imported": [article.id for article in report.imported],
        "unchanged": [article.id for article in report.unchanged],
        "skipped": [{"file": str(path), "reason": why} for path, why in report.skipped],
        "missing": {what: [a.id for a in found] for what, found in report.lacking().items()},
    }


def _tell(report: folder.ImportReport) -> None:
    for path, why in report.skipped:
        typer.echo(f"跳过 {path}：{why}", err=True)
    typer.echo(
        f"导入 {len(report.imported)} 篇，未变 {len(report.unchanged)} 篇，"
        f"跳过 {len(report.skipped)} 个文件。"
    )
    lacking = report.lacking()
    typer.echo(
        "其中" + "，".join(f"{what} {len(found)} 篇" for what, found in lacking.items()) + "。"
    )
    gaps: dict[str, list[str]] = {}
    for what, found in lacking.items():
        for article in found:
            gaps.setdefault(f"{article.id}《{article.title}》", []).append(what)
    for name, missing in list(gaps.items())[:_NAMED]:
        typer.echo(f"  {name}：{'、'.join(missing)}")
    if len(gaps) > _NAMED:
        typer.echo(f"  还有 {len(gaps) - _NAMED} 篇，用 --json 看全部")


@app.command("lint")
@citizen_errors
def lint_(corpus: Folder = folder.SHIPPED, as_json: Json = False) -> None:
    """检查文章有什么毛病；有必须改的就以 1 退出（report what is wrong)."""
    findings = lint(folder.load(corpus))
    if as_json:
        typer.echo(json.dumps({"findings": [asdict(f) for f in findings]}, ensure_ascii=False))
    else:
        _show(findings)
    if any(finding.must_be_mended for finding in findings):
        raise typer.Exit(1)


def _show(findings: list[Finding]) -> None:
    """The open findings, then the acknowledged ones with their reasons."""
    acknowledged = [finding for finding in findings if finding.acknowledged]
    for finding in [f for f in findings if not f.acknowledged] + acknowledged:
        mark = "必须改" if finding.severity == "error" else "请留意"
        mark = "已确认" if finding.acknowledged else mark
        reason = f"（{finding.acknowledged}）" if finding.acknowledged else ""
        typer.echo(
            f"{mark}　{finding.article_id}《{finding.title}》：{finding.message}"
            f"　[{finding.code}]{reason}"
        )
        for sentence in finding.sentences:
            typer.echo(f"　　「{sentence}」")
    open_ = len(findings) - len(acknowledged)
    typer.echo(f"共 {len(findings)} 条，其中已确认 {len(acknowledged)} 条，还要看 {open_} 条。")


@app.command()
@citizen_errors
def stats(
    corpus: Folder = folder.SHIPPED,
    as_json: Json = False,
    table: Annotated[bool, typer.Option("--table", help="只输出主题×地区×来源的表")] = False,
) -> None:
    """统计文章：地区、主题、来源可靠程度（counts by place, topic, authority)."""
    articles = folder.load(corpus)
    if table:
        typer.echo(crosstab(articles))
        return
    tables = {
        "place": Counter(a.place[0] if a.place else a.place_label for a in articles),
        "topic": Counter(a.topic or "未分类" for a in articles),
        "authority": Counter(a.authority.value for a in articles),
    }
    characters = sum(len(a.body) for a in articles)
    if as_json:
        typer.echo(
            json.dumps(
                {"articles": len(articles), "characters": characters, **tables}, ensure_ascii=False
            )
        )
        return
    typer.echo(f"文章 {len(articles)} 篇，正文 {characters} 字。")
    for name, title in (("place", "地区"), ("topic", "主题"), ("authority", "来源")):
        typer.echo(f"\n{title}")
        for key, count in tables[name].most_common():
            label = Authority(key).label if name == "authority" else key
            typer.echo(f"  {label}　{count}")


def crosstab(articles: Sequence[Article]) -> str:
    """Counts in Markdown: a row a topic, a column a kind of place and authority."""
    kinds = ("全国", "省市县", "未注明")
    counts = Counter(
        (
            a.topic or "未分类",
            kinds[0 if a.place == (NATIONAL,) else 1 if a.place else 2],
            a.authority,
        )
        for a in articles
    )
    columns = [
        (k, who) for k in kinds for who in Authority if any(c[1:] == (k, who) for c in counts)
    ]
    topics = Counter(a.topic or "未分类" for a in articles)
    heads = [f"{kind}·{who.label}" for kind, who in columns]
    lines = ["| 主题 | " + " | ".join(heads) + " | 合计 |", "|---" * (len(columns) + 2) + "|"]
    for topic, total in topics.most_common():
        cells = [str(counts[(topic, *column)] or "") for column in columns]
        lines.append(f"| {topic} | " + " | ".join(cells) + f" | {total} |")
    sums = [str(sum(n for key, n in counts.items() if key[1:] == column)) for column in columns]
    return "\n".join([*lines, "| 合计 | " + " | ".join(sums) + f" | {len(articles)} |"])


if __name__ == "__main__":
    app()
