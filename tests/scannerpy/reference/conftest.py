"""The worlds in which the random graphs run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scannerpy.reference.world import World


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: the store writes durably, and these thousands of runs need no disk."""
    memory = Path("/dev/shm")  # noqa: S108 -- a fresh private folder is made inside it
    path = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def inline(folder: Path) -> Iterator[World]:
    """Everything in this process."""
    world = World(folder / "inline", debug=True)
    with world.cl:
        yield world


@pytest.fixture(scope="module")
def inline_video(folder: Path) -> Iterator[World]:
    """Everything in this process, with clips among the inputs and only frames at the sources."""
    (folder / "video").mkdir()
    world = World(folder / "video", debug=True, video=True)
    world.kinds = {name: kind for name, kind in world.kinds.items() if name.startswith("video")}
    with world.cl:
        yield world


@pytest.fixture(scope="module")
def processes(folder: Path) -> Iterator[World]:
    """Worker processes."""
    (folder / "processes").mkdir()
    world = World(folder / "processes", debug=None, video=True)
    with world.cl:
        yield world
