"""The messages between scheduler and executor: events go in, instructions come out. All are plain values."""

from __future__ import annotations

from dataclasses import dataclass

from scannerpy._engine.states import TaskId

# Events


@dataclass(frozen=True, slots=True)
class WorkerUp:
    """A worker can be given tasks."""

    worker: int


@dataclass(frozen=True, slots=True)
class SetupFailed:
    """A worker lives but cannot run this graph (a kernel's constructor raised, say)."""

    worker: int
    reason: str


@dataclass(frozen=True, slots=True)
class TaskBegun:
    """A worker turns to a task it was given."""

    worker: int
    task: TaskId


@dataclass(frozen=True, slots=True)
class TaskDone:
    """A task's results are durable."""

    worker: int
    task: TaskId


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """A task ended without results; its worker lives."""

    worker: int
    task: TaskId
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker is gone for certain. `blame` is the task it was working on, where that is known."""

    worker: int
    reason: str
    blame: TaskId | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop: commit what is complete and finish."""

    reason: str


Event = WorkerUp | SetupFailed | TaskBegun | TaskDone | TaskFailed | WorkerLost | Tick | Cancel

# Instructions


@dataclass(frozen=True, slots=True)
class SpawnWorker:
    """Start a worker, to be reported under this number."""

    worker: int


@dataclass(frozen=True, slots=True)
class KillWorker:
    """End a worker, whatever it is doing, and report `WorkerLost` when it is gone."""

    worker: int
    reason: str


@dataclass(frozen=True, slots=True)
class StartTask:
    """Give a worker a task; it runs the tasks it is given in order."""

    worker: int
    task: TaskId
    attempt: int


@dataclass(frozen=True, slots=True)
class DropTask:
    """The task's results are not wanted any more; the worker still answers with TaskDone or TaskFailed."""

    worker: int
    task: TaskId


@dataclass(frozen=True, slots=True)
class CommitJobs:
    """All tasks of these jobs are done: make their results count. Each job is named in exactly one such instruction."""

    jobs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GiveUpJob:
    """A task has failed too often; the job's outputs stay uncommitted."""

    job: int
    task: TaskId
    reason: str
    story: str
    tasks_kept: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """The run is over. `error` is None unless the run as a whole could not be carried on."""

    error: str | None = None
    cancelled: bool = False


WorkerInstruction = SpawnWorker | KillWorker | StartTask | DropTask
Instruction = WorkerInstruction | CommitJobs | GiveUpJob | Finish


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a run. `ahead`: tasks a worker may hold beyond the one it works on. Times are in seconds."""

    workers: int
    ahead: int = 2
    attempts: int = 3
    task_timeout: float = 0.0  # 0: none
    no_workers_timeout: float = 30.0
    checkpoint_frequency: int = 10


def overdue_reason(limit: float) -> str:
    """The reason given for a task that exceeded its timeout."""
    return f"ran longer than task_timeout ({limit:g} s)"
