"""Nothing is encoded twice, and a damaged cache is made again instead of believed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index import cache
from index.cache import CachedEncoder
from tests.fake_encoder import FakeEncoder

TEXTS = ["门诊怎么报", "住院怎么报", "门诊怎么报", "生育津贴"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "embeddings.db"


def test_a_text_is_encoded_once_and_never_again(path: Path) -> None:
    fake = FakeEncoder()
    first = CachedEncoder(fake, path).encode_passages(TEXTS)
    assert sorted(fake.passages) == sorted(set(TEXTS))
    again = CachedEncoder(fake, path).encode_passages([*TEXTS, "新的"])
    assert fake.passages[3:] == ["新的"]
    np.testing.assert_array_equal(again[: len(TEXTS)], first)
    np.testing.assert_array_equal(first, FakeEncoder().encode_passages(TEXTS))
    assert (first.dtype, first.shape) == (np.float32, (4, 16))


def test_another_encoder_shares_nothing(path: Path) -> None:
    CachedEncoder(FakeEncoder("one"), path).encode_passages(TEXTS)
    other = FakeEncoder("two", dimension=8)
    assert CachedEncoder(other, path).encode_passages(TEXTS).shape == (4, 8)
    assert len(other.passages) == 3


def test_questions_go_straight_through(path: Path) -> None:
    fake = FakeEncoder()
    cached = CachedEncoder(fake, path)
    for _ in range(2):
        np.testing.assert_array_equal(
            cached.encode_questions(["门诊"]), FakeEncoder().encode_questions(["门诊"])
        )
    assert fake.questions == ["门诊", "门诊"]
    assert not path.exists()


def test_no_text_gives_no_row(path: Path) -> None:
    assert CachedEncoder(FakeEncoder(), path).encode_passages([]).shape == (0, 16)


def test_progress_adds_up_to_the_number_of_texts(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_BATCH", 2)
    encoder = CachedEncoder(FakeEncoder(), path)
    encoder.encode_passages(["生育津贴"])
    seen: list[int] = []
    encoder.encode_passages([*TEXTS, "一", "二", "三"], progress=seen.append)
    assert seen == [1, 2, 3, 1]


def test_a_killed_run_keeps_what_was_done(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_BATCH", 1)
    fake = FakeEncoder()
    fake.crash_after = 2
    with pytest.raises(KeyboardInterrupt):
        CachedEncoder(fake, path).encode_passages(TEXTS)
    fake.crash_after = None
    result = CachedEncoder(fake, path).encode_passages(TEXTS)
    assert sorted(fake.passages) == sorted(set(TEXTS))
    np.testing.assert_array_equal(result, FakeEncoder().encode_passages(TEXTS))


@pytest.mark.parametrize("data", [b"no database at all" * 99, b"SQLite format 3\0" + b"\1" * 4000])
def test_a_cache_that_is_no_database_is_made_again(path: Path, data: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    result = CachedEncoder(FakeEncoder(), path).encode_passages(TEXTS)
    np.testing.assert_array_equal(result, FakeEncoder().encode_passages(TEXTS))


def test_an_altered_vector_is_encoded_again(path: Path) -> None:
    CachedEncoder(FakeEncoder(), path).encode_passages(TEXTS)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE checked_vectors SET vector = zeroblob(64)")
    fake = FakeEncoder()
    result = CachedEncoder(fake, path).encode_passages(TEXTS)
    assert len(fake.passages) == 3
    np.testing.assert_array_equal(result, FakeEncoder().encode_passages(TEXTS))
