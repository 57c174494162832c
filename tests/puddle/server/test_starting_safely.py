"""What a server checks and hides before it takes the first call."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from puddle.server import assembly, listening
from puddle.server.settings import SettingsRefused, load
from tests.puddle.server.test_starting import certificate, config, puddle, started

__all__ = ["started"]


@pytest.mark.parametrize("swapped", [True, False])
def test_a_certificate_that_cannot_be_used_is_told_before_anything_is_made(tmp_path: Path, *, swapped: bool) -> None:
    """The first key is shown once; it would be shown by a server that then does not come up."""
    cert, key = certificate(tmp_path)
    pair = (key, cert) if swapped else (tmp_path / "nowhere", key)
    told = puddle(tmp_path, "server", "--config", str(config(tmp_path, *pair)), "--port", "0", code=1)
    assert "server.cert_file, server.key_file: " in told
    assert "Traceback" not in told
    assert not (tmp_path / "share").exists()


def test_listening_without_tls_where_others_can_reach_it_is_warned_of(tmp_path: Path) -> None:
    settings = load(server={"host": "0.0.0.0", "port": 0, "allow_plain": True})  # noqa: S104 -- what is warned of
    with capture_logs() as logs, listening.listen(settings):
        assert [entry["log_level"] for entry in logs] == ["warning"]
    with capture_logs() as logs, listening.listen(load(server={"port": 0})):
        assert not logs


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_folder_that_others_can_write_into_is_refused(tmp_path: Path, mode: int) -> None:
    """They could have put a database of theirs there, or links."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(mode)
    with pytest.raises(SettingsRefused, match="anybody can write into"):
        assembly.backend_of(load(data=tmp_path / "data"))
    assert not list((tmp_path / "data").iterdir())


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner == 0:  # the superuser's is nobody's to refuse
        os.chown(tmp_path, 4242, -1)
    with pytest.raises(SettingsRefused, match="belongs to another user"):
        assembly.backend_of(load(data=tmp_path))


HIDES = """
import ctypes, resource
from puddle.server.auth.memory import hide_memory
hide_memory()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_no_program_of_the_server_s_user_reads_its_memory(started: Any) -> None:
    """Keys may be in its environment; a crash leaves no core either."""
    said = subprocess.run([sys.executable, "-c", HIDES], capture_output=True, check=True, text=True)
    assert said.stdout.split() == ["0", "0", "0"]
    server = started()
    server.address()
    limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0\s", limits)
    assert server.stop() == 0
