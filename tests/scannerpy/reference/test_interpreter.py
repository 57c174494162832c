"""The reference interpreter itself, on the worked examples of the specification. Nothing here needs the engine."""

import pytest

from tests.scannerpy.reference.description import Column, Graph, Op, PerGroup, Sample, Slice, Source, Unslice
from tests.scannerpy.reference.interpreter import NULL, Interpreter, counters, partition_rows, sampled_rows
from tests.scannerpy.reference.meanings import digest


def answer(graph, rows):
    return Interpreter(graph, {"t": rows}, 0).sink(graph.sinks[0])


def letters(count):
    return [b"%d" % n for n in range(count)]


@pytest.mark.parametrize(
    ("kind", "args", "rows", "expected"),
    [
        ("All", {}, 3, [0, 1, 2]),
        ("Stride", {"stride": 4}, 10, [0, 4, 8]),
        ("Range", {"start": 0, "end": 1000}, 5, [0, 1, 2, 3, 4]),
        ("Range", {"start": 7, "end": 9}, 5, []),
        ("Ranges", {"intervals": [(0, 2), (9, 12), (3, 4)]}, 10, [0, 1, 9, 3]),
        ("StridedRange", {"start": 1, "end": 99, "stride": 3}, 9, [1, 4, 7]),
        ("StridedRanges", {"intervals": [(0, 5), (6, 20)], "stride": 2}, 9, [0, 2, 4, 6, 8]),
        ("Gather", {"rows": [4, 0, 7, 4, 2]}, 5, [4, 0, 4, 2]),
        ("Repeat", {"spacing": 2}, 3, [0, 0, 1, 1, 2, 2]),
        ("RepeatNull", {"spacing": 3}, 2, [0, None, None, 1, None, None]),
    ],
)
def test_each_sampler_follows_the_table_of_section_6_1(kind, args, rows, expected):
    assert sampled_rows(kind, args, rows) == expected


@pytest.mark.parametrize(
    ("kind", "args", "expected"),
    [
        ("all", {"group_size": 4}, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]),
        ("strided", {"stride": 3, "group_size": 2}, [[0, 3], [6, 9]]),
        ("range", {"start": 2, "end": 5}, [[2, 3, 4]]),
        ("ranges", {"intervals": [(0, 2), (1, 3)]}, [[0, 1], [1, 2]]),
        ("strided_range", {"start": 1, "end": 10, "stride": 4}, [[1, 5, 9]]),
        ("strided_ranges", {"intervals": [(0, 4), (5, 10)], "stride": 2}, [[0, 2], [5, 7, 9]]),
        ("gather", {"groups": [[3, 1], [], [1, 1]]}, [[3, 1], [], [1, 1]]),
    ],
)
def test_each_partitioner_follows_the_table_of_section_6_3(kind, args, expected):
    assert partition_rows(kind, args, 10) == expected


def test_ranges_inside_slices_take_one_argument_per_group():
    cut = ("strided_ranges", {"intervals": [(0, 15), (5, 25), (15, 35)], "stride": 1})
    inside = PerGroup([{"start": 0, "end": 10}, {"start": 5, "end": 15}, {"start": 5, "end": 15}])
    nodes = (Source(("t",)), Slice(Column(0), (cut,)), Sample(Column(1), "Range", (inside,)), Unslice(Column(2)))
    got = answer(Graph(nodes, (Column(3),), 1), letters(40))
    assert got == [b"%d" % n for n in [*range(10), *range(10, 20), *range(20, 30)]]


@pytest.mark.parametrize(
    ("rows", "window", "row", "seen"),
    [
        (1, (-1, 0), 0, (0, 0)),
        (1, (0, 1), 0, (0, 0)),
        (6, (0, 1), 5, (5, 5)),
        (6, (-2, -1), 0, (0, 0)),
        (6, (2, -2), 3, (5, 1)),
    ],
)
def test_a_stencil_repeats_the_edge_and_keeps_its_order(rows, window, row, seen):
    graph = Graph((Source(("t",)), Op("RefWindow", (Column(0),), {"salt": 0}, window)), (Column(1),), 1)
    assert answer(graph, letters(rows))[row] == digest("window", 0, tuple(b"%d" % n for n in seen))


def test_the_domain_of_a_stencil_is_the_ops_own_input():
    sampled = Sample(Column(0), "Range", ({"start": 0, "end": 3},))
    before = Graph((Source(("t",)), sampled, Op("RefWindow", (Column(1),), {"salt": 0}, (0, 1))), (Column(2),), 1)
    after = (
        Source(("t",)),
        Op("RefWindow", (Column(0),), {"salt": 0}, (0, 1)),
        Sample(Column(1), "Range", sampled.args),
    )
    assert answer(before, letters(9))[2] == digest("window", 0, (b"2", b"2"))
    assert answer(Graph(after, (Column(2),), 1), letters(9))[2] == digest("window", 0, (b"2", b"3"))


def test_a_null_gives_null_and_ends_what_a_kernel_remembers():
    recent = Op("RefRecent", (Column(1),), {"salt": 0, "keep": 2})
    graph = Graph((Source(("t",)), Sample(Column(0), "RepeatNull", ({"spacing": 2},)), recent), (Column(2),), 1)
    got = answer(graph, letters(2))
    assert got[1] is NULL
    assert got[2] == digest("recall", 0, (), ((b"1",),))


def test_bounded_state_reaches_back_to_the_start_of_its_group():
    cut = ("ranges", {"intervals": [(0, 2), (4, 6)]})
    recent = Op("RefRecent", (Column(1),), {"salt": 0, "keep": 2})
    graph = Graph((Source(("t",)), Slice(Column(0), (cut,)), recent, Unslice(Column(2))), (Column(3),), 1)
    assert answer(graph, letters(9))[3] == digest("recall", 0, (), ((b"4",),), ((b"5",),))


def test_the_counter_of_section_5_4():
    assert counters([0, 10, 25, 26, 27], warmup=3, task=100) == [0, 3, 3, 4, 5]
    assert counters([0, 10, 25, 26, 27], warmup=3, task=4) == [0, 3, 3, 4, 3]
