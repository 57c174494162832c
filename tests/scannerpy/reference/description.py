"""A graph as plain data, for the reference interpreter and for `drive`, which builds the same graph through the
public API.

Nothing here comes from the engine: the words are those of the documented API (a sampler's name, its arguments). What
differs per stream stands in tuples, one entry per job. A `PerGroup` entry holds one value per slice group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class PerGroup(tuple[Any, ...]):
    """One value per slice group."""

    __slots__ = ()


@dataclass(frozen=True)
class Column:
    """Output number `out` of node number `node`."""

    node: int
    out: int = 0


@dataclass(frozen=True)
class Source:
    """`tables[job]` is the name of the stored stream that job reads."""

    tables: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """`args[job]`: the sampler's normalized keyword arguments, or a PerGroup of them. `form`: how the caller spells
    them.
    """

    input: Column
    kind: str
    args: tuple[Mapping[str, Any] | PerGroup, ...]
    form: str = "dict"


@dataclass(frozen=True)
class Slice:
    """`partitions[job]`: a partitioner method and its keyword arguments."""

    input: Column
    partitions: tuple[tuple[str, Mapping[str, Any]], ...]


@dataclass(frozen=True)
class Unslice:
    """Joins the groups again."""

    input: Column


@dataclass(frozen=True)
class Op:
    """A call of one of the ops in `kernels`; None for `window`, `batch`, `warmup`: the op’s default."""

    name: str
    inputs: tuple[Column, ...]
    init: Mapping[str, Any] = field(default_factory=dict)
    window: tuple[int, ...] | None = None
    batch: int | None = None
    warmup: int | None = None
    stream: tuple[Mapping[str, Any] | PerGroup, ...] = ()


Node = Source | Sample | Slice | Unslice | Op


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each follows its inputs; `sinks` are stored."""

    nodes: tuple[Node, ...]
    sinks: tuple[Column, ...]
    jobs: int
