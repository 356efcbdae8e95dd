"""Milvus as a process of its own on a port: the engine inside milvus-lite, ended by its id."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from time import sleep

from corpus.errors import InputError
from eval.bench_serve import free_port
from index import opening
from index.remote import Remote
from index.versions import PREFIX

__all__ = ["MilvusProcess", "engine_process", "is_installed"]

PATIENCE = 60.0  # seconds until a start counts as failed; a large file takes some
POLL = 0.05  # seconds between two looks


def is_installed() -> bool:
    """Whether the optional group ``milvus`` is there."""
    return all(map(find_spec, ("pymilvus", "milvus_lite")))


class MilvusProcess:
    """A server over one file in ``place``; it may be killed and started again.

    Raises:
        InputError: it is not installed or does not start.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def uri(self) -> str:
        """Its address."""
        return f"milvus://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The id of its process; None while it is dead."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        if not is_installed():
            msg = "没有装 Milvus，请先安装：pip install '.[milvus]'，或用 MILVUS_URI 指定一个"
            raise InputError(msg)
        libraries = Path(str(find_spec("milvus_lite").origin)).parent / "lib"  # type: ignore[union-attr]
        command = [libraries / "milvus", self.place / "engine.db", f"127.0.0.1:{self.port}"]
        self._process = subprocess.Popen(
            [*map(str, command), "ERROR"],
            cwd=self.place,
            env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(int(PATIENCE / POLL)):
            with socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            sleep(POLL)
        self.kill()
        msg = "milvus-lite 没有启动起来，请再试一次"
        raise InputError(msg)

    def kill(self) -> None:
        """End it at once, as kill -9 does: it ignores anything milder."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def engine_process() -> Iterator[tuple[str, int | None]]:
    """Address and id of an empty engine: that of ``MILVUS_URI`` (no id), else one started here.

    What was started here is ended and its file removed, what was written into another one dropped.

    Raises:
        InputError: the engine holds an index, which somebody may be using; or none can be started.
    """
    given = os.environ.get(opening.URI, "").strip()
    if given:
        yield from _given(given)
        return
    with TemporaryDirectory() as place:
        process = MilvusProcess(Path(place))
        try:
            yield process.uri, process.pid
        finally:
            process.kill()


def _given(uri: str) -> Iterator[tuple[str, int | None]]:
    remote = Remote(uri, os.environ.get(opening.TOKEN, ""))

    def held() -> list[str]:
        return [name for name in remote.read("list_collections") if name.startswith(PREFIX)]

    if held():
        msg = f"检索引擎 {uri} 里已有索引，评测不动它。请用一个空的引擎，或不设 {opening.URI}"
        raise InputError(msg)
    try:
        yield uri, None
    finally:
        for name in held():
            remote.write("drop_collection", name)
