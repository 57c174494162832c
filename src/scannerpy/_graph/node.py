"""The nodes of a graph, as a program builds them: each holds its inputs, so a sink holds the whole graph above it.

Nodes are identities (two equal calls are two nodes) and never change. What differs per stream (job) is in
``per_job`` tuples, one entry per stream; everything else is the same for all jobs. `build` numbers the nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scannerpy._ops.signature import OpSignature
from scannerpy.common import DeviceType


@dataclass(frozen=True, slots=True)
class Where:
    """The line of the user's own program that made a node."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def short(self) -> str:
        """The file's name without its folders, for tables."""
        return f"{self.file.rpartition('/')[2]}:{self.line}"


@dataclass(frozen=True, slots=True)
class Compression:
    """How a video column is stored: ``default``, ``video`` (H.264 with the options given) or ``raw``."""

    codec: str = "default"
    options: tuple[tuple[str, int], ...] = ()  # quality, bitrate, keyframe_distance where not −1


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """One column of one node: what an edge carries. Two may name the same column with different `compression`."""

    node: Node
    column: str
    is_video: bool
    type_name: str = ""
    compression: Compression = Compression()


class PerGroup(tuple[Any, ...]):
    """One argument per slice group (the frozen form of a user's SliceList)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Node:
    """What all nodes have: a name for messages, inputs, and where the user wrote it."""

    name: str
    inputs: tuple[Output, ...] = ()
    where: Where | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SourceNode(Node):
    """Reads stored rows. ``per_job[i]`` is the argument mapping for stream i, ``args`` those common to all.

    `name` is the source's registered name (``Column``, ``FrameColumn``, ``Files``, …). `streams` are the handles the
    program gave to `io.Input`; only the client looks at them, no vertex carries them.
    """

    column: str
    is_video: bool
    type_name: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    per_job: tuple[Mapping[str, Any], ...] = ()
    streams: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SampleNode(Node):
    """Chooses rows. `name` is the sampler's (``Stride``, ``Gather``, …); ``per_job[i]`` is a Mapping of its
    normalized keyword arguments, or a PerGroup of such Mappings. `args` is used for all jobs where `per_job` is empty.
    """

    args: Mapping[str, Any] = field(default_factory=dict)
    per_job: tuple[Mapping[str, Any] | PerGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Partition:
    """How a stream is cut into groups: `kind` is a `cl.partitioner` method's name, `args` its keyword arguments."""

    kind: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SliceNode(Node):
    """Cuts a stream into independent groups, each numbered from row 0."""

    per_job: tuple[Partition, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UnsliceNode(Node):
    """Joins the groups again, in order."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OpNode(Node):
    """Calls a kernel. ``per_job`` is empty for an op without per-stream arguments, else one Mapping of keyword
    arguments for `new_stream` per job, each a Mapping or a PerGroup of Mappings.
    """

    signature: OpSignature
    stencil: tuple[int, ...] = (0,)
    batch: int = 1
    warmup: int | None = None
    unbounded: bool = False
    device: DeviceType = DeviceType.CPU
    args: Mapping[str, Any] = field(default_factory=dict)
    per_job: tuple[Mapping[str, Any] | PerGroup, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SinkNode(Node):
    """Stores one column (``inputs[0]``; a custom sink may take several). ``per_job[i]``: the arguments of output i."""

    args: Mapping[str, Any] = field(default_factory=dict)
    per_job: tuple[Mapping[str, Any], ...] = ()
