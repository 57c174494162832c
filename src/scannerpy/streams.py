"""`cl.streams`: which rows of a stream go on, and in which order.

Samplers are pushed down to the decoder: frames of a video that are not needed are not decoded.
Every sampler takes a list with one argument per stream. An argument may be a tuple (positional), a dict (keywords) or
the single value itself; inside a slice, a SliceList gives one argument per group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scannerpy import older
from scannerpy._graph.node import Node, Output, Partition, PerGroup, SampleNode, SliceNode, UnsliceNode
from scannerpy.errors import GraphError
from scannerpy.op import Op, OpColumn, SliceList, user_line

__all__ = ["StreamsGenerator"]

_PARAMETERS: dict[str, tuple[str, ...]] = {
    "Stride": ("stride",),
    "Range": ("start", "end"),
    "Ranges": ("intervals",),
    "StridedRange": ("start", "end", "stride"),
    "StridedRanges": ("intervals", "stride"),
    "Gather": ("rows",),
    "Repeat": ("spacing",),
    "RepeatNull": ("spacing",),
}


class StreamsGenerator:
    """The samplers and slices. Reached as ``cl.streams``."""

    def __init__(self, sc: Any) -> None:
        self._sc = sc

    if not TYPE_CHECKING:  # a checker should find what is missing, too

        def __getattr__(self, name: str) -> Any:
            raise older.missing("StreamsGenerator", name, self)

    def All(self, input: OpColumn) -> OpColumn:
        """Every row."""
        return self._sample("All", input, None)

    @older.refusing(older.STREAM_KEYWORDS)
    def Stride(self, input: OpColumn, strides: Sequence[Any]) -> OpColumn:
        """Rows 0, n, 2n, … Each element of `strides` is n or ``{'stride': n}``."""
        return self._sample("Stride", input, strides)

    @older.refusing(older.STREAM_KEYWORDS)
    def Range(self, input: OpColumn, ranges: Sequence[Any]) -> OpColumn:
        """Rows [start, end). Each element is ``(start, end)`` or a dict; an end beyond the stream is clamped."""
        return self._sample("Range", input, ranges)

    def Ranges(self, input: OpColumn, intervals: Sequence[Any]) -> OpColumn:
        """The rows of several ranges, one after the other. Each element is a list of ``(start, end)``."""
        return self._sample("Ranges", input, intervals)

    @older.refusing(older.STREAM_KEYWORDS)
    def StridedRange(self, input: OpColumn, ranges: Sequence[Any]) -> OpColumn:
        """Every stride-th row of [start, end). Each element is ``(start, end, stride)`` or a dict."""
        return self._sample("StridedRange", input, ranges)

    def StridedRanges(self, input: OpColumn, intervals: Sequence[Any] | None = None, stride: Any = None) -> OpColumn:
        """Every `stride`-th row of several ranges.

        Either one list of ``(start, end)`` and one stride for all streams, or per-stream lists: `intervals` then holds
        a list of ranges per stream, and `stride` a number or a list with one per stream.
        """
        common, per_stream = _strided_ranges(intervals, stride)
        return self._sample("StridedRanges", input, per_stream, common)

    @older.refusing(older.STREAM_KEYWORDS)
    def Gather(self, input: OpColumn, indices: Sequence[Any]) -> OpColumn:
        """The rows listed, in the order given; duplicates stay, rows beyond the end are dropped."""
        return self._sample("Gather", input, indices)

    @older.refusing(older.STREAM_KEYWORDS)
    def Repeat(self, input: OpColumn, spacings: Sequence[Any]) -> OpColumn:
        """Every row `spacing` times."""
        return self._sample("Repeat", input, spacings)

    @older.refusing(older.STREAM_KEYWORDS)
    def RepeatNull(self, input: OpColumn, spacings: Sequence[Any]) -> OpColumn:
        """Every row followed by ``spacing - 1`` null elements."""
        return self._sample("RepeatNull", input, spacings)

    @older.refusing(older.STREAM_KEYWORDS)
    def Slice(self, input: OpColumn, partitions: Sequence[Partition]) -> OpColumn:
        """Cut into independent groups, one partition (see ``cl.partitioner``) per stream; each counts from row 0."""
        where = user_line()
        if not isinstance(partitions, Sequence) or not all(isinstance(p, Partition) for p in partitions):
            raise GraphError(f"Slice at {where}: partitions must be a list with one cl.partitioner value per stream")
        return self._join(
            SliceNode(name="Slice", inputs=(_output(input, "Slice"),), where=where, per_job=tuple(partitions)), input
        )

    def Unslice(self, input: OpColumn) -> OpColumn:
        """Join the groups of a sliced stream again, in order."""
        return self._join(UnsliceNode(name="Unslice", inputs=(_output(input, "Unslice"),), where=user_line()), input)

    def _sample(self, name: str, input: OpColumn, arguments: Any, common: Mapping[str, Any] | None = None) -> OpColumn:
        where = user_line()
        if arguments is not None and (not isinstance(arguments, Sequence) or isinstance(arguments, str | bytes)):
            raise GraphError(f"{name} at {where}: expected a list with one argument per stream, not {arguments!r}")
        per_job = tuple(_stream_argument(name, argument, where) for argument in arguments or ())
        source = (_output(input, name),)
        return self._join(SampleNode(name=name, inputs=source, where=where, args=common or {}, per_job=per_job), input)

    def _join(self, node: Node, input: OpColumn) -> OpColumn:
        of = input.output
        output = Output(node=node, column=of.column, is_video=of.is_video, type_name=of.type_name)
        return OpColumn(self._sc, Op.of_node(self._sc, node), output)


def _output(column: Any, name: str) -> Output:
    if not isinstance(column, OpColumn):
        raise GraphError(
            f"{name} at {user_line()}: expected a column of the graph (from cl.io.Input or an op), not {column!r}"
        )
    return column.output


def _stream_argument(name: str, argument: Any, where: Any) -> Mapping[str, Any] | PerGroup:
    if isinstance(argument, SliceList):
        return PerGroup(_keywords(name, each, where) for each in argument)
    return _keywords(name, argument, where)


def _keywords(name: str, argument: Any, where: Any) -> Mapping[str, Any]:
    """Normalize one argument: a tuple is positional, a dict keywords, anything else the single value."""
    parameters = _PARAMETERS[name]
    if isinstance(argument, Mapping):
        given = dict(argument)
    elif isinstance(argument, tuple) and not _is_one_value(parameters, argument):
        given = dict(zip(parameters, argument, strict=False)) if len(argument) <= len(parameters) else {}
    else:
        given = {parameters[0]: argument}
    if set(given) != set(parameters):
        wanted = ", ".join(parameters)
        raise GraphError(f"{name} at {where}: each stream needs {wanted}; got {argument!r}")
    return given


def _is_one_value(parameters: tuple[str, ...], argument: tuple[Any, ...]) -> bool:
    """Whether a tuple is itself the list of rows or intervals wanted, and not a positional wrapper around one."""
    wraps_a_list = len(argument) == 1 and isinstance(argument[0], list | range)
    return parameters in {("rows",), ("intervals",)} and not wraps_a_list


def _strided_ranges(intervals: Any, stride: Any) -> tuple[Any, Sequence[Any] | None]:
    """Tell the two forms apart: (common arguments, None), or ({}, per-stream arguments)."""
    if intervals is None or stride is None:
        raise GraphError(f"StridedRanges at {user_line()}: both intervals and stride are needed")
    per_stream = any(isinstance(each, SliceList | list) for each in intervals)
    if not per_stream and not isinstance(stride, Sequence):
        return {"intervals": intervals, "stride": stride}, None
    strides = stride if isinstance(stride, Sequence) else [stride] * len(intervals)
    return {}, [{"intervals": i, "stride": s} for i, s in zip(intervals, strides, strict=True)]
