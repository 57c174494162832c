"""Which arrays a kernel may have to itself, seen from the graph."""

from __future__ import annotations

import pytest

from scannerpy._graph.graph import Edge, Graph, Vertex
from scannerpy._graph.node import Compression
from scannerpy._kernels.sharing import owned_inputs


def graph(*parts: tuple[str, str, tuple[int, ...]], stencil: tuple[int, ...] = (0,)) -> Graph:
    """Vertices given as (kind, name, numbers of their producers)."""
    return Graph(
        tuple(
            Vertex(
                number=number,
                kind=kind,
                name=name,
                inputs=tuple(Edge(producer, "frame", True, "", Compression()) for producer in producers),
                level=0,
                where=None,
                args={},
                has_job_args=False,
                stencil=stencil if kind == "op" else (0,),
            )
            for number, (kind, name, producers) in enumerate(parts)
        )
    )


SOURCE = ("source", "FrameColumn", ())


def owned(*parts: tuple[str, str, tuple[int, ...]], **options) -> tuple[bool, ...]:
    """What the vertex before the last (the op in question) owns."""
    return owned_inputs(graph(SOURCE, *parts, **options))[len(parts) - 1]


def test_the_only_consumer_owns_its_input():
    assert owned(("op", "A", (0,)), ("sink", "S", (1,))) == (True,)
    assert owned(("op", "A", (0,)), ("op", "B", (1,)), ("sink", "S", (2,))) == (True,)


@pytest.mark.parametrize("sampler", ["All", "Stride", "Range", "StridedRange", "RepeatNull"])
def test_samplers_that_give_each_row_once_change_nothing(sampler):
    assert owned(("sample", sampler, (0,)), ("op", "A", (1,)), ("sink", "S", (2,))) == (True,)


@pytest.mark.parametrize("sampler", ["Gather", "Repeat", "Ranges", "StridedRanges"])
def test_samplers_that_may_repeat_a_row_share_it(sampler):
    assert owned(("sample", sampler, (0,)), ("op", "A", (1,)), ("sink", "S", (2,))) == (False,)


def test_slices_share_what_they_get_since_a_group_may_list_a_row_twice():
    parts = (("slice", "Slice", (0,)), ("op", "A", (1,)), ("unslice", "Unslice", (2,)), ("sink", "S", (3,)))
    assert owned_inputs(graph(SOURCE, *parts))[2] == (False,)


def test_two_consumers_share():
    assert owned_inputs(graph(SOURCE, ("op", "A", (0,)), ("op", "B", (0,))))[1:] == [(False,), (False,)]
    assert owned_inputs(graph(SOURCE, ("op", "A", (0,)), ("sink", "S", (0,))))[1] == (False,)
    assert owned_inputs(graph(SOURCE, ("op", "A", (0, 0))))[1] == (False, False)


def test_sharing_above_a_sampler_counts():
    parts = (("sample", "Stride", (0,)), ("op", "A", (1,)), ("op", "B", (0,)))
    assert owned_inputs(graph(SOURCE, *parts))[2] == (False,)


def test_windows_share():
    assert owned(("op", "A", (0,)), ("sink", "S", (1,)), stencil=(0, 1)) == (False,)
