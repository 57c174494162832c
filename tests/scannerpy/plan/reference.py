"""What a graph means, one row at a time, written without looking at the planner.

`Reference` works on the program's own nodes. The value of a row is a symbol that stands for everything it was computed
from: two rows are equal exactly if the same kernels saw the same windows of the same source rows in the same state.
Symbols are interned to small numbers, so that comparing two histories costs nothing. Null is None.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from scannerpy._graph.node import (
    Node,
    OpNode,
    Partition,
    PerGroup,
    SampleNode,
    SinkNode,
    SliceNode,
    SourceNode,
    UnsliceNode,
)

WHOLE = 1_000_000


class Symbols:
    """Numbers for values: equal values, equal numbers."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def __call__(self, *value: Any) -> int:
        return self.numbers.setdefault(value, len(self.numbers))


def sampled(name: str, args: Mapping[str, Any], size: int) -> list[int | None]:
    """The input row of each output row of a sampler."""
    rows: list[int | None] = list(range(size))
    match name:
        case "All":
            return rows
        case "Stride":
            return rows[:: args["stride"]]
        case "Range":
            return rows[args["start"] : args["end"]]
        case "StridedRange":
            return rows[args["start"] : args["end"]][:: args["stride"]]
        case "Ranges":
            return [row for start, end in args["intervals"] for row in rows[start:end]]
        case "StridedRanges":
            return [row for start, end in args["intervals"] for row in rows[start:end][:: args["stride"]]]
        case "Gather":
            return [row for row in args["rows"] if row < size]
        case "Repeat":
            return [row for row in rows for _ in range(args["spacing"])]
        case "RepeatNull":
            return [row if i == 0 else None for row in rows for i in range(args["spacing"])]
    raise AssertionError(name)


def grouped(partition: Partition, size: int) -> list[list[int]]:
    """The input rows of each group of a partition."""
    rows, args = list(range(size)), partition.args
    match partition.kind:
        case "all" | "strided":
            rows, n = rows[:: args.get("stride", 1)], args["group_size"]
            return [rows[i : i + n] for i in range(0, len(rows), n)]
        case "ranges" | "strided_ranges":
            return [rows[start:end][:: args.get("stride", 1)] for start, end in args["intervals"]]
        case "gather":
            return [list(group) for group in args["groups"]]
    raise AssertionError(partition)


class Reference:
    """The meaning of one job (number `job`) of a graph whose sources have the lengths given."""

    def __init__(self, symbols: Symbols, lengths: Mapping[Node, int], job: int = 0) -> None:
        self.symbols = symbols
        self.lengths = lengths
        self.job = job
        self.names: dict[Node, int] = {}
        self.known: dict[tuple[Node, int, int], int | None] = {}
        self.touched: dict[Node, set[int]] = defaultdict(set)

    def forget(self) -> None:
        """Forget all values, and which source rows were looked at."""
        self.known.clear()
        self.touched.clear()

    def groups(self, node: Node) -> int | None:
        """How many slice groups; None outside of slices."""
        if isinstance(node, SourceNode | UnsliceNode):
            return None
        if isinstance(node, SliceNode):
            return len(grouped(node.per_job[self.job], self.size(node.inputs[0].node, 0)))
        return self.groups(node.inputs[0].node)

    def sizes(self, node: Node) -> tuple[int, ...]:
        groups = self.groups(node)
        return tuple(self.size(node, group) for group in range(1 if groups is None else groups))

    def size(self, node: Node, group: int) -> int:
        if isinstance(node, SourceNode):
            return self.lengths[node]
        above = node.inputs[0].node
        if isinstance(node, SampleNode):
            return len(sampled(node.name, self.args(node, group), self.size(above, group)))
        if isinstance(node, SliceNode):
            return len(grouped(node.per_job[self.job], self.size(above, 0))[group])
        if isinstance(node, UnsliceNode):
            return sum(self.sizes(above))
        return self.size(above, group)

    def args(self, node: Any, group: int) -> Mapping[str, Any]:
        if not node.per_job:
            return dict(node.args)
        given = node.per_job[self.job]
        return given[group] if isinstance(given, PerGroup) else given

    def value(self, node: Node, group: int, row: int) -> Any:
        key = (node, group, row)
        if key not in self.known:
            self.known[key] = self.compute(node, group, row)
        return self.known[key]

    def compute(self, node: Node, group: int, row: int) -> Any:
        if isinstance(node, SourceNode):
            self.touched[node].add(row)
            return self.symbols("source", id(node), row)
        if isinstance(node, OpNode):
            return self.kernel(node, group, row)
        if isinstance(node, SinkNode):
            return self.symbols("sink", tuple(self.value(each.node, group, row) for each in node.inputs))
        above = node.inputs[0].node
        if isinstance(node, SampleNode):
            from_row = sampled(node.name, self.args(node, group), self.size(above, group))[row]
            return None if from_row is None else self.value(above, group, from_row)
        if isinstance(node, SliceNode):
            return self.value(above, 0, grouped(node.per_job[self.job], self.size(above, 0))[group][row])
        for number, size in enumerate(self.sizes(above)):
            if row < size:
                return self.value(above, number, row)
            row -= size
        raise AssertionError(row)

    def kernel(self, node: OpNode, group: int, row: int) -> int | None:
        """An op's value: null if it sees a null, else everything its honest kernel may depend on."""
        seen = self.window(node, group, row)
        last = row
        if node.batch >= WHOLE:
            first, last = 0, self.size(node, group) - 1
        elif node.unbounded:
            first = 0
        else:
            first = max(0, row - (node.warmup or 0))
        history = tuple(self.window(node, group, each) for each in range(first, last + 1))
        if seen is None:
            return None
        return self.symbols(id(node), repr(self.args(node, group)), row - first, history)

    def window(self, node: OpNode, group: int, row: int) -> tuple[Any, ...] | None:
        size = self.size(node, group)
        near = [min(max(row + offset, 0), size - 1) for offset in node.stencil]
        seen = tuple(tuple(self.value(each.node, group, r) for r in near) for each in node.inputs)
        return None if any(value is None for column in seen for value in column) else seen
