"""A fleet on this machine: Milvus, PostgreSQL, app servers and nginx, all real.

``python -m tests.fleet [NUMBER]`` starts one over the shipped articles and stays until Ctrl-C.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from corpus import folder as corpus_folder
from eval.bench_serve import free_port
from index import ingest
from index.encoder import Encoder, load_encoder
from index.remote import Remote
from tests.conftest import EMBEDDINGS, ROOT
from tests.milvus_process import MilvusProcess
from tests.nginx_process import nginx
from tests.postgres_process import PostgresProcess, postgres

START_SECONDS = 120.0


@dataclass
class App:
    """One app server, which may be killed."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()


@dataclass
class Fleet:
    """What runs, and where nginx listens."""

    milvus: MilvusProcess
    postgres: PostgresProcess
    port: int = 0
    apps: list[App] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def fleet(folder: Path, articles: Path, encoder: Encoder, apps: int) -> Iterator[Fleet]:
    """A fleet while the block runs; everything is ended after it, whatever happens."""
    with ExitStack() as ending:
        database = ending.enter_context(postgres())
        milvus = MilvusProcess(folder)
        ending.callback(milvus.kill)
        ingest.build(articles, Remote(milvus.uri), encoder, EMBEDDINGS, lambda *_: None)
        running = Fleet(milvus, database)
        for number in range(apps):
            running.apps.append(start_app(running, folder / f"app{number}.log"))
            ending.callback(running.apps[-1].kill)
        for app in running.apps:
            wait_until(app, "/healthz")
        running.port = ending.enter_context(nginx(folder, [app.port for app in running.apps]))
        yield running


def start_app(running: Fleet, log: Path, port: int = 0) -> App:
    """``python app.py`` as ``deploy/README.md`` tells it."""
    port = port or free_port()
    environment = {
        **os.environ,
        "MILVUS_URI": running.milvus.uri,
        "YIBAO_FEEDBACK": running.postgres.url,
        "YIBAO_SHARED_RATE": "true",
        "YIBAO_TRUSTED_PROXIES": "127.0.0.1",
        "YIBAO_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "app.py", "--port", str(port)]
    with log.open("ab") as written:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=written
        )
    return App(process, port, log)


def wait_until(app: App, path: str) -> None:
    """Wait until ``path`` of an app server answers 200."""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        assert app.process.poll() is None, app.log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(app.url + path, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    message = f"{path}: {app.log.read_text(encoding='utf-8')}"
    raise AssertionError(message)


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet(Path(folder), corpus_folder.SHIPPED, load_encoder(), number) as running,
    ):
        for app in running.apps:
            wait_until(app, "/readyz")
        print(running.url, *(app.url for app in running.apps), flush=True)  # noqa: T201
        ending = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, ending)
        signal.sigwait(ending)


if __name__ == "__main__":
    main()
