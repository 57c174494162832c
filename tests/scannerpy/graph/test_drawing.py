"""A graph as text."""

from __future__ import annotations

from scannerpy._graph.build import build
from scannerpy._graph.describe import describe
from scannerpy._graph.node import Output, Partition
from scannerpy._ops.signature import Column
from tests.scannerpy.plan import programs as g


def test_one_line_per_vertex_with_what_is_unusual_about_it():
    read = g.source(where=g.at(10))
    picked = g.sample("Stride", read, {"stride": 2}, where=g.at(11))
    flow = g.op(picked, name="OpticalFlow", stencil=(0, 1), batch=8, where=g.at(12))
    graph, _ = build([g.sink(flow, where=g.at(13))])
    assert describe(graph).splitlines() == [
        "0  Column                                     program.py:10",
        "1  Stride       ← 0                           program.py:11",
        "2  OpticalFlow  ← 1  stencil [0, 1], batch 8  program.py:12",
        "3  Column       ← 2                           program.py:13",
    ]


def test_slices_are_indented_and_state_is_named():
    part = g.sliced(g.source(), Partition("all", {"group_size": 3}))
    seen = g.op(g.op(part, unbounded=True), g.op(part, warmup=4), batch=1_000_000)
    graph, _ = build([g.sink(g.unsliced(seen))])
    assert describe(graph).splitlines() == [
        "0  Column",
        "1  Slice    ← 0",
        "2    Op     ← 1     unbounded state",
        "3    Op     ← 1     state over 4 rows",
        "4    Op     ← 2, 3  all rows at once",
        "5  Unslice  ← 4",
        "6  Column   ← 5",
    ]


def test_a_column_is_named_where_there_are_several():
    two = g.op(g.source(), signature=g.signature(outputs=(Column("a", is_video=False), Column("b", is_video=False))))
    graph, _ = build([g.sink(g.op(two, two, name="Join"))])
    assert "← 1.column, 1.column" in describe(graph)
    assert Output(node=two, column="a", is_video=False).column == "a"
