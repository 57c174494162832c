"""Task assignment: which waiting task a worker gets next. Pure.

A worker takes consecutive tasks of one job (its *stretch*), so that its decoder goes on where it stopped. When the
stretch ends it takes, in this order: a task that was requeued (a job that must fail should fail soon); the longest
stretch that no worker has; else the end of another worker's stretch (work stealing), if that saves time.

Where a stretch is split: decoding a task that begins inside a group of pictures (GOP) starts at the GOP's keyframe, so
such a task has a *preroll*, the rows decoded before its own. A split at the start of a GOP is free; one inside costs
the more, the larger the share of loading in the work, which is measured as the run goes on. The split that finishes
both parts earliest is taken; a worker that no split would help stays idle.
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
"""Tasks on either side of the middle that are considered as places to split."""
MIN_SAVING = 0.02
"""The least share of the time that a split must save: it decodes frames twice."""
GOOD_ENOUGH = 0.8
"""Of splits that save nearly as much as the best, the one with the least preroll is taken."""


@dataclass(frozen=True, slots=True)
class JobShape:
    """What is known of a job's tasks.

    * `costs`: one number per task, usually its rows.
    * `prerolls`: per task, the rows that a worker must decode before it, unless it has just done the task before
      (empty: none).
    * `done`: tasks that an earlier run finished.
    """

    costs: Sequence[int]
    prerolls: Sequence[float] = ()
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
    preroll: float


class Assignment:
    """All waiting tasks, and which worker has which stretch."""

    def __init__(self, shapes: Sequence[JobShape]) -> None:
        self._sums = [list(accumulate(shape.costs, initial=0)) for shape in shapes]
        self._prerolls = [shape.prerolls for shape in shapes]
        self._groups = [_group_starts(shape.prerolls) for shape in shapes]
        self._dropped: set[int] = set()
        self._returned: deque[TaskId] = deque()
        self._owned: dict[int, _Stretch] = {}
        self._free: list[tuple[int, int, int, _Stretch]] = []
        for job, shape in enumerate(shapes):
            for stretch in _stretches(job, len(shape.costs), shape.done):
                self._free.append(self._entry(stretch))
        heapq.heapify(self._free)
        self._backlog: dict[int, int] = {}  # the cost of the tasks that a worker holds
        self._load, self._work = 1.0, 1.0
        self._left = [len(shape.costs) - len(shape.done) for shape in shapes]
        self.waiting = sum(self._left)

    def returned(self) -> TaskId | None:
        """The requeued task that `take` would give first, if any."""
        while self._returned and self._returned[0].job in self._dropped:
            self._returned.popleft()
        return self._returned[0] if self._returned else None

    def take(self, worker: int) -> TaskId | None:
        """The next task for a worker; None if nothing waits."""
        if self.returned() is not None:
            return self._count_out(worker, self._returned.popleft())
        stretch = self._current(worker) or self._longest_free() or self._steal(worker)
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

    def requeue(self, task: TaskId) -> None:
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

    def _longest_free(self) -> _Stretch | None:
        while self._free:
            stretch = heapq.heappop(self._free)[-1]
            if self._alive(stretch):
                return stretch
        return None

    def _steal(self, worker: int) -> _Stretch | None:
        """The end of another worker's stretch, split off where that saves most time."""
        splits = [
            split for w, s in self._owned.items() if w != worker and self._alive(s) for split in self._splits(w, s)
        ]
        most = max((split.saves for split in splits), default=0.0)
        if not any(split.saves > MIN_SAVING * split.alone for split in splits):
            return None
        good = [split for split in splits if split.saves >= GOOD_ENOUGH * most]
        best = min(good, key=lambda split: (split.preroll, -split.saves))
        part = _Stretch(best.stretch.job, best.at, best.stretch.end)
        best.stretch.end = best.at
        return part

    def _splits(self, owner: int, stretch: _Stretch) -> Iterator[_Split]:
        """Some promising splits, with the time saved by each: until both parts are done, against the owner alone."""
        backlog = self._backlog.get(owner, 0)
        alone = backlog + self._cost(stretch.job, stretch.next, stretch.end)
        for at in self._candidates(stretch, backlog):
            first = backlog + self._cost(stretch.job, stretch.next, at)
            preroll = self._preroll(stretch.job, at)
            second = preroll + self._cost(stretch.job, at, stretch.end)
            yield _Split(stretch, at, alone, alone - max(first, second), preroll)

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

    def _preroll(self, job: int, at: int) -> float:
        """The cost of the preroll of task `at`."""
        prerolls = self._prerolls[job]
        return prerolls[at] * self._load / (self._load + self._work) if prerolls else 0.0

    def _alive(self, stretch: _Stretch) -> bool:
        return stretch.next < stretch.end and stretch.job not in self._dropped

    def _cost(self, job: int, first: int, last: int) -> int:
        return self._sums[job][last] - self._sums[job][first]

    def _entry(self, stretch: _Stretch) -> tuple[int, int, int, _Stretch]:
        return (-self._cost(stretch.job, stretch.next, stretch.end), stretch.job, stretch.next, stretch)


def _group_starts(prerolls: Sequence[float]) -> list[int]:
    """The first task of each group of pictures: its preroll is less than that of the task before."""
    return [t for t in range(1, len(prerolls)) if prerolls[t] < prerolls[t - 1]]


def _stretches(job: int, tasks: int, done: Collection[int]) -> Iterator[_Stretch]:
    start = 0
    for index in sorted(done):
        if start < index:
            yield _Stretch(job, start, index)
        start = index + 1
    if start < tasks:
        yield _Stretch(job, start, tasks)
