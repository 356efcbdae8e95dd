"""The files in ``deploy/``: read by the programs that they are for."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from chatbot.settings import settings_rows
from index import opening
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
SYSTEMD = shutil.which("systemd-analyze")
OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(not (NGINX and OPENSSL), reason="needs nginx and openssl")
@pytest.mark.parametrize("name", ["nginx.conf", "nginx-fleet.conf"])
def test_nginx_takes_the_reverse_proxy(name: str, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    asked = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=example.org"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([OPENSSL, *asked, *files], check=True, capture_output=True)
    site = (DEPLOY / name).read_text(encoding="utf-8")
    site = re.sub(r"server app\d:", "server 127.0.0.1:", site)  # names that Compose gives
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


def test_compose_starts_what_nginx_asks_and_sets_what_there_is() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    asked = re.findall(r"server (app\d):7860", (DEPLOY / "nginx-fleet.conf").read_text("utf-8"))
    apps = [name for name in services if name.startswith("app")]
    assert apps == asked == services["nginx"]["depends_on"]
    known = {name for name, _, _ in settings_rows()} | {opening.URI, opening.TOKEN}
    assert set(services["app1"]["environment"]) <= known
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert not source.startswith("./nginx") or (DEPLOY / source).exists()
    recipe = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, value in services["app1"]["build"]["args"].items():
        assert f"ARG {name}=" in recipe
        assert set(value.strip("[]").split(",")) <= set(project["optional-dependencies"])


def test_the_values_of_the_chart_are_yaml() -> None:
    values = yaml.safe_load((DEPLOY / "values.yaml").read_text(encoding="utf-8"))
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert compose["services"]["milvus"]["image"].endswith(values["image"]["all"]["tag"])
    assert yaml.safe_load(values["extraConfigFiles"]["user.yaml"])["common"]["security"]
