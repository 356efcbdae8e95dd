"""What an index was made from, and which of its versions is in use."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import IndexDamaged, IndexMissing, IndexStale

FORMAT = 2  # centred vectors
REBUILD = "请重建索引：python -m index build"
CURRENT = "CURRENT"  # the file that names the version in use


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was made from; any difference makes it stale or foreign."""

    format: int
    corpus_path: str
    corpus: str
    lexicon: str
    encoder: str
    model: str
    dimension: int
    articles: int
    chunks: int
    sentences: int
    files: dict[str, str]


def digest(manifest_text: str) -> str:
    """Eight hexadecimal digits of a manifest's SHA-256, the end of its version's name."""
    return hashlib.sha256(manifest_text.encode()).hexdigest()[:8]


def current_name(out: Path) -> str:
    """The name of the version in use, empty if there is no index."""
    try:
        return (out / CURRENT).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    except UnicodeDecodeError:
        return "?"


def version_of(out: Path) -> Path:
    """The folder of the version in use.

    Raises:
        IndexMissing: there is none.
        IndexDamaged: ``CURRENT`` names one that is not there.
    """
    name = current_name(out)
    if not name:
        msg = f"{out} 里没有索引，请先建立：python -m index build"
        raise IndexMissing(msg)
    if not (out / name / "manifest.json").is_file():
        msg = f"{out} 里的索引不完整。{REBUILD}"
        raise IndexDamaged(msg)
    return out / name


def read_manifest(version: Path) -> Manifest:
    """The manifest of a version; raises ``IndexDamaged`` if it is none of ours."""
    try:
        text = (version / "manifest.json").read_text(encoding="utf-8")
        manifest = Manifest(**json.loads(text))
    except (OSError, ValueError, TypeError) as error:
        msg = f"索引的清单坏了，或不是本程序的索引。{REBUILD}"
        raise IndexDamaged(msg) from error
    if not version.name.endswith(f"-{digest(text)}"):
        msg = f"索引的清单被改动。{REBUILD}"
        raise IndexDamaged(msg)
    if manifest.format != FORMAT:
        msg = f"索引是另一种格式（{manifest.format}，需要 {FORMAT}）。{REBUILD}"
        raise IndexStale(msg)
    return manifest
