"""Planning costs next to nothing: a million rows, and twenty thousand streams."""

from __future__ import annotations

import pickle
import time

import pytest

from scannerpy._graph.build import build
from scannerpy._plan.plan import demand, make_plan
from tests.pace import slowness
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


def planning(sinks):
    """CPU seconds to plan and trace a million rows in one task and in a thousand."""
    graph, jobs = build(sinks)
    began = time.process_time()
    for io in (1000, MILLION):
        job = make_plan(graph, jobs, [[MILLION]], io, io).jobs[0]
        for task in job.tasks:
            demand(graph, job, task, io)
    return time.process_time() - began


@pytest.mark.parametrize("program", [eight_ops, sampled_ops])
def test_a_million_rows_through_eight_ops_take_half_a_second_of_a_quiet_machine(program):
    sinks = program()
    assert any(planning(sinks) < 0.5 * slowness() for _ in range(8))


def test_a_million_rows_in_any_order_are_planned_as_quickly():
    rows = [(i * 7919) % MILLION for i in range(MILLION)]
    sinks = [g.sink(g.op(g.sample("Gather", g.op(g.source()), {"rows": rows})))]
    assert any(planning(sinks) < 0.8 * slowness() for _ in range(8))


def test_twenty_thousand_streams_are_planned_in_seconds_and_stay_small():
    count = 20_000
    node = g.sample("Stride", g.source(count), *({"stride": 2} for _ in range(count)))
    for _ in range(8):
        node = g.op(node)
    began = time.process_time()
    graph, jobs = build([g.sink(node, jobs=count)])
    plan = make_plan(graph, jobs, [[1000 + stream] for stream in range(count)], 100, 100)
    assert time.process_time() - began < 5 * slowness()
    assert plan.tasks > 1_000_000
    assert len(pickle.dumps(plan)) < 300 * count
