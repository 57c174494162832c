"""`Sampler`: an older spelling of `cl.streams`, for a single stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scannerpy import older

if TYPE_CHECKING:
    from scannerpy.op import OpColumn
    from scannerpy.streams import StreamsGenerator

__all__ = ["DEFAULT_TASK_SIZE", "Sampler"]

DEFAULT_TASK_SIZE = 125


class Sampler:
    """Samplers of one stream; each method is `cl.streams`' of the same name with its argument not in a list."""

    def __init__(self, sc: Any) -> None:
        self._sc = sc

    if not TYPE_CHECKING:  # a checker should find what is missing, too

        def __getattr__(self, name: str) -> Any:
            raise older.missing("Sampler", name, self)

    def All(self, input: OpColumn) -> OpColumn:
        """Every row."""
        return self._streams.All(input)

    def Stride(self, input: OpColumn, stride: int) -> OpColumn:
        """Every `stride`-th row."""
        return self._streams.Stride(input, [stride])

    def Range(self, input: OpColumn, start: int, end: int) -> OpColumn:
        """Rows [start, end)."""
        return self._streams.Range(input, [(start, end)])

    def Ranges(self, input: OpColumn, intervals: Sequence[tuple[int, int]]) -> OpColumn:
        """The rows of several ranges."""
        return self._streams.Ranges(input, [list(intervals)])

    def StridedRange(self, input: OpColumn, start: int, end: int, stride: int) -> OpColumn:
        """Every `stride`-th row of [start, end)."""
        return self._streams.StridedRange(input, [(start, end, stride)])

    def StridedRanges(self, input: OpColumn, intervals: Sequence[tuple[int, int]], stride: int) -> OpColumn:
        """Every `stride`-th row of several ranges."""
        return self._streams.StridedRanges(input, [list(intervals)], [stride])

    def Gather(self, input: OpColumn, rows: Sequence[int]) -> OpColumn:
        """The rows listed."""
        return self._streams.Gather(input, [list(rows)])

    def Repeat(self, input: OpColumn, spacing: int) -> OpColumn:
        """Every row `spacing` times."""
        return self._streams.Repeat(input, [spacing])

    def RepeatNull(self, input: OpColumn, spacing: int) -> OpColumn:
        """Every row followed by ``spacing - 1`` nulls."""
        return self._streams.RepeatNull(input, [spacing])

    @property
    def _streams(self) -> StreamsGenerator:
        streams: StreamsGenerator = self._sc.streams
        return streams
