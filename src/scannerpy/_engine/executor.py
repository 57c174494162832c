"""What a run is, and the interface of what carries it out: worker processes (`local`), or this thread (`inline`).

An executor owns the workers. It is given the scheduler's instructions one by one, never blocks in `do`, and returns
from `wait` what has happened: events for the scheduler, and the results and traces that came with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from scannerpy._engine import protocol
from scannerpy._engine.failures import TaskError
from scannerpy._engine.journal import TaskResult
from scannerpy._engine.kernels import InstanceConfig
from scannerpy._engine.states import TaskId
from scannerpy._engine.tasks import Program
from scannerpy._engine.trace import Interval
from scannerpy._plan.task import JobPlan


@dataclass(frozen=True, slots=True, eq=False)
class RunSpec:
    """A run, ready to be carried out.

    * `names`: of each job's output, for messages.
    * `earlier`: results of tasks that an interrupted run finished, by job and task.
    * `prerolls`: per job and task, the rows a decoder must go through before the task's own (a job left out: none).
    * `instance`: what each pipeline instance gets; its number is filled in by the executor.
    * `resumable`: whether another run can use what finished tasks of a job that is given up have stored.
    * `replacing`: jobs whose output exists, and stays until theirs is complete.
    * `find_results`: of tasks without a report, those whose results are durable.
    """

    program: Program
    jobs: Sequence[JobPlan]
    names: Sequence[str]
    limits: protocol.Limits
    earlier: Mapping[int, Mapping[int, TaskResult]] = field(default_factory=dict)
    prerolls: Mapping[int, Sequence[float]] = field(default_factory=dict)
    instance: InstanceConfig = field(default_factory=InstanceConfig)
    resumable: bool = True
    replacing: frozenset[int] = frozenset()
    find_results: Callable[[Sequence[TaskId]], Mapping[TaskId, TaskResult]] = lambda _tasks: {}


@dataclass(frozen=True, slots=True)
class Update:
    """An event for the scheduler, and what came with it. `worker` is set where the event does not name one.

    Of a task that is done, `load_ns` is the time it took to load, `work_ns` that to evaluate and save.
    """

    event: protocol.Event
    result: TaskResult = ()
    intervals: Sequence[Interval] = ()
    error: TaskError | None = None
    worker: int | None = None
    load_ns: int = 0
    work_ns: int = 0


class Executor(Protocol):
    """Runs the tasks of one run at a time."""

    @property
    def most_workers(self) -> int | None:
        """The most workers it can have; None: no limit."""

    @property
    def takes_interrupts(self) -> bool:
        """Whether a Ctrl-C during the run is best turned into a cancellation."""

    def begin(self, spec: RunSpec) -> None:
        """Get ready for a run."""

    def do(self, instruction: protocol.WorkerInstruction) -> None:
        """Carry out an instruction; returns at once."""

    def wait(self, timeout: float | None) -> list[Update]:
        """What has happened since; blocks up to `timeout` seconds if nothing has."""

    def rows_running(self) -> int:
        """Rows already saved by tasks that are not done."""

    def end(self, *, cancel: bool) -> list[Update]:
        """The run is over: return when every worker is idle. With `cancel`, interrupt what they are doing."""

    def abort(self) -> None:
        """Stop every worker at once; called when `end` was interrupted."""
