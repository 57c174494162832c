"""Random programs: samplers, slices, stencils, state, batches, diamonds, several sources and sinks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from scannerpy._graph.node import Node, Partition, PerGroup, SinkNode
from tests.scannerpy.plan import programs as g
from tests.scannerpy.plan.reference import WHOLE, Reference, Symbols

LARGEST = 40
"""Domains stay small: everything odd happens near the edges."""


@dataclass
class Program:
    """What a user wrote, and how long the streams are."""

    lengths: dict[Node, int] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)  # all but sinks
    sinks: list[SinkNode] = field(default_factory=list)

    def __repr__(self) -> str:
        names = {node: f"n{i}" for i, node in enumerate(self.nodes)}
        lines = [describe(node, names, self.lengths) for node in [*self.nodes, *self.sinks]]
        return "Program:\n" + "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # how hypothesis prints a failing example
        printer.text(repr(self))


def describe(node: Any, names: dict[Node, str], lengths: dict[Node, int]) -> str:
    shown = {k: getattr(node, k) for k in ("stencil", "batch", "warmup", "unbounded", "per_job") if hasattr(node, k)}
    above = ", ".join(names[each.node] for each in node.inputs)
    return f"  {names.get(node, 'sink')} = {node.name}({above}) {lengths.get(node, '')} {shown}"


@st.composite
def sampler_args(draw: st.DrawFn, name: str, size: int) -> dict[str, Any]:
    row = st.integers(0, size + 3)
    interval = st.tuples(row, row).map(lambda pair: (min(pair), max(pair)))
    stride = st.integers(1, 4)
    match name:
        case "All":
            return {}
        case "Stride":
            return {"stride": draw(stride)}
        case "Range" | "StridedRange":
            start, end = draw(interval)
            extra = {"stride": draw(stride)} if name == "StridedRange" else {}
            return {"start": start, "end": end, **extra}
        case "Ranges":
            return {"intervals": draw(st.lists(interval, max_size=3))}
        case "StridedRanges":
            return {"intervals": draw(st.lists(interval, max_size=3)), "stride": draw(stride)}
        case "Gather":
            rows = draw(st.lists(row, max_size=8))
            return {"rows": draw(st.sampled_from([rows, sorted(rows), sorted(set(rows))]))}
        case _:
            return {"spacing": draw(st.integers(1, 3))}


@st.composite
def partitions(draw: st.DrawFn, size: int) -> Partition:
    row = st.integers(0, size)
    interval = st.tuples(row, row).map(lambda pair: (min(pair), max(pair)))
    kind = draw(st.sampled_from(["all", "strided", "ranges", "strided_ranges", "gather"]))
    match kind:
        case "all":
            return Partition(kind, {"group_size": draw(st.integers(max(1, size // 5), max(1, size)))})
        case "strided":
            return Partition(kind, {"stride": draw(st.integers(1, 4)), "group_size": draw(st.integers(3, 9))})
        case "gather":
            inside = st.integers(0, size - 1) if size else st.nothing()
            rows = st.lists(inside, max_size=5) if size else st.just([])
            return Partition(kind, {"groups": draw(st.lists(rows, max_size=3))})
        case _:
            extra = {"stride": draw(st.integers(1, 3))} if kind == "strided_ranges" else {}
            return Partition(kind, {"intervals": draw(st.lists(interval, max_size=3)), **extra})


SAMPLERS = ["All", "Stride", "Range", "Ranges", "StridedRange", "StridedRanges", "Gather", "Repeat", "RepeatNull"]


@st.composite
def op_options(draw: st.DrawFn, groups: int | None) -> dict[str, Any]:
    kind = draw(st.sampled_from(["plain", "plain", "bounded", "unbounded", "whole"]))
    options: dict[str, Any] = {"stencil": tuple(draw(STENCILS)), "batch": draw(st.sampled_from([1, 1, 2, 3, 5]))}
    if kind == "bounded":
        options["warmup"] = draw(st.integers(0, 4))
    if kind == "unbounded":
        options["unbounded"] = True
    if kind == "whole":
        options["batch"] = WHOLE
    if groups is not None and draw(st.booleans()):
        options["job_args"] = [PerGroup({"level": i} for i in range(groups))]
    return options


STENCILS = st.one_of(st.just([0]), st.lists(st.integers(-4, 4), min_size=1, max_size=3), st.just([-9, 9]))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    program = Program()
    meaning = Reference(Symbols(), program.lengths)
    for _ in range(draw(st.integers(1, 2))):
        node = g.source()
        program.lengths[node] = draw(st.integers(0, 25))
        program.nodes.append(node)
    for _ in range(draw(st.sampled_from([4, 1, 2, 3, 5, 6, 7, 0]))):
        node = draw(one_more(program, meaning))
        if sum(meaning.sizes(node)) <= LARGEST:
            program.nodes.append(node)
    program.sinks = draw(sinks(program, meaning))
    return program


@st.composite
def one_more(draw: st.DrawFn, program: Program, meaning: Reference) -> Node:
    above = draw(st.sampled_from([program.nodes[-1], program.nodes[-1], *program.nodes]))
    sizes, groups = meaning.sizes(above), meaning.groups(above)
    kind = draw(st.sampled_from(["op", "op", "sample", "slice"]))
    if kind == "slice" and groups is None:
        node = g.sliced(above, draw(partitions(sizes[0])))
        made = {meaning.groups(each) for each in program.nodes} - {None}
        return node if made <= {meaning.groups(node)} else g.sample("All", above, {})
    if kind == "sample":
        name = draw(st.sampled_from(SAMPLERS))
        args = [draw(sampler_args(name, size)) for size in sizes]
        return g.sample(name, above, args[0] if groups is None else PerGroup(args))
    alike = [each for each in program.nodes if (meaning.sizes(each), meaning.groups(each)) == (sizes, groups)]
    others = draw(st.lists(st.sampled_from(alike), max_size=2))
    return g.op(above, *others, **draw(op_options(groups)))


@st.composite
def sinks(draw: st.DrawFn, program: Program, meaning: Reference) -> list[SinkNode]:
    """One to three sinks, or one that stores as many columns; where there are groups, they are cut alike."""
    first = draw(st.sampled_from([program.nodes[-1], program.nodes[-1], *program.nodes[-2:]]))
    sizes, groups = meaning.sizes(first), meaning.groups(first)
    fitting = [each for each in program.nodes if fits(meaning, each, sizes, groups)]
    chosen = [first, *draw(st.lists(st.sampled_from(fitting), max_size=2))]
    ends = [each if meaning.groups(each) is None else g.unsliced(each) for each in chosen]
    return [g.sink(*ends)] if draw(st.booleans()) else [g.sink(end) for end in ends]


def fits(meaning: Reference, node: Node, sizes: tuple[int, ...], groups: int | None) -> bool:
    if groups is not None and meaning.groups(node) is not None:
        return meaning.sizes(node) == sizes
    return sum(meaning.sizes(node)) == sum(sizes)
