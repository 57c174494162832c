"""Ops are registered per process: each test here leaves the registry as it found it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import scannerpy.ops  # noqa: F401  # the batteries register once per process: before any test looks
from scannerpy import types
from scannerpy._graph.node import Output, SourceNode
from scannerpy._ops import registry
from scannerpy.op import MODULE_REGISTRY, Op, OpColumn, OpGenerator

LIVE: tuple[Any, ...] = (
    registry.python_ops,
    registry._origins,
    registry._registrations,
    types._by_type,
    types._by_name,
)


@pytest.fixture(autouse=True)
def _registry_as_it_was() -> Iterator[None]:
    before = [dict(live) for live in LIVE]
    modules = list(MODULE_REGISTRY)
    yield
    for live, saved in zip(LIVE, before, strict=True):
        live.clear()
        live.update(saved)
    MODULE_REGISTRY[:] = modules


class Nobody:
    """Stands in for a client: ops only pass it on."""


@pytest.fixture
def sc() -> Any:
    return Nobody()


@pytest.fixture
def ops(sc: Any) -> OpGenerator:
    return OpGenerator(sc)


def source(sc: Any, name: str = "frame", is_video: bool = True) -> OpColumn:
    node = SourceNode(name="Column", column=name, is_video=is_video)
    return OpColumn(sc, Op.of_node(sc, node), Output(node, name, is_video))


@pytest.fixture
def frame(sc: Any) -> OpColumn:
    return source(sc)


@pytest.fixture
def blob(sc: Any) -> OpColumn:
    return source(sc, "column", is_video=False)
