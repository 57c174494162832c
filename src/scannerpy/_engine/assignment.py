"""Which waiting task a worker gets next. Pure.

A worker goes on along the video it is in, so that its decoder's cursor goes on too. When its stretch is at an end it
takes, in this order: a task that came back (so that a job that must fail, fails soon); the longest stretch nobody
works on; else the end of a stretch somebody else works on, if that gets the stretch done sooner.

Where to split a stretch: whoever begins in the middle of a group of pictures must first decode the group from its
start. So a split at the start of a group is free, and one inside costs the more, the larger the share of loading in
the work (which is learned as the run goes on). The split that lets both come to an end earliest is taken; a worker
whom no split would help stays idle rather than decode in vain.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from scannerpy._engine.states import TaskId

NEARBY = 3
"""So many tasks on either side of the best place to split are looked at."""
WORTHWHILE = 0.02
"""A split that saves less than this share of the time is not worth what it decodes twice."""
GOOD_ENOUGH = 0.8
"""Of splits that save nearly as much as the best, the one with the least run-up is taken: others may split again."""


@dataclass(frozen=True, slots=True)
class JobShape:
    """What assigning needs to know of a job.

    costs: one number per task, usually its rows. run_ups: per task, the rows that must be loaded before its own by
    whoever has not just done the task before it (empty: none). done: tasks that an earlier run finished.
    """

    costs: Sequence[int]
    run_ups: Sequence[float] = ()
    done: Collection[int] = ()


@dataclass(slots=True)
class _Stretch:
    """Waiting tasks [next, end) of one job."""

    job: int
    next: int
    end: int


@dataclass(frozen=True, slots=True)
class _Split:
    stretch: _Stretch
    at: int
    alone: float
    saves: float
    run_up: float


class Assignment:
    """All waiting tasks, and which worker is going along which stretch."""

    def __init__(self, shapes: Sequence[JobShape]) -> None:
        self._sums = [list(accumulate(shape.costs, initial=0)) for shape in shapes]
        self._run_ups = [shape.run_ups for shape in shapes]
        self._groups = [_beginnings(shape.run_ups) for shape in shapes]
        self._dropped: set[int] = set()
        self._returned: deque[TaskId] = deque()
        self._owned: dict[int, _Stretch] = {}
        self._free: list[tuple[int, int, int, _Stretch]] = []
        for job, shape in enumerate(shapes):
            for stretch in _stretches(job, len(shape.costs), shape.done):
                self._free.append(self._entry(stretch))
        heapq.heapify(self._free)
        self._backlog: dict[int, int] = {}  # the cost of what a worker has taken and not ended
        self._load, self._work = 1.0, 1.0
        self._left = [len(shape.costs) - len(shape.done) for shape in shapes]
        self.waiting = sum(self._left)

    def returned(self) -> TaskId | None:
        """The task `take` would give first because it came back, if any."""
        while self._returned and self._returned[0].job in self._dropped:
            self._returned.popleft()
        return self._returned[0] if self._returned else None

    def take(self, worker: int) -> TaskId | None:
        """The next task for a worker; None if nothing waits."""
        if self.returned() is not None:
            return self._count_out(worker, self._returned.popleft())
        stretch = self._current(worker) or self._fresh() or self._part_of_another(worker)
        if stretch is None:
            return None
        self._owned[worker] = stretch
        stretch.next += 1
        return self._count_out(worker, TaskId(stretch.job, stretch.next - 1))

    def ended(self, worker: int, task: TaskId) -> None:
        """The worker has the task no more, however it ended."""
        self._backlog[worker] = self._backlog.get(worker, 0) - self._cost(task.job, task.number, task.number + 1)

    def learn(self, load: float, work: float) -> None:
        """A task took so many seconds to load and to work on."""
        self._load, self._work = self._load + load, self._work + work

    def give_back(self, task: TaskId) -> None:
        """A task that was taken waits again."""
        if task.job not in self._dropped:
            self._returned.append(task)
            self._left[task.job] += 1
            self.waiting += 1

    def drop(self, job: int) -> None:
        """Nothing of this job is to be given out any more."""
        if job not in self._dropped:
            self.waiting -= self._left[job]
            self._dropped.add(job)

    def leave(self, worker: int) -> None:
        """The worker is gone; its stretch is free for others."""
        self._backlog.pop(worker, None)
        stretch = self._owned.pop(worker, None)
        if stretch is not None and stretch.next < stretch.end and stretch.job not in self._dropped:
            heapq.heappush(self._free, self._entry(stretch))

    def _count_out(self, worker: int, task: TaskId) -> TaskId:
        self._backlog[worker] = self._backlog.get(worker, 0) + self._cost(task.job, task.number, task.number + 1)
        self._left[task.job] -= 1
        self.waiting -= 1
        return task

    def _current(self, worker: int) -> _Stretch | None:
        stretch = self._owned.get(worker)
        return stretch if stretch is not None and self._alive(stretch) else None

    def _fresh(self) -> _Stretch | None:
        while self._free:
            stretch = heapq.heappop(self._free)[-1]
            if self._alive(stretch):
                return stretch
        return None

    def _part_of_another(self, worker: int) -> _Stretch | None:
        """The end of another's stretch, split off where that saves most time."""
        splits = [
            split for w, s in self._owned.items() if w != worker and self._alive(s) for split in self._splits(w, s)
        ]
        most = max((split.saves for split in splits), default=0.0)
        if not any(split.saves > WORTHWHILE * split.alone for split in splits):
            return None
        good = [split for split in splits if split.saves >= GOOD_ENOUGH * most]
        best = min(good, key=lambda split: (split.run_up, -split.saves))
        part = _Stretch(best.stretch.job, best.at, best.stretch.end)
        best.stretch.end = best.at
        return part

    def _splits(self, owner: int, stretch: _Stretch) -> Iterator[_Split]:
        """What some promising splits would save: how much sooner both parts are done than the whole by its owner."""
        backlog = self._backlog.get(owner, 0)
        alone = backlog + self._cost(stretch.job, stretch.next, stretch.end)
        for at in self._candidates(stretch, backlog):
            first = backlog + self._cost(stretch.job, stretch.next, at)
            run_up = self._run_up(stretch.job, at)
            second = run_up + self._cost(stretch.job, at, stretch.end)
            yield _Split(stretch, at, alone, alone - max(first, second), run_up)

    def _candidates(self, stretch: _Stretch, backlog: int) -> Collection[int]:
        """Tasks before which to split: around the middle, and the nearest starts of groups."""
        sums, groups = self._sums[stretch.job], self._groups[stretch.job]
        half = (sums[stretch.next] + sums[stretch.end] - backlog) / 2
        middle = bisect_right(sums, half) - 1
        group = bisect_left(groups, middle)
        near = {*range(middle - NEARBY, middle + NEARBY + 1), *groups[max(0, group - 2) : group + 2]}
        later = (sums[stretch.end] * 2 + sums[middle]) / 3  # inside of a group the newcomer's part is the smaller one
        near |= {bisect_right(sums, later), stretch.next, stretch.end - 1}
        return sorted(at for at in near if stretch.next <= at < stretch.end)

    def _run_up(self, job: int, at: int) -> float:
        """What beginning with task `at` costs before it."""
        run_ups = self._run_ups[job]
        return run_ups[at] * self._load / (self._load + self._work) if run_ups else 0.0

    def _alive(self, stretch: _Stretch) -> bool:
        return stretch.next < stretch.end and stretch.job not in self._dropped

    def _cost(self, job: int, first: int, last: int) -> int:
        return self._sums[job][last] - self._sums[job][first]

    def _entry(self, stretch: _Stretch) -> tuple[int, int, int, _Stretch]:
        return (-self._cost(stretch.job, stretch.next, stretch.end), stretch.job, stretch.next, stretch)


def _beginnings(run_ups: Sequence[float]) -> list[int]:
    """The first task of each group of pictures: it has less of a run-up than the one before."""
    return [t for t in range(1, len(run_ups)) if run_ups[t] < run_ups[t - 1]]


def _stretches(job: int, tasks: int, done: Collection[int]) -> Iterator[_Stretch]:
    start = 0
    for index in sorted(done):
        if start < index:
            yield _Stretch(job, start, index)
        start = index + 1
    if start < tasks:
        yield _Stretch(job, start, tasks)
