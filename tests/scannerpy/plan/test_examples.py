"""The worked examples of the specification (§5.4, §6.2, §7.2, §7.3), and what each op is asked to execute."""

from __future__ import annotations

import numpy as np
import pytest

from scannerpy._graph.graph import Graph
from scannerpy._graph.node import Partition, PerGroup
from scannerpy._plan.plan import demand
from scannerpy._plan.steps import TaskDemand
from tests.scannerpy.plan import programs as g


def only(sinks, rows, io=1000, work=1000) -> tuple[Graph, TaskDemand]:
    graph, job = g.planned(sinks, rows, io, work)
    return graph, demand(graph, job, job.tasks[0], work)


def seen(it: TaskDemand, producer: int, vertex: int) -> list[list[int]]:
    """The rows of `producer` in each window of `vertex`."""
    rows = np.append(it.vertices[producer].rows, -1)
    return rows[it.vertices[vertex].takes[0]].tolist()


def counters(it: TaskDemand, vertex: int) -> list[int]:
    """What a kernel that counts its rows since `reset()` returns for the rows that are kept."""
    count, kept = 0, []
    for reset, keep in zip(it.vertices[vertex].resets, it.vertices[vertex].keep, strict=True):
        count = 0 if reset else count + 1
        kept += [count] if keep else []
    return kept


def test_bounded_state_of_three_counts_0_3_3_4_5():
    """Spec §5.4."""
    stateful = g.op(g.source(), warmup=3)
    _, it = only([g.sink(g.sample("Gather", stateful, {"rows": [0, 10, 25, 26, 27]}))], [720])
    assert it.vertices[1].rows.tolist() == [0, 7, 8, 9, 10, 22, 23, 24, 25, 26, 27]
    assert counters(it, 1) == [0, 3, 3, 4, 5]


def test_thirty_rows_of_three_overlapping_groups():
    """Spec §6.2: strided ranges, a Range per group, unsliced to rows 0–9, 10–19, 20–29."""
    part = g.sliced(g.source(), Partition("strided_ranges", {"intervals": [(0, 15), (5, 25), (15, 35)], "stride": 1}))
    ranges = PerGroup([{"start": s, "end": e} for s, e in ((0, 10), (5, 15), (5, 15))])
    tasks = g.demands([g.sink(g.unsliced(g.sample("Range", part, ranges)))], [720])
    assert [it.vertices[0].rows.tolist() for it in tasks] == [list(range(10)), list(range(10, 20)), list(range(20, 30))]


@pytest.mark.parametrize(
    ("rows", "stencil", "windows"),
    [
        (1, (-1, 0), [[0, 0]]),
        (1, (0, 1), [[0, 0]]),
        (3, (0, 1), [[0, 1], [1, 2], [2, 2]]),
        (3, (-2, -1), [[0, 0], [0, 0], [0, 1]]),  # without 0 among them
        (3, (1, -1), [[1, 0], [2, 0], [2, 1]]),  # in the order given
        (2, (-9, 9), [[0, 1], [0, 1]]),
    ],
)
def test_windows_repeat_the_edge(rows, stencil, windows):
    """Spec §7.2."""
    _, it = only([g.sink(g.op(g.source(), stencil=stencil))], [rows])
    assert seen(it, 0, 1) == windows


def test_the_domain_of_a_stencil_is_the_ops_own_input():
    """Spec §7.2: with the range before the op, row 2's neighbour is row 2; with the range after it, frame 3."""
    read = g.source()
    first_three = {"start": 0, "end": 3}
    _, before = only([g.sink(g.op(g.sample("Range", read, first_three), stencil=(0, 1)))], [720])
    assert seen(before, 1, 2) == [[0, 1], [1, 2], [2, 2]]
    assert before.vertices[0].rows.tolist() == [0, 1, 2]
    _, after = only([g.sink(g.sample("Range", g.op(read, stencil=(0, 1)), first_three))], [720])
    assert seen(after, 0, 1) == [[0, 1], [1, 2], [2, 3]]
    assert after.vertices[0].rows.tolist() == [0, 1, 2, 3]


def test_a_stencil_wider_than_a_packet_reaches_into_other_tasks():
    graph, job = g.planned([g.sink(g.op(g.source(), stencil=(-3, 0, 3)))], [9], io=1, work=1)
    it = demand(graph, job, job.tasks[4], 1)
    assert it.vertices[0].rows.tolist() == [1, 4, 7]
    assert seen(it, 0, 1) == [[1, 4, 7]]


def test_in_a_slice_windows_and_warm_up_stop_at_the_groups_edges():
    part = g.sliced(g.source(), Partition("ranges", {"intervals": [(0, 4), (4, 8)]}))
    stateful = g.op(g.op(part, stencil=(-1, 0, 1)), warmup=2)
    second = g.demands([g.sink(g.unsliced(stateful))], [10])[1]
    assert second.vertices[0].rows.tolist() == [4, 5, 6, 7]
    assert seen(second, 1, 2) == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 3]]
    assert second.vertices[3].rows.tolist() == [0, 1, 2, 3]
    assert second.vertices[3].resets.tolist() == [True, False, False, False]


def test_warm_up_rows_of_the_task_before_are_executed_again():
    """Spec §7.3."""
    graph, job = g.planned([g.sink(g.op(g.source(), warmup=2))], [12], io=4, work=4)
    it = demand(graph, job, job.tasks[1], 4).vertices[1]
    assert it.rows.tolist() == [2, 3, 4, 5, 6, 7]
    assert it.keep.tolist() == [False, False, True, True, True, True]


def test_unbounded_state_starts_at_row_0_in_every_task():
    """Spec §7.3."""
    graph, job = g.planned([g.sink(g.op(g.source(), unbounded=True))], [12], io=4, work=4)
    it = demand(graph, job, job.tasks[1], 4).vertices[1]
    assert it.rows.tolist() == list(range(8))
    assert it.keep.tolist() == [False] * 4 + [True] * 4


def test_state_widens_before_the_window_does():
    """Spec §7.3: executed rows are first expanded by state, then by the window."""
    stateful = g.op(g.source(), warmup=2, stencil=(-1, 0))
    _, it = only([g.sink(g.sample("Gather", stateful, {"rows": [5]}))], [10])
    assert it.vertices[1].rows.tolist() == [3, 4, 5]
    assert it.vertices[0].rows.tolist() == [2, 3, 4, 5]


def test_rows_gathered_in_any_order_are_computed_once():
    _, it = only([g.sink(g.sample("Gather", g.op(g.source()), {"rows": [7, 2, 7, 3]}))], [10])
    assert it.vertices[1].rows.tolist() == [2, 3, 7]
    assert seen(it, 1, 2) == [[7], [2], [7], [3]]


def test_nulls_are_taken_from_nowhere():
    _, it = only([g.sink(g.op(g.sample("RepeatNull", g.source(), {"spacing": 3})))], [2])
    assert it.vertices[1].takes[0].tolist() == [[0], [-1], [-1], [1], [-1], [-1]]
    assert it.vertices[0].rows.tolist() == [0, 1]


def test_a_task_of_nulls_only_reads_nothing():
    graph, job = g.planned([g.sink(g.sample("RepeatNull", g.op(g.source()), {"spacing": 4}))], [2], io=1, work=1)
    it = demand(graph, job, job.tasks[1], 1)
    assert [len(vertex.rows) for vertex in it.vertices] == [0, 0, 1, 1]


def test_an_op_that_wants_all_rows_gets_them_even_if_few_are_stored():
    whole = g.op(g.source(), batch=1_000_000)
    _, it = only([g.sink(g.sample("Gather", whole, {"rows": [4]}))], [9], io=1, work=1)
    assert it.vertices[1].rows.tolist() == list(range(9))
    assert it.vertices[1].keep.tolist() == [row == 4 for row in range(9)]


def test_gaps_reset_kernels_that_run_row_by_row_but_do_not_split_stateless_batches():
    read = g.source()
    gathered = {"rows": [0, 1, 5, 6]}
    for options, resets in (
        ({}, [1, 0, 1, 0]),
        ({"batch": 4}, [1, 0, 0, 0]),
        ({"batch": 4, "warmup": 0}, [1, 0, 1, 0]),
    ):
        _, it = only([g.sink(g.sample("Gather", g.op(read, **options), gathered))], [9])
        assert it.vertices[1].resets.astype(int).tolist() == resets


def test_outputs_that_a_task_does_not_need_are_not_computed():
    read = g.source()
    one, two = g.op(read, name="One"), g.op(read, name="Two")
    joined = g.op(g.sample("Range", one, {"start": 0, "end": 4}), g.sample("Range", two, {"start": 4, "end": 8}))
    graph, it = only([g.sink(joined)], [9])
    executed = {graph.vertices[i].name: vertex.rows.tolist() for i, vertex in enumerate(it.vertices)}
    assert (executed["One"], executed["Two"]) == ([0, 1, 2, 3], [4, 5, 6, 7])


def test_nulls_among_sparse_rows_far_from_the_beginning_stay_nulls():
    """A null looks nowhere, also where the rows around it are few and start late."""
    spaced = g.sample("RepeatNull", g.source(), {"spacing": 3})
    every4th = g.op(g.op(g.sample("Stride", g.op(spaced), {"stride": 4})))
    graph, job = g.planned([g.sink(every4th)], [40], io=5, work=5)
    for task in job.tasks:
        it = demand(graph, job, task, 5)
        rows = [4 * row // 3 if 4 * row % 3 == 0 else -1 for row in range(task.start, task.end)]
        assert it.vertices[0].rows.tolist() == [row for row in rows if row >= 0]
        wanted = [4 * row for row in range(task.start, task.end)]
        assert it.vertices[1].rows.tolist() == wanted
        assert seen(it, 0, 1) == [[row] for row in rows]
