"""Retry policy: how often a task may fail, and which tasks must run alone.

A task that fails `attempts` times takes its job with it. When a worker dies while several tasks are in its pipeline,
one of them is blamed by the best evidence there is; all of them become *suspects* and run alone the next time, so that
from then on the evidence is exact and an innocent neighbour is never blacklisted.
"""

from __future__ import annotations

from scannerpy._engine.states import TaskId


class Retries:
    """Failure counts and suspects of one run."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._failures: dict[TaskId, int] = {}
        self._suspects: set[TaskId] = set()

    def count(self, task: TaskId) -> bool:
        """Count a failure. Returns whether the task has used up its attempts."""
        self._failures[task] = self._failures.get(task, 0) + 1
        return self._failures[task] >= self._attempts

    def failures(self, task: TaskId) -> int:
        """How often the task has failed."""
        return self._failures.get(task, 0)

    def suspect(self, task: TaskId) -> None:
        """From now on run the task alone."""
        self._suspects.add(task)

    def runs_alone(self, task: TaskId) -> bool:
        """Whether the task must have a worker to itself."""
        return task in self._suspects

    def clear(self, task: TaskId) -> None:
        """Forget a finished task."""
        self._failures.pop(task, None)
        self._suspects.discard(task)
