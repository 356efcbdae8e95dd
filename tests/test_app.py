"""The command that serves the page: what it refuses, and that it starts and stops cleanly."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

import app

ROOT = Path(__file__).parent.parent
START_SECONDS = 60  # generous: the target of 8 s is measured by the benchmark, not here


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_without_an_index_it_says_what_to_do(tmp_path: Path) -> None:
    command = ["--index", str(tmp_path / "none"), "--port", str(free_port())]
    result = CliRunner().invoke(app.command, command)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "python -m index build" in result.stderr


def test_a_port_in_use_is_told_before_anything_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = CliRunner().invoke(app.command, ["--port", str(port)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"端口 {port} 已被占用")


def test_what_is_sent_on_a_connection_kept_open_goes_at_once() -> None:
    with app._listen("127.0.0.1", free_port()) as listening:
        client = socket.create_connection(listening.getsockname())
        accepted, _ = listening.accept()
        with client, accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_address_that_is_not_ours_is_refused() -> None:
    result = CliRunner().invoke(app.command, ["--host", "192.0.2.1"])
    assert result.exit_code == 1
    assert result.stderr.startswith("不能在 192.0.2.1")


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import app, sys; print([m for m in ('gradio', 'torch', 'uvicorn') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_it_serves_until_interrupted(shipped_index: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "app.py", "--index", str(shipped_index), "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert wait_for(f"http://127.0.0.1:{port}/healthz", process) == 200
            process.send_signal(signal.SIGINT)
            said, complaints = process.communicate(timeout=30)
        finally:
            process.kill()
    assert said.startswith(f"医保问答已启动：http://127.0.0.1:{port}/")
    assert "Traceback" not in complaints
    assert process.returncode == 0


def wait_for(address: str, process: "subprocess.Popen[str]") -> int:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=START_SECONDS) as response:
                return int(response.status)
        except OSError:
            time.sleep(0.1)
    process.kill()
    return pytest.fail("".join(process.communicate()) or "the server did not start in time")
