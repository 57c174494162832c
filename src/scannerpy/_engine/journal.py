"""The results of finished tasks, until their job is committed.

A task's result is the durable description its writers returned (chunk references). Results of earlier runs, found
under the job's key in the store, are put in before the run; those tasks are then never given out again. When a job is
complete its results leave the journal, in task order, to be committed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scannerpy._engine.states import TaskId

TaskResult = Sequence[Any]
"""What each sink's writer returned from `finish`, in the order of ``graph.sinks``."""


class Journal:
    """The results of all finished tasks whose jobs are not committed yet."""

    def __init__(self, task_counts: Sequence[int], earlier: Mapping[int, Mapping[int, TaskResult]]) -> None:
        self._counts = task_counts
        self._results: dict[int, dict[int, TaskResult]] = {job: dict(done) for job, done in earlier.items()}

    def done(self, job: int) -> frozenset[int]:
        """The tasks of a job that need not run."""
        return frozenset(self._results.get(job, ()))

    def record(self, task: TaskId, result: TaskResult) -> None:
        """A task has finished."""
        self._results.setdefault(task.job, {})[task.number] = result

    def take(self, job: int) -> list[TaskResult]:
        """Remove and return a complete job's results, one per task."""
        results = self._results.pop(job, {})
        missing = [index for index in range(self._counts[job]) if index not in results]
        if missing:
            raise KeyError(f"job {job} is complete but tasks {missing[:5]} have no result")
        return [results[index] for index in range(self._counts[job])]
