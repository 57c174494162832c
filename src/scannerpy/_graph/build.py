"""From the nodes a program holds to a `Graph`: numbered, in topological order, with per-job arguments split off.

Comes in: the sinks given to `Client.run`. Goes out: a `Graph` (the same for every job, small, sent to each worker
once) and one `JobArgs` per stream (sent with the tasks of that job only). This keeps a run over 20,000 streams linear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scannerpy._graph.node import Compression, Node, SinkNode, Where
from scannerpy._ops.signature import OpSignature
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
    def label(self) -> str:
        """How messages call it: ``Histogram (program.py:12)``."""
        return f"{self.name} ({self.where})" if self.where else self.name


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


JobArgs = Mapping[int, Any]
"""Vertex number → that vertex's argument for this job: a Mapping, a PerGroup, or a Partition."""


def build(sinks: Sequence[SinkNode]) -> tuple[Graph, list[JobArgs]]:
    """Number the part of the graph that `sinks` need, split off per-job arguments, and check what needs no data."""
    raise NotImplementedError(Node)
