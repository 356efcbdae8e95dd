"""Command line of the index: model, build, search, verify, drop-old."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from tqdm import tqdm

from corpus import folder
from corpus.command import citizen_errors
from index import opening, shipped, store, ways
from index.encoder import load_encoder

if TYPE_CHECKING:
    from index.manifest import Manifest
    from index.remote import Remote
    from index.versions import Version

app = typer.Typer(
    help="索引：建立、检索、核对（index: build, search, verify）", no_args_is_help=True
)
IndexDir = Annotated[Path, typer.Option("--index", help="索引目录")]
EngineUri = Annotated[
    str, typer.Option("--to", help="检索引擎：milvus://主机:端口，或 .db 文件；口令在 MILVUS_TOKEN")
]
Json = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 对象")]


class _Bars:
    """One progress bar a stage, on stderr."""

    def __init__(self) -> None:
        self._bars: dict[str, tqdm[Any]] = {}

    def __call__(self, stage: str, added: int, total: int) -> None:
        bar = self._bars.get(stage)
        if bar is None:
            bar = self._bars[stage] = tqdm(
                desc=stage, total=total, unit="条", file=sys.stderr, disable=None
            )
        bar.update(added)
        if bar.n >= total:
            bar.close()


@app.command()
@citizen_errors
def build(
    corpus: Annotated[Path, typer.Option("--corpus", help="文章目录")] = folder.SHIPPED,
    out: Annotated[Path, typer.Option("--out", help="写到哪个目录")] = store.DEFAULT,
    model: Annotated[str, typer.Option("--model", help="编码模型的名字或目录；默认是自带的")] = "",
    to: EngineUri = "",
) -> None:
    """建立索引；文章、词库、模型都没变就不动（build the index if anything changed)."""
    encoder = load_encoder(model or None)
    if to:
        from index import ingest

        kept = out / store.CACHE_FILE
        version, new = ingest.build(corpus, _engine(to), encoder, kept, _Bars(), model)
        typer.echo(_built(version, new))
        return
    manifest, changed = store.build(corpus, out, encoder, _Bars(), model)
    typer.echo(_built(manifest, changed))


def _built(made: "Manifest | Version", changed: bool) -> str:
    done = "已建好" if changed else "已是最新"
    counts = f"{made.articles} 篇文章，{made.chunks} 个片段，{made.sentences} 句话"
    return f"索引{done}：{counts}，模型 {made.encoder}。"


def _engine(uri: str) -> "Remote":
    from index.remote import Remote

    return Remote(uri, os.environ.get(opening.TOKEN, ""))


@app.command()
@citizen_errors
def search(
    question: Annotated[str, typer.Argument(help="要找什么")],
    index: IndexDir = store.DEFAULT,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="要几条")] = 10,
    exact: Annotated[
        bool, typer.Option("--exact", help="照原样检索，不改错字（no spelling repair）")
    ] = False,
    as_json: Json = False,
) -> None:
    """检索片段，不作答（search passages)."""
    opened = opening.open_chosen(index)
    store.attach(opened, load_encoder(opened.model or None))
    hits = opened.search(question, k, mend=not exact)
    if as_json:
        rows = [
            {
                "chunk_id": hit.chunk.id,
                "article_id": hit.article.id,
                "title": hit.article.title,
                "place": list(hit.article.place),
                "start": hit.chunk.start,
                "end": hit.chunk.end,
                "text": hit.chunk.text,
                "score": hit.score,
                "bm25": hit.bm25,
                "bm25_rank": hit.bm25_rank,
                "dense": hit.dense,
                "dense_rank": hit.dense_rank,
            }
            for hit in hits
        ]
        typer.echo(
            json.dumps(
                {"question": question, "rewritten": hits.rewritten, "hits": rows},
                ensure_ascii=False,
            )
        )
        return
    if hits.rewritten:
        typer.echo(f"已按“{hits.rewritten}”检索；要照原样检索，请加 --exact。")
    for number, hit in enumerate(hits, 1):
        typer.echo(f"{number}. {hit.score:.3f}《{hit.article.title}》{hit.article.place_label}")
        typer.echo("   " + " ".join(hit.chunk.text.split())[:100])


@app.command()
@citizen_errors
def verify(
    index: IndexDir = store.DEFAULT,
    to: EngineUri = "",
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="与 --to 同用：文章目录；默认是建索引时的那个")
    ] = None,
) -> None:
    """核对索引的每个文件（或引擎里的每一行），以及文章和词库有没有变（verify every file)."""
    if to:
        from index import ingest, versions

        engine = _engine(to)
        encoder = load_encoder(versions.checked(engine).model or None)
        found = ingest.verify(corpus, engine, encoder, index / store.CACHE_FILE)
        typer.echo(f"索引完好：{found.articles} 篇文章，{found.chunks} 个片段，每一行都对得上。")
        return
    manifest = store.verify(index)
    typer.echo(f"索引完好：{manifest.articles} 篇文章，{manifest.chunks} 个片段。")


@app.command(name="drop-old")
@citizen_errors
def drop_old(to: EngineUri) -> None:
    """删掉检索引擎里不再用的各版索引，没写完的也删（drop all versions but the one in use)."""
    from index import versions

    typer.echo(f"删掉了 {versions.drop_old(_engine(to))} 个不用的集合。")


@app.command()
@citizen_errors
def vectors() -> None:
    """更新随程序附带的向量：自带的文章改过以后运行（vectors of the shipped articles)."""
    cache = store.DEFAULT / store.CACHE_FILE
    count = shipped.ship_vectors(folder.SHIPPED, load_encoder(None), cache, shipped.SHIPPED_VECTORS)
    typer.echo(f"附带的向量已更新：{count} 条。")


@app.command(name="ways")
@citizen_errors
def update_ways() -> None:
    """更新各种问法的向量：问法改过以后运行（vectors of the ways of asking)."""
    encoder = load_encoder(None)
    known = folder.SHIPPED, encoder, store.DEFAULT / store.CACHE_FILE
    count = ways.make(encoder, shipped.shipped_sentences(*known), shipped.shipped_ways(*known))
    typer.echo(f"问法的向量已更新：{count} 条。")


@app.command()
@citizen_errors
def model() -> None:
    """准备自带的编码模型，做过就不再做（prepare the bundled encoder)."""
    from index.e5model import prepare_model
    from index.encoder import MODEL_DIR

    typer.echo(f"模型已备好：{os.path.relpath(prepare_model(MODEL_DIR))}")


if __name__ == "__main__":
    app()
