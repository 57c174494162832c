"""Planning costs next to nothing: a million rows, and twenty thousand streams.

Counted in lines of Python, which no other process can change; `benchmarks/planning.py` has the seconds.
"""

from __future__ import annotations

import pickle

import pytest

from scannerpy._graph.build import build
from scannerpy._plan.plan import demand, make_plan
from tests.effort import lines
from tests.scannerpy.plan import programs as g

MILLION = 1_000_000


def eight_ops():
    """Stencils, state, batches and a diamond."""
    first = g.op(g.source())
    blurred = g.op(first, stencil=(-1, 0, 1))
    tracked = g.op(g.op(first, blurred), warmup=3)
    flow = g.op(g.op(tracked, batch=8), stencil=(0, 1))
    return [g.sink(g.op(g.op(flow, first), blurred))]


def sampled_ops():
    """The same number of ops, between samplers that leave gaps."""
    node = g.op(g.op(g.sample("Stride", g.source(), {"stride": 3})), stencil=(-1, 0))
    node = g.sample("Ranges", node, {"intervals": [(i, i + 7) for i in range(0, 333_333, 10)]})
    node = g.sample("Repeat", g.op(g.op(node, warmup=2)), {"spacing": 4})
    for batch in (1, 4, 1, 1):
        node = g.op(node, batch=batch)
    return [g.sink(node)]


def plan_and_trace(sinks, io):
    """Plan a million rows, and trace every task."""
    graph, jobs = build(sinks)
    job = make_plan(graph, jobs, [[MILLION]], io, io).jobs[0]
    for task in job.tasks:
        demand(graph, job, task, io)


@pytest.mark.parametrize("program", [eight_ops, sampled_ops])
def test_planning_a_million_rows_through_eight_ops_takes_lines_per_task_and_not_per_row(program):
    """A thousand tasks and one task: 750 lines of Python for each, whatever the rows in it."""
    assert lines(lambda: plan_and_trace(program(), 1000)) < 1000 * 1100
    assert lines(lambda: plan_and_trace(program(), MILLION)) < 40_000  # an argument per range was given


def test_a_million_rows_in_any_order_are_planned_as_quickly():
    rows = [(i * 7919) % MILLION for i in range(MILLION)]
    sinks = [g.sink(g.op(g.sample("Gather", g.op(g.source()), {"rows": rows})))]
    assert lines(lambda: plan_and_trace(sinks, 1000)) < 1000 * 500
    assert lines(lambda: plan_and_trace(sinks, MILLION)) < 2000


def planned_streams(count):
    node = g.sample("Stride", g.source(count), *({"stride": 2} for _ in range(count)))
    for _ in range(8):
        node = g.op(node)
    graph, jobs = build([g.sink(node, jobs=count)])
    return make_plan(graph, jobs, [[1000 + stream] for stream in range(count)], 100, 100)


def test_each_stream_adds_as_much_as_the_one_before():
    """270 lines of Python a stream through a sampler and eight ops."""
    few, many = lines(lambda: planned_streams(250)), lines(lambda: planned_streams(2500))
    assert many < 10.2 * few
    assert many < 2500 * 400


def test_twenty_thousand_planned_streams_stay_small():
    plan = planned_streams(20_000)
    assert plan.tasks > 1_000_000
    assert len(pickle.dumps(plan)) < 300 * 20_000
