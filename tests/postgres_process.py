"""PostgreSQL as a process of its own on a port: made, started and ended by the tests."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.milvus_process import free_port

PASSWORD = "geheim-7f3a"
FOLDERS = [os.environ.get("PATH", ""), *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
POSTGRES = shutil.which("postgres", path=os.pathsep.join(FOLDERS))
needs_postgres = pytest.mark.skipif(
    not (POSTGRES and importlib.util.find_spec("psycopg")),
    reason="needs PostgreSQL and the optional group postgres: pip install '.[postgres]'",
)


class PostgresProcess:
    """A server with the empty database ``yibao``; it may be stopped and started again."""

    def __init__(self, place: Path) -> None:
        assert POSTGRES
        self.place, self.port = place, free_port()
        self.programs = Path(POSTGRES).resolve().parent
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:  # it refuses to run as root
            nobody = pwd.getpwnam("nobody")
            os.chown(place, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        secret = place / "password"
        secret.write_text(PASSWORD)
        asked = ["--auth=scram-sha-256", "--username=yibao", f"--pwfile={secret}", "--no-sync"]
        self._run("initdb", *asked, "--encoding=UTF8", "--locale=C", "-D", place / "data").wait()
        self.start()
        connection = f"postgresql://yibao:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        import psycopg

        with psycopg.connect(connection, autocommit=True) as made:
            made.execute("CREATE DATABASE yibao")

    @property
    def url(self) -> str:
        return f"postgresql://yibao:{PASSWORD}@127.0.0.1:{self.port}/yibao"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = ["-p", str(self.port), "-k", "", "-c", "listen_addresses=127.0.0.1"]
        self._process = self._run("postgres", "-D", self.place / "data", *options)
        import psycopg

        for _ in range(200):
            assert self._process.poll() is None, (self.place / "log").read_text()
            try:
                psycopg.connect(
                    f"postgresql://yibao:{PASSWORD}@127.0.0.1:{self.port}/postgres"
                ).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        message = "PostgreSQL does not listen"
        raise AssertionError(message)

    def stop(self) -> None:
        """End it at once, without a checkpoint: what it does as if the power were gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def _run(self, program: str, *options: object) -> "subprocess.Popen[bytes]":
        with (self.place / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self.programs / program), *map(str, options)],
                cwd=self.place,
                stdout=log,
                stderr=log,
                **self._as,  # type: ignore[call-overload]
            )


@contextmanager
def postgres() -> Iterator[PostgresProcess]:
    """A server while the block runs; nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = PostgresProcess(Path(folder))
        try:
            yield server
        finally:
            server.stop()
