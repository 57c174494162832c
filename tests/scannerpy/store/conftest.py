"""Stores to test against: a folder, memory, and one that loses its power after a given number of puts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scannerpy._store.objects import Objects, memory, open_local


@pytest.fixture(params=["local", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    return open_local(tmp_path / "db") if request.param == "local" else memory()


@pytest.fixture
def folder(tmp_path: Path) -> Objects:
    return open_local(tmp_path / "db")


class PowerCut(Exception):
    pass


class Dying:
    """Passes everything on to `objects`, but the put after `puts` of them never happens: the machine is gone."""

    def __init__(self, objects: Objects, puts: int) -> None:
        self._objects = objects
        self.puts = puts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def put(self, *args: Any, **kwargs: Any) -> bool:
        if self.puts <= 0:
            raise PowerCut
        self.puts -= 1
        return self._objects.put(*args, **kwargs)
