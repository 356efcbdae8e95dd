"""A small corpus, and what an index of it answers: what the tests of the store share."""

from pathlib import Path

from index import store
from index.encoder import Encoder
from tests.fake_encoder import FakeEncoder

TEXTS = {
    "门诊": "惠州门诊报销比例是80%。\n\n## 办法\n\n- 带身份证。\n- 去窗口。",
    "住院": "惠州住院起付线是300元。报销比例是90%。",
    "津贴": "生育津贴由单位申请。津贴按天算。",
    "异地": "异地就医要先备案。备案可以在手机上办。",
}
QUESTIONS = ["惠州门诊报多少", "生育津贴谁申请", "异地备案", "该带啥", "zzz"]
ASKED = {"门诊": {"": ["看病给报几成"], "办法": ["要带啥去办", "在哪块儿弄"]}}
FILES = [
    "passages.db",
    "bm25.npz",
    "terms.txt",
    "chunks.faiss",
    "sentences.npy",
    "asked.npy",
]


def write_corpus(folder: Path) -> Path:
    """Four articles in a new folder."""
    folder.mkdir()
    for name, body in TEXTS.items():
        asked = f"asked: {ASKED[name]}\n" if name in ASKED else ""
        text = f"---\ntitle: {name}怎么办\n{asked}---\n\n{body}\n"
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def answers(out: Path, encoder: Encoder | None = None) -> list[list[tuple[str, float]]]:
    """Chunks and scores for each of the questions."""
    index = store.open_index(out, encoder or FakeEncoder())
    return [[(hit.chunk.id, hit.score) for hit in index.search(q, 5)] for q in QUESTIONS]
