"""The reference: what a graph means, one row at a time, asked for from the sink backwards by plain recursion.

It is written from the specification (sections 4 to 7) alone and knows nothing of tasks, packets, batches, decoders or
plans: those may not change an answer, so they have no place in its meaning. Slow on purpose.

A stream is a list of groups (one, unless it is sliced), each with rows numbered from 0. The readings taken where the
specification leaves room:

* each range of a sampler is clamped by itself; an index of `Gather` beyond the end is dropped, wherever it stands;
* a null anywhere in an op's inputs (in any element of a stencil's window) gives null without calling the kernel;
* a row that is not executed is a gap, so a kernel's memory starts afresh after a null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.scannerpy.reference.description import Column, Graph, Op, PerGroup, Sample, Slice, Source, Unslice
from tests.scannerpy.reference.meanings import OPS, Row


class Null:
    """A row without a value."""

    def __repr__(self) -> str:
        return "NULL"


NULL = Null()


def sampled_rows(kind: str, args: Mapping[str, Any], rows: int) -> list[int | None]:
    """Return, for each output row of a sampler over `rows` input rows, the input row it shows (None: a null)."""
    match kind:
        case "All":
            return list(range(rows))
        case "Stride":
            return [row for row in range(rows) if row % args["stride"] == 0]
        case "Range":
            return _range(args["start"], args["end"], 1, rows)
        case "StridedRange":
            return _range(args["start"], args["end"], args["stride"], rows)
        case "Ranges":
            return [row for start, end in args["intervals"] for row in _range(start, end, 1, rows)]
        case "StridedRanges":
            return [row for start, end in args["intervals"] for row in _range(start, end, args["stride"], rows)]
        case "Gather":
            return [row for row in args["rows"] if row < rows]
        case "Repeat":
            return [row for row in range(rows) for _ in range(args["spacing"])]
        case "RepeatNull":
            return [row if copy == 0 else None for row in range(rows) for copy in range(args["spacing"])]
    raise AssertionError(f"no sampler {kind}")


def _range(start: int, end: int, stride: int, rows: int) -> list[int | None]:
    return [row for row in range(start, end, stride) if row < rows]


def partition_rows(kind: str, args: Mapping[str, Any], rows: int) -> list[list[int]]:
    """Return the input rows of each group a partitioner makes of `rows` rows. Unlike samplers, nothing is clamped."""
    match kind:
        case "all":
            return _chunked(list(range(rows)), args["group_size"])
        case "strided":
            return _chunked([row for row in range(rows) if row % args["stride"] == 0], args["group_size"])
        case "range":
            return [list(range(args["start"], args["end"]))]
        case "ranges":
            return [list(range(start, end)) for start, end in args["intervals"]]
        case "strided_range":
            return [list(range(args["start"], args["end"], args["stride"]))]
        case "strided_ranges":
            return [list(range(start, end, args["stride"])) for start, end in args["intervals"]]
        case "gather":
            return [list(group) for group in args["groups"]]
    raise AssertionError(f"no partitioner {kind}")


def _chunked(rows: list[int], size: int) -> list[list[int]]:
    return [rows[first : first + size] for first in range(0, len(rows), size)]


class Interpreter:
    """Answers, for one job of a graph, what any row of any column holds. `stored[name]` are the rows of a stored
    stream.
    """

    def __init__(self, graph: Graph, stored: Mapping[str, Sequence[Any]], job: int) -> None:
        self.graph, self.stored, self.job = graph, stored, job
        self._known: dict[tuple[int, int, int], tuple[Any, ...]] = {}

    def sink(self, column: Column) -> list[Any]:
        """Return all rows of an unsliced column, in order."""
        (rows,) = self.groups(column)
        return [self.value(column, 0, row) for row in range(rows)]

    def groups(self, column: Column) -> list[int]:
        """Return how many rows each group of the column has."""
        match self.graph.nodes[column.node]:
            case Source(tables):
                return [len(self.stored[tables[self.job]])]
            case Sample() as node:
                sizes = enumerate(self.groups(node.input))
                return [len(sampled_rows(node.kind, self._of_group(node.args, g), rows)) for g, rows in sizes]
            case Slice(source, partitions):
                (rows,) = self.groups(source)
                return [len(group) for group in partition_rows(*partitions[self.job], rows)]
            case Unslice(source):
                return [sum(self.groups(source))]
            case Op(inputs=inputs):
                return self.groups(inputs[0])

    def value(self, column: Column, group: int, row: int) -> Any:
        """Return the value of one row, or NULL."""
        key = (column.node, group, row)
        if key not in self._known:
            self._known[key] = self._compute(column.node, group, row)
        return self._known[key][column.out]

    def _compute(self, number: int, group: int, row: int) -> tuple[Any, ...]:
        match self.graph.nodes[number]:
            case Source(tables):
                return (self.stored[tables[self.job]][row],)
            case Sample() as node:
                return (self._sampled(node, group, row),)
            case Slice(source, partitions):
                (rows,) = self.groups(source)
                return (self.value(source, 0, partition_rows(*partitions[self.job], rows)[group][row]),)
            case Unslice(source):
                return (self._unsliced(source, row),)
            case Op() as node:
                return self._executed(node, group, row)

    def _sampled(self, node: Sample, group: int, row: int) -> Any:
        rows = self.groups(node.input)[group]
        chosen = sampled_rows(node.kind, self._of_group(node.args, group), rows)[row]
        return NULL if chosen is None else self.value(node.input, group, chosen)

    def _unsliced(self, source: Column, row: int) -> Any:
        for group, rows in enumerate(self.groups(source)):
            if row < rows:
                return self.value(source, group, row)
            row -= rows
        raise AssertionError("row beyond the last group")

    def _executed(self, node: Op, group: int, row: int) -> tuple[Any, ...]:
        op = OPS[node.name]
        history: list[Row] = []
        for earlier in range(row, self._oldest(node, row) - 1, -1):
            windows = self._windows(node, group, earlier)
            if any(value is NULL for window in windows for value in window):
                break
            history.insert(0, windows)
        if not history:
            return (NULL,) * len(op.gives)
        return op.meaning(history, node.init, self._of_group(node.stream, group) if node.stream else {})

    def _oldest(self, node: Op, row: int) -> int:
        op = OPS[node.name]
        if op.state == "unbounded":
            return 0
        warmup = op.warmup if node.warmup is None else node.warmup
        return max(0, row - warmup) if op.state == "bounded" else row

    def _windows(self, node: Op, group: int, row: int) -> Row:
        window = node.window if node.window is not None else OPS[node.name].window or (0,)
        last = self.groups(node.inputs[0])[group] - 1
        rows = [min(max(row + offset, 0), last) for offset in window]
        return tuple(tuple(self.value(column, group, r) for r in rows) for column in node.inputs)

    def _of_group(self, per_job: Sequence[Any], group: int) -> Any:
        mine = per_job[self.job]
        return mine[group] if isinstance(mine, PerGroup) else mine


def counters(rows: Sequence[int], warmup: int, task: int) -> list[int]:
    """Return what an op sees that counts its executions since the last reset, asked for `rows` in tasks of `task` rows.

    The exact model of section 5.4: a row is executed with the `warmup` rows before it, each row once per task, and a
    reset comes at the start of a task and wherever the next executed row is not the one after the last.
    """
    seen: list[int] = []
    for first in range(0, len(rows), task):
        seen += _counters_of_task(rows[first : first + task], warmup)
    return seen


def _counters_of_task(rows: Sequence[int], warmup: int) -> list[int]:
    executed = sorted({row for wanted in rows for row in range(max(0, wanted - warmup), wanted + 1)})
    count: dict[int, int] = {}
    for row in executed:
        count[row] = count.get(row - 1, -1) + 1
    return [count[row] for row in rows]
