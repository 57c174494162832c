"""A local cloud for the tests of one; whatever they leave running is ended."""

from __future__ import annotations

import signal

import pytest

from puddle.server.clouds.local import LocalCloud
from puddle.server.clouds.local.processes import kill_marked
from puddle.server.clouds.local.spec import Status
from tests.puddle.clouds.machines import Local


@pytest.fixture
def local(tmp_path):
    """A local cloud in a folder of its own, with little patience."""
    it = Local(LocalCloud(tmp_path / "cloud", grace=0.5))
    yield it
    for path in [*(it.root / "machines").iterdir(), *(it.root / "snapshots").iterdir()]:
        Status.read(path).who.send(signal.SIGKILL)
        kill_marked(path)
