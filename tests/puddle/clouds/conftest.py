"""A local cloud for the tests of one; whatever they leave running is ended."""

from __future__ import annotations

import signal

import pytest

from puddle.server.clouds.local import LocalCloud
from puddle.server.clouds.local.papers import State
from puddle.server.clouds.local.processes import end_marked
from tests.puddle.clouds.machines import Local


@pytest.fixture
def local(tmp_path):
    """A local cloud in a folder of its own, with little patience."""
    it = Local(LocalCloud(tmp_path / "cloud", grace=0.5))
    yield it
    for path in [*(it.root / "machines").iterdir(), *(it.root / "snapshots").iterdir()]:
        State.read(path).who.send(signal.SIGKILL)
        end_marked(path)
