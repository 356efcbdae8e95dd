"""The files in ``deploy/``: read by the programs that they are for."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
SYSTEMD = shutil.which("systemd-analyze")
OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(not (NGINX and OPENSSL), reason="needs nginx and openssl")
def test_nginx_takes_the_reverse_proxy(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    asked = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=example.org"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([OPENSSL, *asked, *files], check=True, capture_output=True)
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    site = site.replace("/etc/ssl/yibao.key", str(key)).replace(
        "/etc/ssl/yibao.pem", str(certificate)
    )
    (tmp_path / "site.conf").write_text(site, encoding="utf-8")
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log;"
        f" events {{}} http {{ include {tmp_path}/site.conf; }}",
        encoding="utf-8",
    )
    done = subprocess.run([NGINX, "-t", "-c", str(whole)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not SYSTEMD, reason="needs systemd-analyze")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = (DEPLOY / "yibao.service").read_text(encoding="utf-8")
    unit = unit.replace("/opt/yibao/.venv/bin/python", sys.executable)
    (tmp_path / "yibao.service").write_text(unit, encoding="utf-8")
    done = subprocess.run(
        [SYSTEMD, "verify", str(tmp_path / "yibao.service")], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_container_copies_what_there_is() -> None:
    recipe = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (.+)$", recipe, re.MULTILINE):
        *sources, _ = line.split()
        assert [one for one in sources if not (ROOT / one).exists()] == []
