"""Builds a described graph through the public API, runs it, and compares what was stored with the interpreter's
answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import scannerpy as sp
from tests.scannerpy.reference import kernels
from tests.scannerpy.reference.description import Column, Graph, Op, PerGroup, Sample, Slice, Source, Unslice
from tests.scannerpy.reference.graphs import Packets
from tests.scannerpy.reference.interpreter import NULL, Interpreter
from tests.scannerpy.reference.meanings import OPS, digest, paint

assert kernels  # importing it registers the ops


def make_tables(cl: Any) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Store small tables of blobs and frames; return their rows by name, and what each carries."""
    stored: dict[str, list[Any]] = {}
    kinds: dict[str, str] = {}
    for rows, copy in ((4, "a"), (1, "a"), (9, "a"), (9, "b"), (0, "a"), (13, "a"), (13, "b"), (20, "a")):
        name = f"blobs{rows}{copy}"
        stored[name], kinds[name] = [digest(name, row) for row in range(rows)], "b"
        cl.new_table(name, ["column"], [[value] for value in stored[name]])
    for rows in (1, 7):
        name = f"frames{rows}"
        stored[name], kinds[name] = (
            [paint(digest("paint", 0, value), "uint8") for value in _store_frames(cl, name, rows)],
            "f",
        )
    return stored, kinds


def _store_frames(cl: Any, name: str, rows: int) -> list[bytes]:
    seeds = [digest(name, row) for row in range(rows)]
    cl.new_table(f"seeds of {name}", ["column"], [[seed] for seed in seeds])
    column = cl.ops.RefPaint(x=cl.io.Input([sp.NamedStream(cl, f"seeds of {name}")]), salt=0).lossless()
    sink = cl.io.Output(column, [sp.NamedVideoStream(cl, name)])
    cl.run(sink, sp.PerfParams.manual(2, 4), show_progress=False)
    return seeds


def run(cl: Any, graph: Graph, kinds: Mapping[str, str], how: Packets) -> list[list[list[Any]]]:
    """Run `graph`; return the stored rows by sink and job."""
    columns: dict[Column, Any] = {}
    for number, node in enumerate(graph.nodes):
        made = _node(cl, node, columns, kinds)
        for out, column in enumerate(made if isinstance(made, tuple) else (made,)):
            columns[Column(number, out)] = column
    streams = [
        [_stream(cl, graph, sink, kinds, f"sink {n} of job {job}") for job in range(graph.jobs)]
        for n, sink in enumerate(graph.sinks)
    ]
    sinks = [_sink(cl, graph, kinds, column, columns, out) for column, out in zip(graph.sinks, streams, strict=True)]
    perf = sp.PerfParams.manual(how.work, how.io, pipeline_instances_per_node=how.instances)
    bulk = cl.run(sinks, perf, cache_mode=sp.CacheMode.Overwrite, show_progress=False)
    assert isinstance(bulk, int)
    return [[list(stream.load()) for stream in out] for out in streams]


def expected(graph: Graph, stored: Mapping[str, Sequence[Any]]) -> list[list[list[Any]]]:
    """Return what `run` must return."""
    answers = [Interpreter(graph, stored, job) for job in range(graph.jobs)]
    return [[answer.sink(column) for answer in answers] for column in graph.sinks]


def check(got: list[list[list[Any]]], wanted: list[list[list[Any]]]) -> None:
    """Raise AssertionError naming the first sink, job and row where the answers differ."""
    for sink, (of_got, of_wanted) in enumerate(zip(got, wanted, strict=True)):
        for job, (rows, right) in enumerate(zip(of_got, of_wanted, strict=True)):
            where = f"sink {sink}, job {job}"
            assert len(rows) == len(right), f"{where}: {len(rows)} rows, {len(right)} are right"
            for row, (value, answer) in enumerate(zip(rows, right, strict=True)):
                assert same(value, answer), f"{where}, row {row}: {value!r}, {answer!r} is right"


def same(value: Any, answer: Any) -> bool:
    """Say whether a loaded value is the one the interpreter gave."""
    if answer is NULL or isinstance(value, sp.NullElement):
        return answer is NULL and isinstance(value, sp.NullElement)
    if isinstance(answer, np.ndarray):
        return isinstance(value, np.ndarray) and value.dtype == answer.dtype and np.array_equal(value, answer)
    return type(value) is type(answer) and bool(value == answer)


def kind_of(graph: Graph, column: Column, kinds: Mapping[str, str]) -> str:
    """Return what a column carries."""
    node = graph.nodes[column.node]
    if isinstance(node, Source):
        return kinds[node.tables[0]]
    return OPS[node.name].gives[column.out] if isinstance(node, Op) else kind_of(graph, node.input, kinds)


def _node(cl: Any, node: Any, columns: Mapping[Column, Any], kinds: Mapping[str, str]) -> Any:
    match node:
        case Source(tables):
            handle = sp.NamedVideoStream if kinds[tables[0]] == "f" else sp.NamedStream
            return cl.io.Input([handle(cl, table) for table in tables])
        case Sample(source, kind, args, form):
            return _sample(cl, columns[source], kind, args, form)
        case Slice(source, partitions):
            return cl.streams.Slice(
                columns[source], [getattr(cl.partitioner, kind)(**args) for kind, args in partitions]
            )
        case Unslice(source):
            return cl.streams.Unslice(columns[source])
    return _op(cl, node, [columns[column] for column in node.inputs])


def _sample(cl: Any, column: Any, kind: str, args: Any, form: str) -> Any:
    sampler = getattr(cl.streams, kind)
    if kind == "All":
        return sampler(column)
    if kind == "StridedRanges":
        return sampler(column, intervals=args[0]["intervals"], stride=args[0]["stride"])
    return sampler(column, [_spelled(mine, form) for mine in args])


def _spelled(args: Any, form: str) -> Any:
    if isinstance(args, PerGroup):
        return sp.SliceList([_spelled(mine, form) for mine in args])
    if set(args) & {"rows", "intervals"}:
        return next(iter(args.values()))
    if form == "dict":
        return dict(args)
    return tuple(args.values()) if len(args) > 1 else next(iter(args.values()))


def _op(cl: Any, node: Op, inputs: list[Any]) -> Any:
    words = dict(node.init)
    if node.window is not None:
        words["stencil"] = list(node.window)
    if node.batch is not None:
        words["batch"] = node.batch
    if node.warmup is not None:
        words["bounded_state"] = node.warmup
    if node.stream:
        words["offset"] = [_offsets(mine) for mine in node.stream]
    op, takes = getattr(cl.ops, node.name), OPS[node.name].takes
    if takes.endswith("*"):
        return op(*inputs, **words)
    names = ["x"] if len(takes) == 1 else [f"x{n}" for n in range(len(takes))]
    return op(**dict(zip(names, inputs, strict=True)), **words)


def _offsets(mine: Any) -> Any:
    return sp.SliceList([one["offset"] for one in mine]) if isinstance(mine, PerGroup) else mine["offset"]


def _stream(cl: Any, graph: Graph, column: Column, kinds: Mapping[str, str], name: str) -> Any:
    return (sp.NamedVideoStream if kind_of(graph, column, kinds) == "f" else sp.NamedStream)(cl, name)


def _sink(
    cl: Any, graph: Graph, kinds: Mapping[str, str], column: Column, columns: Mapping[Column, Any], out: list[Any]
) -> Any:
    made = columns[column]
    return cl.io.Output(made.lossless() if kind_of(graph, column, kinds) == "f" else made, out)
