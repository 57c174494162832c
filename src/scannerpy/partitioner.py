"""`cl.partitioner`: how `cl.streams.Slice` cuts a stream into groups.

Each method returns an opaque value, good for any number of streams. Ends beyond the stream are errors here
(a sampler would clamp them): a partition promises its groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scannerpy._graph.node import Partition

__all__ = ["DEFAULT_GROUP_SIZE", "TaskPartitioner"]

DEFAULT_GROUP_SIZE = 250
"""Rows per group where none is given."""


class TaskPartitioner:
    """Makes partitions. Reached as ``cl.partitioner``; the argument is the Client and may be None."""

    def __init__(self, sc: Any = None) -> None:
        self._sc = sc

    def all(self, group_size: int = DEFAULT_GROUP_SIZE) -> Partition:
        """Consecutive groups of `group_size` rows; the last one may be shorter."""
        return Partition("all", {"group_size": group_size})

    def strided(self, stride: int, group_size: int = DEFAULT_GROUP_SIZE) -> Partition:
        """Every `stride`-th row, in groups of `group_size` of those."""
        return Partition("strided", {"stride": stride, "group_size": group_size})

    def range(self, start: int, end: int) -> Partition:
        """One group: rows [start, end)."""
        return Partition("ranges", {"intervals": [(start, end)]})

    def ranges(self, intervals: Sequence[tuple[int, int]]) -> Partition:
        """One group per interval [start, end)."""
        return Partition("ranges", {"intervals": [tuple(interval) for interval in intervals]})

    def strided_range(self, start: int, end: int, stride: int) -> Partition:
        """One group: every `stride`-th row of [start, end)."""
        return Partition("strided_ranges", {"intervals": [(start, end)], "stride": stride})

    def strided_ranges(self, intervals: Sequence[tuple[int, int]], stride: int) -> Partition:
        """One group per interval [start, end), of every `stride`-th row."""
        return Partition("strided_ranges", {"intervals": [tuple(interval) for interval in intervals], "stride": stride})

    def gather(self, groups: Sequence[Sequence[int]]) -> Partition:
        """One group per list of rows."""
        return Partition("gather", {"groups": [list(group) for group in groups]})
