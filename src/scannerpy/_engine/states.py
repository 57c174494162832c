"""The state of every task and job of a run; one method per transition.

::

    task  WAITING ──start──▶ RUNNING ──finish──▶ DONE          WAITING, RUNNING ──give_up──▶ DROPPED
             ▲──fail, requeue──┘
    job   OPEN ──(its last task finishes)──▶ COMPLETE ──commit──▶ COMMITTED          OPEN ──give_up──▶ GIVEN_UP

Any other transition raises `InvalidTransition` with the task's history. A task takes one byte; only those that run or
have failed take more, so a run of a million tasks stays small.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum, IntEnum
from typing import NamedTuple


class TaskId(NamedTuple):
    """Task `number` of job `job`."""

    job: int
    number: int

    def __str__(self) -> str:
        return f"task {self.number} of job {self.job}"


class TaskState(IntEnum):
    """Where a task is."""

    WAITING = 0
    RUNNING = 1
    DONE = 2
    DROPPED = 3


class JobState(Enum):
    """Where a job is."""

    OPEN = "open"
    COMPLETE = "complete"
    COMMITTED = "committed"
    GIVEN_UP = "given up"


class InvalidTransition(RuntimeError):
    """The scheduler was told something impossible: a bug in an executor or in the scheduler, never the user's fault."""


class States:
    """All tasks and jobs. ``done[j]`` are the tasks of job j that an earlier run finished."""

    def __init__(self, task_counts: Sequence[int], done: Sequence[Collection[int]]) -> None:
        self._tasks = [bytearray(n) for n in task_counts]
        self._left = list(task_counts)
        self._jobs = [JobState.OPEN] * len(task_counts)
        self._runs: dict[TaskId, tuple[int, float]] = {}
        self._notes: dict[TaskId, list[str]] = {}
        for job, indices in enumerate(done):
            for index in indices:
                self._tasks[job][index] = TaskState.DONE
            self._left[job] -= len(indices)
            self._complete_if_empty(job)
        self.open_jobs = sum(state is JobState.OPEN for state in self._jobs)

    def task(self, task: TaskId) -> TaskState:
        """Where a task is."""
        return TaskState(self._tasks[task.job][task.number])

    def job(self, job: int) -> JobState:
        """Where a job is."""
        return self._jobs[job]

    def done(self, job: int) -> list[int]:
        """The finished tasks of a job, ascending."""
        return [i for i, state in enumerate(self._tasks[job]) if state == TaskState.DONE]

    # transitions of a task

    def start(self, task: TaskId, worker: int, now: float) -> None:
        """A worker was told to run the task."""
        self._move(task, TaskState.WAITING, TaskState.RUNNING)
        self._runs[task] = (worker, now)

    def finish(self, task: TaskId) -> bool:
        """The task's results are durable. Returns whether that completes its job."""
        self._move(task, TaskState.RUNNING, TaskState.DONE)
        self._runs.pop(task)
        self._left[task.job] -= 1
        completes = self._complete_if_empty(task.job)
        self.open_jobs -= completes
        return completes

    def fail(self, task: TaskId, reason: str, now: float) -> None:
        """The task ended without a result, and counts as a failure of the task."""
        self._return(task, f"failed: {reason}", now)

    def requeue(self, task: TaskId, reason: str, now: float) -> None:
        """The task ended without a result, through no fault of its own."""
        self._return(task, f"came back: {reason}", now)

    # transitions of a job

    def give_up(self, job: int) -> list[TaskId]:
        """Drop all that is left of a job. Returns the tasks that were running."""
        if self._jobs[job] is not JobState.OPEN:
            raise InvalidTransition(f"job {job} is {self._jobs[job].value} and cannot be given up")
        self._jobs[job] = JobState.GIVEN_UP
        self.open_jobs -= 1
        running = [t for t in self._runs if t.job == job]
        for task in running:
            self._runs.pop(task)
        states = self._tasks[job]
        dropped = {TaskState.WAITING, TaskState.RUNNING}
        for index, state in enumerate(states):
            if state in dropped:
                states[index] = TaskState.DROPPED
        return running

    def commit(self, job: int) -> None:
        """The job was handed over to be committed; that happens once."""
        if self._jobs[job] is not JobState.COMPLETE:
            raise InvalidTransition(f"job {job} is {self._jobs[job].value} and cannot be committed")
        self._jobs[job] = JobState.COMMITTED

    def story(self, task: TaskId) -> str:
        """What happened to a task so far, in one or a few lines, for any message about it."""
        lines = [f"{task} is {self.task(task).name.lower()}", *self._notes.get(task, ())]
        if task in self._runs:
            worker, since = self._runs[task]
            lines.append(f"given to worker {worker} at {since:.1f} s")
        return "; ".join(lines)

    def _move(self, task: TaskId, expected: TaskState, to: TaskState) -> None:
        if self.task(task) is not expected:
            raise InvalidTransition(f"cannot become {to.name.lower()}: {self.story(task)}")
        self._tasks[task.job][task.number] = to

    def _return(self, task: TaskId, what: str, now: float) -> None:
        self._move(task, TaskState.RUNNING, TaskState.WAITING)
        worker, since = self._runs.pop(task)
        note = f"given to worker {worker} at {since:.1f} s, {what} after {now - since:.1f} s"
        self._notes.setdefault(task, []).append(note)

    def _complete_if_empty(self, job: int) -> bool:
        if self._left[job] or self._jobs[job] is not JobState.OPEN:
            return False
        self._jobs[job] = JobState.COMPLETE
        return True
