"""Which waiting task a worker gets next. Pure.

A worker goes on along the video it is in, so that its decoder's cursor goes on too. When its stretch is at an end it
takes, in this order: a task that came back (so that a job that must fail, fails soon); the longest stretch nobody
works on; else half of the longest stretch somebody else works on, split where a decoder may start afresh if there is
such a place, so that the last video is shared by all.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from scannerpy._engine.states import TaskId


@dataclass(frozen=True, slots=True)
class JobShape:
    """What assigning needs to know of a job.

    costs: one number per task, usually its rows. cuts: ascending task numbers before which a stretch is best split
    (the first task of each GOP group). done: tasks that an earlier run finished.
    """

    costs: Sequence[int]
    cuts: Sequence[int] = ()
    done: Collection[int] = ()


@dataclass(slots=True)
class _Stretch:
    """Waiting tasks [next, end) of one job."""

    job: int
    next: int
    end: int


class Assignment:
    """All waiting tasks, and which worker is going along which stretch."""

    def __init__(self, shapes: Sequence[JobShape]) -> None:
        self._sums = [list(accumulate(shape.costs, initial=0)) for shape in shapes]
        self._cuts = [shape.cuts for shape in shapes]
        self._dropped: set[int] = set()
        self._returned: deque[TaskId] = deque()
        self._owned: dict[int, _Stretch] = {}
        self._free: list[tuple[int, int, int, _Stretch]] = []
        for job, shape in enumerate(shapes):
            for stretch in _stretches(job, len(shape.costs), shape.done):
                self._free.append(self._entry(stretch))
        heapq.heapify(self._free)
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
            return self._count_out(self._returned.popleft())
        stretch = self._current(worker) or self._fresh() or self._half_of_another(worker)
        if stretch is None:
            return None
        self._owned[worker] = stretch
        stretch.next += 1
        return self._count_out(TaskId(stretch.job, stretch.next - 1))

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
        stretch = self._owned.pop(worker, None)
        if stretch is not None and stretch.next < stretch.end and stretch.job not in self._dropped:
            heapq.heappush(self._free, self._entry(stretch))

    def _count_out(self, task: TaskId) -> TaskId:
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

    def _half_of_another(self, worker: int) -> _Stretch | None:
        others = [s for w, s in self._owned.items() if w != worker and self._alive(s)]
        if not others:
            return None
        longest = max(others, key=self._cost)
        middle = self._middle(longest)
        half = _Stretch(longest.job, middle, longest.end)
        longest.end = middle
        return half

    def _middle(self, stretch: _Stretch) -> int:
        """The task before which to split: the cut nearest to half the cost, or the middle if there is none inside."""
        if stretch.end - stretch.next == 1:
            return stretch.next
        sums, cuts = self._sums[stretch.job], self._cuts[stretch.job]
        half = (sums[stretch.next] + sums[stretch.end]) / 2
        inside = cuts[bisect_right(cuts, stretch.next) : bisect_left(cuts, stretch.end)]
        if inside:
            return min(inside, key=lambda cut: abs(sums[cut] - half))
        return min(max(bisect_right(sums, half) - 1, stretch.next + 1), stretch.end - 1)

    def _alive(self, stretch: _Stretch) -> bool:
        return stretch.next < stretch.end and stretch.job not in self._dropped

    def _cost(self, stretch: _Stretch) -> int:
        return self._sums[stretch.job][stretch.end] - self._sums[stretch.job][stretch.next]

    def _entry(self, stretch: _Stretch) -> tuple[int, int, int, _Stretch]:
        return (-self._cost(stretch), stretch.job, stretch.next, stretch)


def _stretches(job: int, tasks: int, done: Collection[int]) -> Iterator[_Stretch]:
    start = 0
    for index in sorted(done):
        if start < index:
            yield _Stretch(job, start, index)
        start = index + 1
    if start < tasks:
        yield _Stretch(job, start, tasks)
