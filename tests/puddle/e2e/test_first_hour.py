"""What the first page of the documentation shows is what happens: a server, a real H2O-3, a model, a whole life."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from puddle.server.clouds.local.processes import kill_marked
from puddle.server.clouds.local.spec import Status

PAGE = Path(__file__).parents[3] / "docs" / "puddle" / "index.md"
EXPORT = re.compile(r"^export (PUDDLE_\w+)=(\S+)$", re.MULTILINE)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("java") is None, reason="H2O-3 needs Java, and there is none here"),
    pytest.mark.skipif(importlib.util.find_spec("h2o") is None, reason="the package h2o is not installed"),
]


@pytest.fixture
def exported(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A server with nothing configured but its folder and a free port; yields what it says to export."""
    said = tmp_path / "said"
    command = [sys.executable, "-m", "puddle.cli", "server", "--data", str(tmp_path / "data"), "--port", "0"]
    environment = {key: value for key, value in os.environ.items() if not key.upper().startswith("PUDDLE")}
    environment["PUDDLE_CLOUDS__LOCAL__FIRST_PORT"] = "24500"  # apart from those of tests that run beside it
    with said.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
    try:
        yield _exports(server, said)
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(180)
        _end_machines(tmp_path)
    assert code == 0, said.read_text()


def _exports(server: subprocess.Popen[bytes], said: Path) -> dict[str, str]:
    for _ in range(1800):
        lines = dict(EXPORT.findall(said.read_text()))
        if len(lines) == 3 and "listens on" in said.read_text():
            return lines
        assert server.poll() is None, said.read_text()
        time.sleep(0.1)
    raise AssertionError(said.read_text())


def _end_machines(folder: Path) -> None:
    """End what a failed test has left: machines outlive their server on purpose."""
    for machine in (folder / "data" / "local" / "machines").glob("*"):
        Status.read(machine).who.send(signal.SIGKILL)
        kill_marked(machine)


def test_the_first_page_runs(exported: dict[str, str], tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **exported},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Started http://127.0.0.1:")
    assert any("AutoML" in line for line in lines), done.stdout
    (so_far,) = [line for line in lines if line.startswith("so far:")]
    assert float(so_far.split()[-1]) > 0
    assert sum(line.startswith("Started http") for line in lines) == 2
    assert not list((tmp_path / "data" / "local" / "machines").iterdir()), "both are terminated"
