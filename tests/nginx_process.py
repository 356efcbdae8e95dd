"""nginx before app servers: ``deploy/nginx-fleet.conf`` with other names and ports."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.milvus_process import free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
needs_nginx = pytest.mark.skipif(not NGINX, reason="needs nginx")


def fleet_site(port: int, servers: Sequence[int]) -> str:
    """The shipped configuration on this machine: http on ``port``, app servers on ``servers``."""
    site = (ROOT / "deploy" / "nginx-fleet.conf").read_text(encoding="utf-8")
    for number, server in enumerate(servers, 1):
        site = site.replace(f"server app{number}:7860 ", f"server 127.0.0.1:{server} ")
    site = re.sub(r"\n    server app\d:7860 [^\n]*", "", site)
    site = site.replace("; Secure", "")
    site = re.sub(r"\n    ssl_certificate[^\n]*", "", site)
    return re.sub(r"listen 443[^\n]*", f"listen 127.0.0.1:{port};", site)


@contextmanager
def nginx(folder: Path, servers: Sequence[int]) -> Iterator[int]:
    """nginx while the block runs; its port."""
    assert NGINX
    port = free_port()
    (folder / "site.conf").write_text(fleet_site(port, servers), encoding="utf-8")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/nginx-error.log;"
        f" events {{ worker_connections 2048; }}"
        f" http {{ {temporary} include {folder}/site.conf; }}",
        encoding="utf-8",
    )
    command = [NGINX, "-e", str(folder / "nginx-error.log"), "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(command) as process:
        try:
            for _ in range(100):
                if (folder / "pid").exists():
                    break
                assert process.poll() is None, (folder / "nginx-error.log").read_text()
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
