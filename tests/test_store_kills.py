"""Twenty kills, twenty flipped bytes, and readers who go on while versions change."""

import json
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from corpus.errors import IndexDamaged, IndexMissing
from index import manifest, store
from tests.conftest import ROOT
from tests.fake_encoder import FakeEncoder
from tests.small_corpus import FILES, answers, write_corpus

KILLS = 20
FLIPS = 20

# One process imports the program and forks the builders, so that a kill costs no start-up.
KILLER = """
import json, os, random, signal, sys, time
from pathlib import Path
from index import store
from index.terms import terms
from tests.fake_encoder import FakeEncoder

corpus, out, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])


def build(name):
    child = os.fork()
    if not child:
        store.build(corpus, out, FakeEncoder(name))
        os._exit(0)
    return child


terms("医保")  # dictionaries are read here, once
os.waitpid(build("first"), 0)
started = time.perf_counter()
os.waitpid(build("fake-0"), 0)
whole = time.perf_counter() - started
moments = random.Random(20251125)
seen = []
for kill in range(1, kills + 1):
    child = build(f"fake-{kill}")
    time.sleep(moments.uniform(0, whole))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    opened = store.open_index(out)  # raises if a kill has lost anything
    hits = opened.search("惠州门诊报多少", 5)
    seen.append([opened.encoder_name, [hit.chunk.id for hit in hits]])
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus and its index, not to be changed."""
    place = tmp_path_factory.mktemp("whole")
    store.build(write_corpus(place / "文章"), place / "索引", FakeEncoder())
    return place


def test_twenty_kills_lose_nothing(whole: Path, tmp_path: Path) -> None:
    corpus, out = write_corpus(tmp_path / "文章"), tmp_path / "索引"
    command = [sys.executable, "-c", KILLER, str(corpus), str(out), str(KILLS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen) == KILLS
    assert len({tuple(hits) for _, hits in seen}) == 1
    in_use = [int(name.removeprefix("fake-")) for name, _ in seen]
    assert in_use == sorted(in_use)  # the one before, or the new one as a whole
    assert store.build(corpus, out, FakeEncoder())[1]
    assert not list(out.glob(".building-*"))
    assert len(list(out.glob("v-*"))) <= 2
    assert answers(out) == answers(whole / "索引")


@pytest.mark.parametrize("seed", range(FLIPS))
def test_a_flipped_byte_anywhere_is_named(whole: Path, tmp_path: Path, seed: int) -> None:
    out = tmp_path / "索引"
    shutil.copytree(whole / "索引", out)
    draw = random.Random(seed)
    name = draw.choice([*FILES, "manifest.json", "CURRENT"])
    path = out / name if name == "CURRENT" else manifest.version_of(out) / name
    data = bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= draw.randrange(1, 256)
    path.write_bytes(data)
    for check in (store.verify, store.open_index):
        with pytest.raises((IndexDamaged, IndexMissing), match="python -m index build") as caught:
            check(out)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(FLIPS))
def test_a_flipped_byte_of_the_cache_is_never_believed(
    whole: Path, tmp_path: Path, seed: int
) -> None:
    out = tmp_path / "索引"
    shutil.copytree(whole / "索引", out)
    draw = random.Random(seed)
    path = out / store.CACHE_FILE
    data = bytearray(path.read_bytes())
    place = draw.choice([draw.randrange(100), draw.randrange(len(data))])  # its head as often
    data[place] ^= draw.randrange(1, 256)
    path.write_bytes(data)
    shutil.rmtree(manifest.version_of(out))
    assert store.build(whole / "文章", out, FakeEncoder())[1]
    assert answers(out) == answers(whole / "索引")


def test_readers_go_on_while_versions_change(tmp_path: Path) -> None:
    corpus, out = write_corpus(tmp_path / "文章"), tmp_path / "索引"
    store.build(corpus, out, FakeEncoder())
    held, expected = store.open_index(out), answers(out)
    before = held.search("惠州门诊报多少", 5)
    faults: list[BaseException] = []
    asked = 0
    stop = threading.Event()

    def read() -> None:
        nonlocal asked
        while not stop.is_set():
            try:
                assert held.search("惠州门诊报多少", 5) == before
                assert store.open_index(out).search("惠州门诊报多少", 5) == before
                asked += 1
            except BaseException as error:  # noqa: BLE001 - told to the test's own thread
                faults.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(2, 8):
        store.build(corpus, out, FakeEncoder(f"fake-{number}"))
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert asked > 0
    store.build(corpus, out, FakeEncoder())
    assert answers(out) == expected


def test_a_version_that_goes_while_it_is_read_gives_way_to_the_new_one(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two builds during one opening take away the version that is being opened."""
    out = tmp_path / "索引"
    store.build(whole / "文章", out, FakeEncoder("fake-2"))
    load, swaps = store.passages.load, iter(("fake-3", "fake-4"))

    def slow(path: Path) -> object:
        for name in swaps:
            store.build(whole / "文章", out, FakeEncoder(name))
        return load(path)

    monkeypatch.setattr(store.passages, "load", slow)
    assert store.open_index(out).encoder_name == "fake-4"
