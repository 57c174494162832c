"""A `Graph`: what a program asks for, numbered, the same for every job.

`build` makes it from nodes; everything after it (plan, engine) reads only this. It holds no per-job argument, so it
is small and sent to each worker once; the `JobArgs` of a stream travel with the tasks of that stream only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scannerpy._graph.node import Compression, Partition, PerGroup, Where
from scannerpy._ops.signature import WHOLE_STREAM_BATCH, OpSignature
from scannerpy.common import DeviceType


@dataclass(frozen=True, slots=True)
class Edge:
    """An input of a vertex: column `column` of vertex number `vertex`."""

    vertex: int
    column: str
    is_video: bool
    type_name: str
    compression: Compression


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node, numbered. `kind` is one of source, sample, slice, unslice, op, sink.

    `level` is 0 outside and 1 inside slices (a slice's own output is level 1, an unslice's level 0).
    """

    number: int
    kind: str
    name: str
    inputs: tuple[Edge, ...]
    level: int
    where: Where | None
    args: Mapping[str, Any]  # arguments that are the same for all jobs
    has_job_args: bool
    signature: OpSignature | None = None  # ops only, as are the five below
    stencil: tuple[int, ...] = (0,)
    batch: int = 1
    warmup: int | None = None
    unbounded: bool = False
    device: DeviceType = DeviceType.CPU

    @property
    def short_label(self) -> str:
        """How tables call it: the file without its folders."""
        return f"{self.name} ({self.where.short})" if self.where else self.name

    @property
    def label(self) -> str:
        """How messages call it: ``Histogram (program.py:12)``."""
        return f"{self.name} ({self.where})" if self.where else self.name

    @property
    def stateful(self) -> bool:
        """Whether the op declares that it keeps state from row to row."""
        return self.unbounded or self.warmup is not None

    @property
    def whole(self) -> bool:
        """Whether the op asks for all rows of its stream or slice group at once."""
        return self.batch >= WHOLE_STREAM_BATCH


@dataclass(frozen=True, slots=True)
class Graph:
    """All vertices in topological order; ``vertices[i].number == i``."""

    vertices: tuple[Vertex, ...]

    @property
    def sources(self) -> tuple[Vertex, ...]:
        """The vertices that read."""
        return tuple(v for v in self.vertices if v.kind == "source")

    @property
    def sinks(self) -> tuple[Vertex, ...]:
        """The vertices that store."""
        return tuple(v for v in self.vertices if v.kind == "sink")


JobArgs = Mapping[int, Mapping[str, Any] | PerGroup | Partition]
"""Vertex number → that vertex's argument for this job: a Mapping, a PerGroup, or a Partition."""
