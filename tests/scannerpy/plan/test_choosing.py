"""Packet sizes brought into line with keyframes, and which tasks need not run again."""

from __future__ import annotations

import numpy as np
import pytest

from scannerpy._graph.build import build
from scannerpy._plan.estimate import aligned, keyframe_distance
from scannerpy._plan.plan import make_plan
from scannerpy._plan.reuse import finished
from scannerpy._words.sizing import Sizing
from tests.scannerpy.plan import programs as g

EVERY_12 = np.arange(0, 600, 12)


def test_tasks_begin_at_keyframes_where_the_choice_is_ours():
    work, io = aligned(20, 100, [EVERY_12])
    assert (work, io) == (16, 96)


@pytest.mark.parametrize("work", [1, 7, 20, 50, 96, 400])
@pytest.mark.parametrize("distance", [1, 12, 30, 97])
def test_the_io_packet_stays_a_multiple_of_the_work_packet(work, distance):
    new_work, io = aligned(work, 100, [np.arange(0, 1000, distance)])
    assert io % new_work == 0
    assert io % distance == 0
    assert 50 <= io <= 150


def test_a_single_long_gop_changes_nothing():
    assert aligned(20, 100, [np.array([0])]) == (20, 100)
    assert aligned(20, 100, [np.array([0, 1000])]) == (20, 100)
    assert aligned(20, 100, []) == (20, 100)


def test_a_long_gop_is_cut_into_equal_tasks():
    """So that a task begins at every keyframe, and whoever takes over there decodes nothing twice."""
    assert aligned(14, 70, [np.array([0, 250, 500])]) == (10, 50)
    assert aligned(14, 70, [np.array([0, 251, 502])]) == (14, 70)  # a prime: nothing fits


def test_irregular_keyframes_change_nothing():
    assert keyframe_distance([np.array([0, 10, 17, 40, 41])]) is None
    assert aligned(20, 100, [np.array([0, 10, 17, 40, 41])]) == (20, 100)


def test_a_few_extra_keyframes_at_scene_cuts_do_not_matter():
    assert keyframe_distance([np.sort(np.append(EVERY_12, 100))]) == 12


def test_memory_bounds_the_packet_and_parallelism_bounds_it_further():
    sizing = Sizing(memory=1 << 30, share=0.5, work_io_ratio=0.25, queue=4, pipelines=4)
    assert sizing.packets([1 << 20], None) == (25, 100)
    assert sizing.packets([1024], 3200) == (50, 200)
    assert aligned(*sizing.packets([1024], 3200), [np.arange(0, 3200, 48)]) == (48, 192)


def test_nothing_known_gives_the_documented_default():
    sizing = Sizing(memory=1 << 30, share=0.5, work_io_ratio=0.25, queue=4, pipelines=4)
    assert sizing.packets([], None) == (10, 100)


def plan_of_two_sinks():
    read = g.source(jobs=2)
    graph, jobs = build([g.sink(read, jobs=2), g.sink(g.op(read), jobs=2)])
    return make_plan(graph, jobs, [[10], [4]], 4, 4)


def test_a_task_is_done_when_every_sink_has_its_part():
    found = {(0, 0, 2): "a", (0, 1, 2): "b", (0, 0, 1): "c", (1, 1, 0): "d", (0, 0, 0): "e", (0, 1, 0): "f"}
    assert finished(plan_of_two_sinks(), found) == {0: {0: ("e", "f"), 2: ("a", "b")}}


def test_results_that_are_not_of_this_plan_are_passed_over():
    found = {(0, 0, 3): "a", (0, 1, 3): "b", (7, 0, 0): "c", (7, 1, 0): "d", (1, 0, -1): "e", (1, 1, -1): "f"}
    assert finished(plan_of_two_sinks(), found) == {}
