"""Random graphs, as a hypothesis strategy. Each grows from its sources one node at a time, so that shrinking removes
nodes.

Row counts come from the interpreter, so that only columns of the same shape meet in an op, and all sinks agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.scannerpy.reference.description import Column, Graph, Node, Op, PerGroup, Sample, Slice, Source, Unslice
from tests.scannerpy.reference.interpreter import Interpreter
from tests.scannerpy.reference.meanings import OPS

MOST_ROWS = 48  # of any column, so that one example stays small
SAMPLERS = ("All", "Stride", "Range", "Ranges", "StridedRange", "StridedRanges", "Gather", "Repeat", "RepeatNull")
PARTITIONERS = ("all", "strided", "range", "ranges", "strided_range", "strided_ranges", "gather")


@dataclass(frozen=True)
class Edge:
    """A column a new node may take: what it carries (``b``, ``a``, ``f``, ``t``), sliced or not, and its rows by job
    and group.
    """

    column: Column
    kind: str
    sliced: bool
    shape: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Packets:
    """How a graph is run; none of it may change an answer."""

    work: int
    io: int
    instances: int


class Growing:
    """A graph while it grows."""

    def __init__(self, draw: Callable[..., Any], stored: Mapping[str, Sequence[Any]], jobs: int) -> None:
        self.draw, self.stored, self.jobs = draw, stored, jobs
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.cut: tuple[tuple[str, Mapping[str, Any]], ...] | None = None  # all slices of a job are cut the same way
        self.cut_shape: tuple[tuple[int, ...], ...] | None = None  # … into the same number of groups

    def add(self, node: Node, kinds: str, *, sliced: bool) -> None:
        """Append `node`, whose outputs carry `kinds`, unless it would have too many rows."""
        nodes = (*self.nodes, node)
        column = Column(len(self.nodes))
        graph = Graph(nodes, (column,), self.jobs)
        shape = tuple(tuple(Interpreter(graph, self.stored, job).groups(column)) for job in range(self.jobs))
        if max(sum(groups) for groups in shape) > MOST_ROWS:
            return
        self.nodes.append(node)
        self.edges += [Edge(Column(column.node, out), kind, sliced, shape) for out, kind in enumerate(kinds)]

    def pick(self, kind: str = "", like: Edge | None = None) -> Edge | None:
        """Choose an edge, the latest first when shrinking."""
        fits = [e for e in reversed(self.edges) if kind in ("", e.kind) and (like is None or _meet(e, like))]
        return self.draw(st.sampled_from(fits)) if fits else None


def _meet(one: Edge, other: Edge) -> bool:
    return one.sliced == other.sliced and one.shape == other.shape


@st.composite
def graphs(draw: Callable[..., Any], stored: Mapping[str, Sequence[Any]], kinds: Mapping[str, str]) -> Graph:
    """Draw a graph over the streams in `stored`; ``kinds[name]`` says what a stream carries."""
    growing = Growing(draw, stored, draw(st.integers(1, 3)))
    for _ in range(draw(st.sampled_from((1, 1, 2)))):
        _add_source(growing, kinds)
    for _ in range(draw(st.integers(1, 7))):
        draw(st.sampled_from((_add_op, _add_op, _add_op, _add_sample, _add_sample, _add_slice)))(growing)
    return _with_sinks(growing)


def _add_source(growing: Growing, kinds: Mapping[str, str]) -> None:
    kind = growing.draw(st.sampled_from([k for k in "bbbf" if k in kinds.values()]))
    names = st.sampled_from([name for name in kinds if kinds[name] == kind])
    tables = tuple(growing.draw(names) for _ in range(growing.jobs))
    growing.add(Source(tables), kind, sliced=False)


def _add_sample(growing: Growing) -> None:
    edge = growing.pick()
    assert edge is not None
    kind = growing.draw(st.sampled_from([s for s in SAMPLERS if not (edge.sliced and s == "StridedRanges")]))
    if kind == "StridedRanges":  # one list and one stride serve all streams
        shared = growing.draw(sampler_args(kind, max(groups[0] for groups in edge.shape)))
        args: list[Any] = [shared] * growing.jobs
    else:
        args = [
            _per_group(growing.draw, lambda rows: sampler_args(kind, rows), edge, job) for job in range(growing.jobs)
        ]
    form = growing.draw(st.sampled_from(("dict", "short")))
    growing.add(Sample(edge.column, kind, tuple(args), form), edge.kind, sliced=edge.sliced)


def _per_group(draw: Callable[..., Any], strategy: Callable[[int], Any], edge: Edge, job: int) -> Any:
    groups = edge.shape[job]
    if not edge.sliced or (len(groups) == 1 and draw(st.booleans())):
        return draw(strategy(groups[0]))
    return PerGroup(draw(strategy(rows)) for rows in groups)


@st.composite
def sampler_args(draw: Callable[..., Any], kind: str, rows: int) -> dict[str, Any]:
    """Draw keyword arguments for a sampler over `rows` rows, some reaching beyond the end."""
    small = st.integers(1, 4)
    match kind:
        case "All":
            return {}
        case "Stride":
            return {"stride": draw(small)}
        case "Range":
            start, end = draw(_interval(rows + 3))
            return {"start": start, "end": end}
        case "StridedRange":
            start, end = draw(_interval(rows + 3))
            return {"start": start, "end": end, "stride": draw(small)}
        case "Ranges":
            return {"intervals": draw(st.lists(_interval(rows + 3), min_size=1, max_size=3))}
        case "StridedRanges":
            return {"intervals": draw(st.lists(_interval(rows + 3), min_size=1, max_size=3)), "stride": draw(small)}
        case "Gather":
            return {"rows": draw(st.lists(st.integers(0, rows + 2), min_size=1, max_size=12))}
    return {"spacing": draw(small)}


def _interval(limit: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, limit), st.integers(0, limit)).map(lambda pair: (min(pair), max(pair)))


def _add_slice(growing: Growing) -> None:
    edge = growing.pick()
    assert edge is not None
    if edge.sliced:
        return
    if growing.cut is None:
        growing.cut = tuple(growing.draw(partitions(groups[0])) for groups in edge.shape)
        growing.cut_shape = edge.shape
    if edge.shape == growing.cut_shape:
        growing.add(Slice(edge.column, growing.cut), edge.kind, sliced=True)


@st.composite
def partitions(draw: Callable[..., Any], rows: int) -> tuple[str, dict[str, Any]]:
    """Draw a partitioner and its arguments for a stream of `rows` rows."""
    kind = draw(st.sampled_from(PARTITIONERS if rows else ("range", "ranges", "gather")))
    match kind:
        case "all":
            return kind, {"group_size": draw(st.integers(max(1, rows // 4), rows + 1))}
        case "strided":
            return kind, {
                "stride": draw(st.integers(1, 3)),
                "group_size": draw(st.integers(max(1, rows // 4), rows + 1)),
            }
        case "range" | "strided_range":
            start, end = draw(_interval(rows))
            stride = {"stride": draw(st.integers(1, 3))} if kind == "strided_range" else {}
            return kind, {"start": start, "end": end, **stride}
        case "ranges" | "strided_ranges":
            stride = {"stride": draw(st.integers(1, 3))} if kind == "strided_ranges" else {}
            return kind, {"intervals": draw(st.lists(_interval(rows), min_size=1, max_size=4)), **stride}
    wanted = st.lists(st.integers(0, rows - 1), max_size=6) if rows else st.just([])
    return kind, {"groups": draw(st.lists(wanted, min_size=1, max_size=4))}


def _add_op(growing: Growing) -> None:
    first = growing.pick()
    assert first is not None
    name = growing.draw(st.sampled_from([n for n in OPS if OPS[n].takes[0] == first.kind]))
    takes = OPS[name].takes
    kinds = "b" * growing.draw(st.integers(1, 3)) if takes.endswith("*") else takes
    inputs = [first, *[growing.pick(kind, like=first) for kind in kinds[1:]]]
    found = tuple(edge.column for edge in inputs if edge is not None)
    if len(found) == len(kinds):
        growing.add(_op(growing, name, found, first), OPS[name].gives, sliced=first.sliced)


def _op(growing: Growing, name: str, inputs: tuple[Column, ...], like: Edge) -> Op:
    op, draw = OPS[name], growing.draw
    window = draw(st.none() | st.lists(st.integers(-3, 3), min_size=1, max_size=4).map(tuple)) if op.window else None
    batch = draw(st.none() | st.sampled_from((1, 2, 3, 5, 1000))) if op.batch > 1 else None
    warmup = draw(st.none() | st.integers(0, 5)) if op.state == "bounded" else None
    init: dict[str, Any] = {"salt": draw(st.integers(0, 3))}
    if op.batch > 1:
        init["limit"] = batch or op.batch
    if op.state:
        init["keep"] = None if op.state == "unbounded" else (op.warmup if warmup is None else warmup)
    stream = tuple(_offset(draw, like, job) for job in range(growing.jobs)) if op.streams else ()
    return Op(name, inputs, init, window, batch, warmup, _all_or_none(stream))


def _offset(draw: Callable[..., Any], like: Edge, job: int) -> Any:
    if like.sliced:
        return PerGroup({"offset": draw(st.integers(0, 9))} for _ in like.shape[job])
    return {"offset": draw(st.integers(0, 9))}


def _all_or_none(stream: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give back `stream`; inside a slice either all jobs have one value per group or all have a plain one."""
    if (
        stream
        and isinstance(stream[0], PerGroup)
        and all(len(groups) > 0 and groups[0]["offset"] < 5 for groups in stream)
    ):
        return tuple(groups[0] for groups in stream)
    return stream


def _with_sinks(growing: Growing) -> Graph:
    """Store the latest column, and up to two more with the same number of rows in every job.

    Of columns that were sliced, their groups must have the same sizes too: a group is a task, for all sinks.
    """
    groups = {}
    for edge in [e for e in growing.edges if e.sliced]:
        growing.add(Unslice(edge.column), edge.kind, sliced=False)
        groups[growing.edges[-1].column] = edge.shape
    last = growing.edges[-1]
    alike = [e.column for e in reversed(growing.edges[:-1]) if not e.sliced and e.shape == last.shape]
    fits = [column for column in alike if column not in groups or groups[column] == groups[last.column]]
    more = growing.draw(st.lists(st.sampled_from(fits), max_size=2, unique=True)) if fits else []
    nodes, sinks = _pruned(tuple(growing.nodes), (last.column, *more))
    return Graph(nodes, sinks, growing.jobs)


def _pruned(nodes: tuple[Node, ...], sinks: tuple[Column, ...]) -> tuple[tuple[Node, ...], tuple[Column, ...]]:
    """Leave out `Unslice` nodes that no sink takes (other unused nodes stay: nobody may compute them)."""
    used = {sink.node for sink in sinks}
    keep = [n for n, node in enumerate(nodes) if not isinstance(node, Unslice) or n in used]
    renamed = {old: new for new, old in enumerate(keep)}
    return tuple(nodes[n] for n in keep), tuple(Column(renamed[s.node], s.out) for s in sinks)


def packets(instances: int = 1) -> st.SearchStrategy[Packets]:
    """Draw packet sizes: a work packet, and an io packet that is a multiple of it (or −1: the same)."""
    sizes = st.tuples(st.sampled_from((1, 2, 3, 5, 8, 100)), st.sampled_from((-1, 1, 2, 3, 10)))
    return sizes.map(lambda s: Packets(s[0], -1 if s[1] == -1 else s[0] * s[1], instances))
