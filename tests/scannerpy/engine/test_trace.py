"""Traces: small, and readable by Perfetto."""

import json

import pytest

from scannerpy._engine import trace
from scannerpy._engine.states import TaskId
from scannerpy._engine.trace import Interval, Recorder, Trace

TASK = TaskId(0, 3)


@pytest.fixture
def clock(monkeypatch):
    now = [1_000_000_000]
    monkeypatch.setattr(trace, "clock", lambda: now[0])
    return now


def work(recorder, clock, ms, lane="Reader[0]", task=TASK):
    start = clock[0]
    clock[0] += int(ms * 1e6)
    recorder.add(lane, "Count", "load", start, 1, task)


def test_small_packets_are_merged_and_tell_how_much_was_work(clock):
    recorder = Recorder()
    for _ in range(10):
        work(recorder, clock, 1)
        clock[0] += 1_000_000
    [interval] = recorder.take_all()
    assert (interval.rows, interval.busy, interval.end - interval.start) == (10, 10_000_000, 19_000_000)
    assert recorder.take_all() == []


def test_long_packets_and_other_lanes_stand_alone(clock):
    recorder = Recorder()
    work(recorder, clock, 30)
    work(recorder, clock, 30, task=TaskId(0, 4))
    work(recorder, clock, 1, lane="Reader[1]")
    assert [i.task for i in recorder.take()] == [3]
    assert sorted(i.task for i in recorder.take_all()) == [3, 4]


def test_long_runs_are_recorded_more_coarsely(clock):
    recorder = Recorder()
    for _ in range(100_000):
        work(recorder, clock, 20)
    assert len(recorder.take_all()) < 40_000


def intervals():
    return [
        Interval("Reader[0]", "Count", "load", 1_000, 3_000, 1_500, 5, 0, 0),
        Interval("Queue after load", "wait for load", "wait", 3_000, 9_000, 6_000, 0, 0, 0),
    ]


def test_a_trace_survives_storing_and_becomes_chrome_events():
    made = Trace()
    made.add(2, intervals())
    made.add(-1, [Interval("EventLoop", "commit", "master", 9_000, 9_500, 500, 0, 0, 0)])
    events = json.loads(json.dumps(Trace.from_bytes(made.to_bytes()).chrome_events()))
    names = {(e["pid"], e["args"]["name"]) for e in events if e["name"] == "process_name"}
    assert names == {(-1, "Master"), (2, "Worker 2")}
    load, wait = (e for e in events if e["ph"] == "X" and e["pid"] == 2)
    assert (load["ts"], load["dur"], load["cat"]) == (1.0, 2.0, "load")
    assert wait["cname"] == "grey"
    assert {e["ph"] for e in events} == {"M", "X"}


def test_the_total_time_is_from_the_first_thing_to_the_last():
    made = Trace()
    made.add(0, intervals())
    made.add(1, intervals())
    assert made.total_time() == (1_000, 9_000)
    assert Trace().total_time() == (0, 0)
