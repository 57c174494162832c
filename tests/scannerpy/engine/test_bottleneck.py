"""Which stage held a run up, told from its trace."""

import pytest

from scannerpy._engine.bottleneck import bottleneck, shares, stages
from scannerpy._engine.statistics import statistics
from scannerpy._engine.trace import Interval, Trace
from scannerpy.profiler import Profile

SECOND = 1_000_000_000
DECODE, READ, ENCODE, WRITE = "Pipeline[0]:DecodeVideo", "Reader[0]", "Pipeline[0]:EncodeVideo", "Writer[0]"
OPS = "Pipeline[0]:Ops[0]"
AFTER_LOAD, AFTER_OPS = "Queue after load", "Queue after evaluate"


def did(lane, name, kind, seconds, at=0.0, until=10.0, rows=5, task=0):
    """Something that took `seconds` of work between two times."""
    start, end = (int(each * SECOND) for each in (at, until))
    return Interval(lane, name, kind, start, end, int(seconds * SECOND), rows, 0, task)


def told(*intervals, cpus=4, workers=1):
    return bottleneck(dict.fromkeys(range(workers), intervals), cpus)


def test_decoding_that_ops_wait_for_is_the_bottleneck():
    line = told(
        did(DECODE, "FrameColumn", "load", 7.1, task=1),
        did(OPS, "Histogram", "eval", 2, task=2),
        did(AFTER_LOAD, "wait for load", "wait", 6),
        workers=2,
    )
    assert line == (
        "decode-bound: 71% of 2 instances' time went into reading and decoding video, while ops waited 60%; "
        "more instances or a sparser sampler would help"
    )


def test_more_instances_are_not_advised_where_every_core_has_one():
    line = told(did(DECODE, "FrameColumn", "load", 9), cpus=2, workers=2)
    assert line.endswith("; a sparser sampler would help (all 2 cores are taken)")


def test_more_instances_are_not_advised_where_there_are_no_more_tasks():
    line = told(did(DECODE, "FrameColumn", "load", 9))
    assert line.endswith(
        "; smaller tasks (io_packet_size, where the ops allow it) for more instances or a sparser sampler would help"
    )


def test_the_op_that_takes_most_is_named_and_who_waits_for_it():
    line = told(
        did(DECODE, "FrameColumn", "load", 3),
        did(OPS, "Resize", "eval", 1),
        did(OPS, "Flow", "eval", 7, task=1),
        did(AFTER_LOAD, "wait for room", "wait", 6.5),
        did(AFTER_OPS, "wait for evaluate", "wait", 4),
    )
    assert line.startswith(
        "op-bound: 80% of the time of 1 instance went into ops, most of it (70%) into Flow, while loading waited 65%; "
        "more instances or a cheaper Flow"
    )


@pytest.mark.parametrize(
    ("lane", "name", "kind", "says"),
    [
        (OPS, "Model", "eval", "op-bound: 90% of the time of 1 instance went into Model;"),
        (READ, "Column", "load", "read-bound: 90% of the time of 1 instance went into reading stored rows;"),
        (READ, "open", "load", "read-bound: 90% of the time of 1 instance went into opening streams;"),
        (ENCODE, "FrameColumn", "save", "encode-bound: 90% of the time of 1 instance went into encoding video;"),
        (WRITE, "Column: finish", "save", "write-bound: 90% of the time of 1 instance went into writing;"),
    ],
)
def test_every_stage_can_be_it(lane, name, kind, says):
    assert told(did(lane, name, kind, 9)).startswith(says)


def test_saving_that_ops_wait_for():
    line = told(did(ENCODE, "FrameColumn", "save", 9), did(AFTER_OPS, "wait for room", "wait", 5))
    assert ", while ops waited 50%;" in line


def test_where_no_stage_is_busy_none_is_blamed():
    line = told(did(DECODE, "FrameColumn", "load", 3), did(OPS, "Histogram", "eval", 1))
    assert line.startswith(
        "bound by no stage: of the time of 1 instance none took more than 30% (loading 30%, ops 10%, saving 0%)"
    )


def test_an_instance_that_ends_early_counts_as_idle():
    busy, early = did(OPS, "Op", "eval", 10), did(OPS, "Op", "eval", 1, until=1)
    it = shares({0: [busy], 1: [early]})
    assert it.busy["eval"] == pytest.approx(0.55)
    assert stages(it)[1] == ("ops", pytest.approx(0.55), "Op 55%")


def test_a_run_that_computed_nothing_has_no_bottleneck():
    assert bottleneck({}, 2) == "nothing was computed, so nothing held it up"
    master = did("EventLoop", "commit 1 jobs", "master", 1)
    assert bottleneck({-1: [master]}, 2) == "nothing was computed, so nothing held it up"


def both():
    trace = Trace()
    trace.add(0, [did(DECODE, "FrameColumn", "load", 2.5), did(OPS, "Op", "eval", 9)])
    trace.add(1, [did(DECODE, "FrameColumn", "load", 1.5, until=20)])
    trace.add(-1, [did("EventLoop", "commit 1 jobs", "master", 0.5, at=20, until=21, rows=0)])
    return trace


def test_statistics_have_seconds_as_text_and_counters_as_numbers():
    told = statistics(both().workers)
    assert told == {
        "process_job": {"Worker 0": "10.000000", "Worker 1": "20.000000", "workers": 2},
        "load": {"FrameColumn": "4.000000", "FrameColumn: rows": 10},
        "eval": {"Op": "9.000000", "Op: rows": 5},
        "save": {},
        "master": {"commit 1 jobs": "0.500000"},
        "total_time": 21.0,
    }
    assert statistics({})["total_time"] == 0


def test_a_subsample_of_workers_is_all_that_is_counted():
    profile = Profile(both(), subsample=1)
    assert profile.statistics()["process_job"]["workers"] == 1
    assert " of the time of 1 instance " in profile.bottleneck()
    assert profile.bottleneck() in repr(profile)
