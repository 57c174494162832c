"""What a run is, and what carries it out: the seam between deciding and doing.

A body has the workers. It is told the brain's instructions one by one, never blocks in `do`, and in `wait` hands over
what happened, as events for the brain with what else came with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from scannerpy._engine import brain as b
from scannerpy._engine.failures import TaskError
from scannerpy._engine.journal import TaskResult
from scannerpy._engine.kernels import Seat
from scannerpy._engine.states import TaskId
from scannerpy._engine.tasks import Program
from scannerpy._engine.trace import Interval
from scannerpy._plan.plan import JobPlan


@dataclass(frozen=True, slots=True, eq=False)
class RunSpec:
    """A run, ready to be carried out.

    names: of each job's output, for messages. earlier: results of tasks that an interrupted run finished, by job and
    task. run_ups: per job and task, the rows a decoder must go through before the task's own (a job left out: none).
    seat: what each instance gets (its number is filled in). kept: whether the next run takes up what finished tasks of
    a job that is given up have stored. replacing: jobs whose output exists, and stays until theirs is complete. find:
    the durable results among tasks nobody has reported on.
    """

    program: Program
    jobs: Sequence[JobPlan]
    names: Sequence[str]
    limits: b.Limits
    earlier: Mapping[int, Mapping[int, TaskResult]] = field(default_factory=dict)
    run_ups: Mapping[int, Sequence[float]] = field(default_factory=dict)
    seat: Seat = field(default_factory=Seat)
    kept: bool = True
    replacing: frozenset[int] = frozenset()
    find: Callable[[Sequence[TaskId]], Mapping[TaskId, TaskResult]] = lambda _tasks: {}


@dataclass(frozen=True, slots=True)
class News:
    """An event for the brain, and what else came with it. `worker` is set where the event does not name one;
    `load_ns` and `work_ns` are the time a task that is done took to load, and to evaluate and save.
    """

    event: b.Event
    result: TaskResult = ()
    intervals: Sequence[Interval] = ()
    error: TaskError | None = None
    worker: int | None = None
    load_ns: int = 0
    work_ns: int = 0


class Body(Protocol):
    """Workers of some kind."""

    @property
    def most_workers(self) -> int | None:
        """How many workers it can have at most; None: as many as asked for."""

    @property
    def takes_interrupts(self) -> bool:
        """Whether a Ctrl-C during the run is best turned into a cancellation."""

    def begin(self, spec: RunSpec) -> None:
        """Get ready for a run."""

    def do(self, instruction: b.SpawnWorker | b.KillWorker | b.StartTask | b.DropTask) -> None:
        """Carry out an instruction; returns at once."""

    def wait(self, timeout: float | None) -> list[News]:
        """What has happened since; blocks up to `timeout` seconds if nothing has."""

    def rows_running(self) -> int:
        """Rows that are through, of tasks that are not done."""

    def end(self, *, cancel: bool) -> list[News]:
        """The run is over: bring every worker back to rest. With `cancel`, whatever it is doing."""

    def abandon(self) -> None:
        """Let go of everything at once; called when `end` was interrupted."""
