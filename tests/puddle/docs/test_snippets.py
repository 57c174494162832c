"""The programs in the pages run: Python and curl against a real server, whose cloud and product are the simulated ones.

The first page needs H2O-3 itself; here it is only compiled. In the others the names of the local cloud and of H2O-3
stand for the simulated ones, which do not need minutes.
"""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from puddle.client.cloud import clouds
from puddle.client.product import Product, products
from puddle.client.proto.v2.auth_service_pb2 import LoginUser
from puddle.server.products.h2o3_options import KEYS, read_options
from puddle.server.settings import load
from tests.puddle.docs.pages import PAGES, blocks, program, shell, text_of
from tests.puddle.server.running import PATIENCE_S, SIMULATED, RunningServer, until

WITH_PYTHON = [page.stem for page in PAGES if program(page.stem).strip()]
WITH_SHELL = ["api", "security"]
"""In this order, since the second uses the login of the first. Commands of ours are looked at elsewhere."""


@pytest.mark.parametrize("name", WITH_PYTHON)
def test_python_compiles_and_imports_what_is_there(name: str) -> None:
    tree = ast.parse(program(name), f"{name}.md")
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("puddle"):
            module = importlib.import_module(node.module)
            assert [each.name for each in node.names if not hasattr(module, each.name)] == []


def test_the_pages_that_promise_programs_have_them() -> None:
    assert set(WITH_PYTHON) == {"index", "client", "life", "cost", "server", "extending"}
    assert all(shell(name) for name in WITH_SHELL)


def test_settings_in_the_pages_can_be_used(tmp_path: Path) -> None:
    whole, database = (tomllib.loads(block) for block in blocks("server", "toml"))
    assert set(whole) > set(database) == {"database"}
    for number, block in enumerate(blocks("server", "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(block)
        file.chmod(0o600)
        assert load(file).database != load().database


def test_the_configuration_of_h2o3_has_every_key_and_can_be_taken() -> None:
    (block,) = blocks("client", "toml")
    assert set(tomllib.loads(block)) == set(KEYS)
    assert read_options(block).memory_fraction == 0.6


# with a server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server with its image built; what it says to put into another terminal."""
    running = RunningServer(tmp_path_factory.mktemp("server"), **SIMULATED)
    try:
        running.address()
        exports = dict(running.exports())
        until(lambda: _has_an_image(running))
        yield exports
    finally:
        running.stop()


def _has_an_image(running: RunningServer) -> bool:
    from puddle.client import ImagesClient

    return bool(ImagesClient(clouds.CLOUD_SIMULATED, authorizer=running.authorizer()).list_available())


@pytest.fixture
def at_hand(server: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A terminal with the three lines in it, where the local cloud and H2O-3 are the simulated ones."""
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clouds, "CLOUD_LOCAL", clouds.CLOUD_SIMULATED)
    monkeypatch.setattr(products, "PRODUCT_H2O3", Product("Simulated", "simulated"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize("name", ["client", "life", "cost", "server"])
def test_python_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(program(name), f"{name}.md", "exec"), space)  # noqa: S102 -- our own pages
    told = capsys.readouterr().out
    assert {"client": "not_stopped", "life": "start ", "cost": ",VM", "server": "for grace pk_"}[name] in told


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the pages use curl and jq")
@pytest.mark.usefixtures("at_hand")
def test_the_session_with_curl_runs(tmp_path: Path) -> None:
    script = "\n".join(shell(name) for name in WITH_SHELL)
    placed = script.replace("CLOUD=local PRODUCT=h2o3", "CLOUD=simulated PRODUCT=simulated")
    assert placed != script
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", placed],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for seen in (
        '"status": "SYSTEM_STATUS_STARTED"',
        "SYSTEM_STATUS_TERMINATING",
        '"reason": "not_stopped"',
        "event: system",
    ):
        assert seen in done.stdout
    assert "admin system.terminate" in done.stdout
    assert LoginUser.FromString((tmp_path / "me.bin").read_bytes()).name == "admin"
    assert (tmp_path / "login.txt").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_the_metrics_and_pages_that_are_named_are_there(server: dict[str, str]) -> None:
    told = set(re.findall(r"`(puddle_[a-z_]+)", text_of("server").partition("## Health, metrics, logs")[2]))
    address = server["PUDDLE_server_address"]
    seen = httpx.get(f"{address}/metrics", timeout=PATIENCE_S).text
    assert len(told) == 6
    assert [
        name for name in told if f"# TYPE {name.removesuffix('_total')} " not in seen and f"# TYPE {name} " not in seen
    ] == []
    pages = [f"{address}{page}" for page in ("/healthz", "/openapi.json")]
    assert [httpx.get(page, timeout=PATIENCE_S).status_code for page in pages] == [200, 200]


# without one


@pytest.mark.slow
def test_the_product_and_the_cloud_of_the_page_pass_the_suites(tmp_path: Path) -> None:
    script = tmp_path / "test_greeter.py"
    script.write_text(program("extending"), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "STOPPED IDLE nobody used it for 60 minutes" in done.stdout
    assert "failed" not in done.stdout.splitlines()[-1]
