"""Steps: how far each vertex advances with the sinks, and when elements are let go."""

from __future__ import annotations

from scannerpy._plan.memory import held, peak_bytes
from scannerpy._plan.plan import demand
from tests.scannerpy.plan import programs as g


def stepped(sinks, rows, work):
    graph, job = g.planned(sinks, rows, 1000, 1000)
    return demand(graph, job, job.tasks[0], work)


def test_a_plain_chain_advances_together():
    it = stepped([g.sink(g.op(g.source()))], [5], work=2)
    assert it.ends.tolist() == [[2, 2, 2], [4, 4, 4], [5, 5, 5]]
    assert it.last_use[0].tolist() == it.last_use[1].tolist() == [0, 0, 1, 1, 2]
    assert it.last_use[2].tolist() == [-1] * 5


def test_a_stencil_runs_ahead_and_looks_back():
    it = stepped([g.sink(g.op(g.source(), stencil=(-1, 1)))], [6], work=2)
    assert it.ends[:, 0].tolist() == [3, 5, 6]
    assert it.last_use[0].tolist() == [0, 1, 1, 2, 2, 2]


def test_a_batch_is_filled_before_it_runs():
    it = stepped([g.sink(g.op(g.source(), batch=4))], [10], work=3)
    assert it.ends[:, 1].tolist() == [4, 8, 10, 10]
    assert it.ends[:, 0].tolist() == [4, 8, 10, 10]


def test_batches_of_a_stateful_op_start_anew_at_a_reset():
    stateful = g.op(g.source(), batch=4, warmup=0)
    it = stepped([g.sink(g.sample("Ranges", stateful, {"intervals": [(0, 3), (10, 15)]}))], [20], work=2)
    assert it.ends[:, 1].tolist() == [3, 7, 7, 8]


def test_an_op_that_wants_all_rows_runs_in_the_first_step():
    it = stepped([g.sink(g.op(g.op(g.source()), batch=1_000_000))], [6], work=2)
    assert it.ends[:, 2].tolist() == [6, 6, 6]
    assert it.ends[:, 0].tolist() == [6, 6, 6]
    assert it.ends[:, 3].tolist() == [2, 4, 6]


def test_rows_wanted_again_later_are_kept():
    it = stepped([g.sink(g.sample("Gather", g.source(), {"rows": [3, 0, 1, 3]}))], [9], work=2)
    assert it.vertices[0].rows.tolist() == [0, 1, 3]
    assert it.ends[:, 0].tolist() == [3, 3]
    assert it.last_use[0].tolist() == [0, 1, 1]


def test_warm_up_rows_are_never_taken():
    graph, job = g.planned([g.sink(g.op(g.source(), warmup=2))], [8], 4, 4)
    for work in (1, 4):
        it = demand(graph, job, job.tasks[1], work)
        assert it.last_use[1].tolist()[:2] == [-1, -1]
        assert min(it.last_use[1].tolist()[2:]) >= 0


def test_the_elements_held_are_those_between_making_and_last_use():
    it = stepped([g.sink(g.op(g.source(), stencil=(-1, 1)))], [6], work=2)
    assert held(it)[:, 0].tolist() == [3, 4, 3]
    assert held(it)[:, 1].tolist() == [2, 2, 2]
    assert peak_bytes(it, [100, 1, 0]) == 402
