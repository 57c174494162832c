"""Few sampled rows are shared out by what is decoded for them; which rows come out does not depend on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerpy._graph.build import build
from scannerpy._plan.balance import balanced, decoded, done_after, frames_decoded
from scannerpy._plan.plan import Plan, make_plan
from tests.scannerpy.plan import programs as g

KEYS = np.arange(0, 2053, 250)


@given(
    rows=st.lists(st.integers(0, 99), unique=True, max_size=20).map(sorted),
    keys=st.lists(st.integers(1, 99), unique=True, max_size=5).map(lambda more: [0, *sorted(more)]),
)
def test_frames_are_decoded_from_keyframes_to_the_last_row_wanted(rows: list[int], keys: list[int]) -> None:
    one_by_one: set[int] = set()
    for row in rows:
        one_by_one |= set(range(max(key for key in keys if key <= row), row + 1))
    assert frames_decoded(np.array(rows, int), np.array(keys)) == len(one_by_one)


@given(st.lists(st.integers(0, 100), max_size=20), st.integers(1, 4))
def test_no_pipeline_is_idle_while_a_task_waits(costs: list[int], pipelines: int) -> None:
    after = done_after(costs, pipelines)
    assert sum(costs) <= after * pipelines
    assert after <= sum(costs) / pipelines + max(costs, default=0)


def plans(rows: list[int], frames: int = 2053):
    """How a job that gathers `rows` is planned for a packet size."""
    graph, jobs = build([g.sink(g.op(g.sample("Gather", g.source(), {"rows": rows})))])

    def plan_with(io: int) -> Plan:
        return make_plan(graph, jobs, [[frames]], io, 1)

    return plan_with


@pytest.mark.parametrize("step", [30, 100])
@pytest.mark.parametrize("pipelines", [2, 4])
def test_few_rows_all_over_a_video_keep_all_pipelines_busy(step: int, pipelines: int) -> None:
    plan_with = plans(list(range(0, 2053, step)))
    io = balanced(plan_with, 257, [KEYS], pipelines)
    alone = sum(decoded(plan_with(257), [KEYS]))
    after = done_after(decoded(plan_with(io), [KEYS]), pipelines)
    assert after < 1.5 * alone / pipelines


def test_rows_of_one_group_of_pictures_are_not_cut() -> None:
    assert balanced(plans([0, 50, 100]), 100, [KEYS], 2) in {2, 100}, "to cut saves nothing but the last row"
    assert balanced(plans([240, 241, 242]), 100, [KEYS], 2) == 100


def test_jobs_with_tasks_enough_stay_as_they_are() -> None:
    assert balanced(plans(list(range(0, 2000, 2))), 100, [KEYS], 2) == 100


@pytest.mark.parametrize("rows", [[], [7]])
def test_nothing_to_share(rows: list[int]) -> None:
    assert balanced(plans(rows), 100, [KEYS], 2) == 100


def test_one_pipeline_has_it_all() -> None:
    assert balanced(plans([0, 1000, 2000]), 100, [KEYS], 1) == 100


def test_rows_count_where_nothing_is_known_of_keyframes() -> None:
    assert decoded(plans([0, 1000, 2000])(2), [None]) == [2, 1]
