"""What these tests share: a store, pictures that carry their number, and a reference decode that trusts nobody."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from scannerpy._store.objects import Objects, open_local
from scannerpy.testing import videos

Array = np.ndarray[Any, Any]


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return open_local(tmp_path / "db", durable=False)


@pytest.fixture(scope="session")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a video of `scannerpy.testing.videos` once per session."""
    folder = tmp_path_factory.mktemp("videos")
    recipes = videos.CATALOGUE | videos.DAMAGED | videos.NOT_VIDEOS

    @functools.cache
    def made(name: str) -> Path:
        own = folder / name
        own.mkdir()
        return videos.make(recipes[name], own)

    return made


def pictures(count: int, width: int = 64, height: int = 48, first: int = 0) -> list[Array]:
    return [videos.draw(first + k, width, height) for k in range(count)]


def decoded(path: Path) -> Iterator[Array]:
    """Every frame of a file, from start to end, by PyAV alone."""
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.best("video")):
            yield np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))


def same(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def error_of(a: Array, b: Array) -> float:
    """The mean difference of two pictures, in levels of 255."""
    return float(np.abs(a.astype(int) - b.astype(int)).mean())
