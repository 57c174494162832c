"""Ops and types are registered per process: each test here leaves the registries as it found them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import scannerpy.ops  # noqa: F401  # the batteries register once per process: before any test looks
from scannerpy import types
from scannerpy._ops import registry

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
    yield
    for live, saved in zip(LIVE, before, strict=True):
        live.clear()
        live.update(saved)
