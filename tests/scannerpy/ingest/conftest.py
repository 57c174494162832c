"""Many small files that differ, and a client that works in processes of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import scannerpy as sp
from tests.clips import write_clip


@pytest.fixture
def copies(tmp_path: Path) -> Callable[[int], list[tuple[str, str]]]:
    """Return a function that writes so many different files and gives their (name, path)."""
    data = write_clip(tmp_path / "one.mp4", 8).read_bytes()

    def make(count: int) -> list[tuple[str, str]]:
        made = []
        for number in range(count):
            path = tmp_path / f"copy {number}.mp4"
            path.write_bytes(data + (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big"))
            made.append((f"clip {number}", str(path)))
        return made

    return make


@pytest.fixture
def workers(config: Any) -> Iterator[Any]:
    """A client that does not stay in this process."""
    with sp.Client(config=config) as client:
        yield client
