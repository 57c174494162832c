"""Tracing: what each thread of each worker did when, exported as a Chrome trace (for Perfetto or chrome://tracing).

A worker records *intervals* into lanes, one per stage or op. Short pieces of work, even of several tasks, are
merged: an interval is closed only after `MERGE_NS`, and tells in `busy` how much of it was work. The more a run has
recorded, the longer intervals become. So a trace costs nothing per frame and stays small however long the run is.
Clocks are ``time.time_ns`` so that the machines of a cluster line up.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from scannerpy._engine.states import TaskId

clock = time.time_ns

MERGE_NS = 20_000_000
"""Pieces of work of one lane and name are merged into one interval as long as it stays shorter than this (20 ms)…"""
COARSER_AFTER = 5000
"""…times one more for every so many intervals that were recorded."""


class Interval(NamedTuple):
    """Something a lane did from `start` to `end` (ns since 1970), of which `busy` ns were work on `rows` rows.

    `job` and `task` are those of its first piece.
    """

    lane: str
    name: str
    kind: str
    start: int
    end: int
    busy: int
    rows: int
    job: int
    task: int


class Recorder:
    """Collects the intervals of one worker. Each lane is written by one thread only."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Interval] = {}
        self._closed: deque[Interval] = deque()
        self._recorded = 0
        self._merge_ns = MERGE_NS

    def add(self, lane: str, name: str, kind: str, start: int, rows: int, task: TaskId) -> None:
        """Record a piece of work that began at `start` and ends now."""
        end = clock()
        key = (lane, name)
        last = self._open.get(key)
        if last is not None and end - last.start < self._merge_ns:
            busy, rows = last.busy + end - start, last.rows + rows
            self._open[key] = Interval(lane, name, kind, last.start, end, busy, rows, last.job, last.task)
            return
        if last is not None:
            self._closed.append(last)
            self._recorded += 1
            self._merge_ns = MERGE_NS * (1 + self._recorded // COARSER_AFTER)
        self._open[key] = Interval(lane, name, kind, start, end, end - start, rows, *task)

    def take(self) -> list[Interval]:
        """Hand over what is closed so far. Other threads may go on recording."""
        taken = []
        while self._closed:
            taken.append(self._closed.popleft())
        return taken

    def take_all(self) -> list[Interval]:
        """Hand over everything, at the end of a run."""
        self._closed.extend(self._open.values())
        self._open.clear()
        return self.take()


class Trace:
    """The intervals of a whole run, by worker (−1: the master)."""

    def __init__(self) -> None:
        self.workers: dict[int, list[Interval]] = {}

    def add(self, worker: int, intervals: Iterable[Interval]) -> None:
        """Put a worker's intervals in."""
        self.workers.setdefault(worker, []).extend(Interval(*i) for i in intervals)

    def to_bytes(self) -> bytes:
        """The whole trace, to be stored with its run."""
        return json.dumps({str(w): intervals for w, intervals in self.workers.items()}).encode()

    @staticmethod
    def from_bytes(data: bytes) -> Trace:
        """The reverse of `to_bytes`."""
        trace = Trace()
        for worker, intervals in json.loads(data).items():
            trace.add(int(worker), (Interval(*i) for i in intervals))
        return trace

    def chrome_events(self, workers: Sequence[int] | None = None) -> list[dict[str, Any]]:
        """A list of Chrome trace events (spec: ``ph`` M and X, µs, grey queue waits)."""
        chosen = sorted(self.workers if workers is None else workers)
        return [event for worker in chosen for event in _worker_events(worker, self.workers[worker])]

    def total_time(self) -> tuple[int, int]:
        """From the first to the last thing done, in ns."""
        everything = list(self._all())
        if not everything:
            return (0, 0)
        return min(i.start for i in everything), max(i.end for i in everything)

    def _all(self) -> Iterator[Interval]:
        for intervals in self.workers.values():
            yield from intervals


def _worker_events(worker: int, intervals: Sequence[Interval]) -> Iterator[dict[str, Any]]:
    lanes = {lane: number for number, lane in enumerate(sorted({i.lane for i in intervals}, key=_lane_order))}
    yield _meta(worker, 0, "process_name", {"name": "Master" if worker < 0 else f"Worker {worker}"})
    for lane, number in lanes.items():
        yield _meta(worker, number, "thread_name", {"name": lane})
        yield _meta(worker, number, "thread_sort_index", {"sort_index": number})
    for interval in intervals:
        yield _complete(worker, lanes[interval.lane], interval)


def _lane_order(lane: str) -> tuple[int, str]:
    for place, start in enumerate(("EventLoop", "Reader", "Pipeline", "Writer")):
        if lane.startswith(start):
            return place, lane
    return 9, lane


def _meta(pid: int, tid: int, name: str, args: dict[str, Any]) -> dict[str, Any]:
    return {"ph": "M", "name": name, "pid": pid, "tid": tid, "args": args}


def _complete(pid: int, tid: int, interval: Interval) -> dict[str, Any]:
    event = {
        "ph": "X",
        "name": interval.name,
        "cat": interval.kind,
        "ts": interval.start / 1000,
        "dur": (interval.end - interval.start) / 1000,
        "pid": pid,
        "tid": tid,
        "args": {"job": interval.job, "task": interval.task, "rows": interval.rows, "busy_ms": interval.busy / 1e6},
    }
    return {**event, "cname": "grey"} if interval.kind == "wait" else event
