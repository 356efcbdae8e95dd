"""What several test files share: the real encoder, the shipped index, a guard on the network."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from chatbot.answer import Chatbot
from corpus import folder
from corpus.records import Article, Authority
from index import store
from index.encoder import Encoder, load_encoder
from tests.postgres_process import PostgresProcess, postgres

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
SEEDS = SHARED / "seeds"
EMBEDDINGS = store.DEFAULT / store.CACHE_FILE  # kept between runs, shared with `make chat`

# The suite draws the same examples every time; fresh ones: pytest --hypothesis-profile default
settings.register_profile("suite", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("suite")

needs_seeds = pytest.mark.skipif(
    not SEEDS.is_dir(), reason="needs the two saved pages in ../shared/seeds"
)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Nothing in the tests may reach another host."""
    real = socket.socket.connect

    def connect(self, address):
        host = address[0] if isinstance(address, tuple) else ""
        if host not in ("", "127.0.0.1", "localhost", "::1"):
            message = f"a test reached for the network: {address}"
            raise AssertionError(message)
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="session")
def shipped_index(encoder, tmp_path_factory) -> Path:
    """The index of the shipped articles; only a first run has to encode them (minutes)."""
    out = tmp_path_factory.mktemp("index")
    store.build(folder.SHIPPED, out, encoder, cache=EMBEDDINGS)
    return out


@pytest.fixture(scope="session")
def bot(shipped_index, encoder) -> Chatbot:
    found = Chatbot.open(shipped_index)
    store.attach(found.index, encoder)
    return found


@pytest.fixture(scope="session")
def seeds_corpus(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("seeds")
    folder.import_files(sorted(SEEDS.glob("*.txt")), target)
    return target


@pytest.fixture(scope="session")
def seeds_bot(seeds_corpus, encoder, tmp_path_factory) -> Chatbot:
    out = tmp_path_factory.mktemp("seeds-index")
    store.build(seeds_corpus, out, encoder, cache=EMBEDDINGS)
    found = Chatbot.open(out)
    store.attach(found.index, encoder)
    return found


@pytest.fixture
def article() -> Article:
    return Article(
        id="huizhou",
        title="惠州门诊定点医院怎么改",
        body="## 时间\n惠州每年9月至12月可以改门诊定点。\n新的定点从次年1月1日起生效。\n\n## 办法\n"
        "- 打开“粤医保”小程序。\n- 点“门诊选点登记”。\n",
        place=("广东省", "惠州市"),
        published="2025-04-19",
        source_name="健康新闻",
        authority=Authority.SITE,
    )


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresProcess]:
    """A PostgreSQL server of the module's own."""
    with postgres() as started:
        yield started
