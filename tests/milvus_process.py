"""Milvus as a process of its own on a port: milvus-lite's binary, started and ended by its id."""

import importlib.util
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

needs_milvus = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("pymilvus", "milvus_lite")),
    reason="needs the optional group milvus: pip install '.[milvus]'",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MilvusProcess:
    """A server over one file; it may be killed and started again."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def uri(self) -> str:
        return f"milvus://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        spec = importlib.util.find_spec("milvus_lite")
        assert spec is not None
        assert spec.origin is not None
        libraries = Path(spec.origin).parent / "lib"
        command = [libraries / "milvus", self.place / "engine.db", f"127.0.0.1:{self.port}"]
        self._process = subprocess.Popen(
            [*map(str, command), "ERROR"],
            cwd=self.place,
            env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        message = "milvus-lite does not listen"
        raise AssertionError(message)

    def kill(self) -> None:
        """kill -9: it ignores anything milder."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
