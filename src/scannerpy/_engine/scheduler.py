"""The scheduler of a run. Events go in, instructions come out; there is no clock, thread or file here.

An *executor* carries its instructions out and reports what happened: worker processes on this machine, or this thread
(debug). Every worker the scheduler asks for gets a number that is never used twice, so a late
message of a dead worker cannot be mistaken for its successor's.

Surprising:

* a task's ``task_timeout`` counts from when the worker begins it (`TaskBegun`), not from when it was queued there;
* a worker that exceeds it is killed, but its tasks are assigned again only when the executor says `WorkerLost`: no task
  ever runs twice at once;
* a job is given up after three failures of one task; what else of it is running is dropped, and the run goes on;
* `Finish` is the last instruction. The executor stops what still runs then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scannerpy._engine.assignment import Assignment, JobShape
from scannerpy._engine.protocol import (
    Cancel,
    CommitJobs,
    DropTask,
    Event,
    Finish,
    GiveUpJob,
    Instruction,
    KillWorker,
    Limits,
    SetupFailed,
    SpawnWorker,
    StartTask,
    TaskBegun,
    TaskDone,
    TaskFailed,
    Tick,
    WorkerLost,
    WorkerUp,
    overdue_reason,
)
from scannerpy._engine.retries import Retries
from scannerpy._engine.states import JobState, States, TaskId, TaskState

MAX_FAILED_STARTS = 5
"""After so many workers in a row that failed before their first task, no more are started."""


@dataclass(slots=True)
class _Worker:
    number: int
    up: bool = False
    worked: bool = False
    dying: tuple[TaskId, str] | None = None
    tasks: dict[TaskId, float | None] = field(default_factory=dict)  # task → when it began


class Scheduler:
    """The state of one run."""

    def __init__(self, shapes: Sequence[JobShape], limits: Limits) -> None:
        self._limits = limits
        self.states = States([len(s.costs) for s in shapes], [s.done for s in shapes])
        self._retries = Retries(limits.attempts)
        self._assignment = Assignment(shapes)
        self._workers: dict[int, _Worker] = {}
        self._next_worker = 0
        self._failed_starts = 0
        self._last_loss = ""
        self._no_worker_since: float | None = None
        self._complete = [j for j in range(len(shapes)) if self.states.job(j) is JobState.COMPLETE]
        self._finished = False
        self._out: list[Instruction] = []

    def start(self, now: float) -> list[Instruction]:
        """The first instructions of the run."""
        self._no_worker_since = now
        return self._advance(now)

    def react(self, event: Event, now: float) -> list[Instruction]:
        """What follows from an event. After `Finish` nothing does."""
        if self._finished:
            return []
        match event:
            case WorkerUp(number):
                self._up(number)
            case SetupFailed(number, reason):
                self._lose(number, reason, None, now)
            case WorkerLost(number, reason, blame):
                self._lose(number, reason, blame, now)
            case TaskBegun(number, task):
                self._begun(number, task, now)
            case TaskDone(number, task):
                self._done(number, task)
            case TaskFailed(number, task, reason):
                self._failed(number, task, reason, now)
            case Tick():
                self._kill_overdue(now)
            case Cancel():
                return self._finish(Finish(cancelled=True))
        return self._advance(now)

    def deadline(self) -> float | None:
        """When the next `Tick` is needed at the latest; None: only events matter."""
        times = [t for w in self._workers.values() if not w.dying for t in w.tasks.values() if t is not None]
        limits = []
        if self._limits.task_timeout > 0 and times:
            limits.append(min(times) + self._limits.task_timeout)
        if self._no_worker_since is not None:
            limits.append(self._no_worker_since + self._limits.no_workers_timeout)
        return min(limits, default=None)

    @property
    def workers_up(self) -> int:
        """How many workers can be given tasks."""
        return sum(w.up and not w.dying for w in self._workers.values())

    def held(self, number: int) -> tuple[TaskId, ...]:
        """The tasks a worker was given and has not reported on."""
        worker = self._workers.get(number)
        return () if worker is None else tuple(worker.tasks)

    def learn(self, load: float, work: float) -> None:
        """How long a task took to load, and to evaluate and save: tells where handing over in mid-video pays."""
        self._assignment.learn(load, work)

    # what events do

    def _up(self, number: int) -> None:
        if number >= self._next_worker:  # it came by itself: a cluster may grow while it runs
            self._workers[number] = _Worker(number)
            self._next_worker = number + 1
        if number in self._workers:
            self._workers[number].up = True

    def _begun(self, number: int, task: TaskId, now: float) -> None:
        worker = self._workers.get(number)
        if worker is None:
            return
        worker.worked = True
        self._failed_starts = 0
        if task in worker.tasks:
            worker.tasks[task] = now

    def _done(self, number: int, task: TaskId) -> None:
        if not self._release(number, task) or self.states.task(task) is TaskState.DROPPED:
            return
        self._retries.clear(task)
        if self.states.finish(task):
            self._complete.append(task.job)

    def _failed(self, number: int, task: TaskId, reason: str, now: float) -> None:
        if self._release(number, task):
            self._count_failure(task, reason, now)

    def _release(self, number: int, task: TaskId) -> bool:
        """Whether the worker really had the task; if so, it has it no more."""
        worker = self._workers.get(number)
        if worker is None or task not in worker.tasks:
            return False
        worker.tasks.pop(task)
        worker.worked = True
        self._assignment.ended(number, task)
        return True

    def _count_failure(self, task: TaskId, reason: str, now: float) -> None:
        if self.states.task(task) is TaskState.DROPPED:
            return
        self.states.fail(task, reason, now)
        self._assignment.requeue(task)
        if self._retries.count(task):
            self._give_up(task, reason)

    def _give_up(self, task: TaskId, reason: str) -> None:
        story = self.states.story(task)
        running = set(self.states.give_up(task.job))
        self._assignment.drop(task.job)
        kept = tuple(self.states.done(task.job))
        self._out.append(GiveUpJob(task.job, task, reason, story, kept))
        for worker in self._workers.values():
            self._out.extend(DropTask(worker.number, t) for t in worker.tasks if t in running)

    def _lose(self, number: int, reason: str, blame: TaskId | None, now: float) -> None:
        worker = self._workers.pop(number, None)
        if worker is None:
            return
        if worker.dying:
            blame, reason = worker.dying
        blame = blame or next((t for t, began in worker.tasks.items() if began is not None), None)
        self._last_loss = reason
        self._failed_starts += not worker.worked
        self._assignment.leave(number)
        self._return_tasks(worker, reason, blame, now)

    def _return_tasks(self, worker: _Worker, reason: str, blame: TaskId | None, now: float) -> None:
        for task in list(worker.tasks):
            if self.states.task(task) is TaskState.DROPPED:
                continue
            if worker.worked:
                self._retries.suspect(task)
            if task == blame:
                self._count_failure(task, reason, now)
            else:
                self.states.requeue(task, reason, now)
                self._assignment.requeue(task)

    def _kill_overdue(self, now: float) -> None:
        limit = self._limits.task_timeout
        if limit <= 0:
            return
        for worker in self._workers.values():
            overdue = [t for t, began in worker.tasks.items() if began is not None and now - began >= limit]
            if overdue and not worker.dying:
                reason = overdue_reason(limit)
                worker.dying = (overdue[0], reason)
                self._assignment.leave(worker.number)
                self._out.append(KillWorker(worker.number, reason))

    # what follows

    def _advance(self, now: float) -> list[Instruction]:
        self._commit_full_groups()
        if self.states.open_jobs == 0:
            return self._finish(Finish())
        self._spawn_missing()
        self._watch_for_workers(now)
        if self._setup_is_hopeless():
            return self._finish(Finish(error=self._setup_failure()))
        if self._waited_too_long(now):
            return self._finish(Finish(error=self._no_worker_error()))
        self._fill(now)
        return self._flush()

    def _commit_full_groups(self) -> None:
        size = max(1, self._limits.checkpoint_frequency)
        while len(self._complete) >= size:
            self._commit(self._complete[:size])

    def _commit(self, jobs: list[int]) -> None:
        for job in jobs:
            self.states.commit(job)
        self._complete = self._complete[len(jobs) :]
        self._out.append(CommitJobs(tuple(jobs)))

    def _finish(self, finish: Finish) -> list[Instruction]:
        if self._complete:
            self._commit(self._complete)
        self._out.append(finish)
        self._finished = True
        return self._flush()

    def _spawn_missing(self) -> None:
        if self._failed_starts >= MAX_FAILED_STARTS:
            return
        running = sum(len(w.tasks) for w in self._workers.values())
        wanted = min(self._limits.workers, self._assignment.waiting + running)
        for _ in range(len(self._workers), wanted):
            self._workers[self._next_worker] = _Worker(self._next_worker)
            self._out.append(SpawnWorker(self._next_worker))
            self._next_worker += 1

    def _watch_for_workers(self, now: float) -> None:
        if any(w.up for w in self._workers.values()):
            self._no_worker_since = None
        elif self._no_worker_since is None:
            self._no_worker_since = now

    def _setup_is_hopeless(self) -> bool:
        return self._failed_starts >= MAX_FAILED_STARTS and not self._workers

    def _setup_failure(self) -> str:
        return f"no worker could be set up ({self._failed_starts} tries). The last one: {self._last_loss}"

    def _waited_too_long(self, now: float) -> bool:
        return self._no_worker_since is not None and now - self._no_worker_since >= self._limits.no_workers_timeout

    def _no_worker_error(self) -> str:
        last = f" The last one lost: {self._last_loss}." if self._last_loss else ""
        return (
            f"no workers to run the job after {self._limits.no_workers_timeout:g} seconds (no_workers_timeout)."
            f"{last} Start workers, or give Client a `workers` list that is not empty."
        )

    def _fill(self, now: float) -> None:
        """Give every worker its first task, then every worker its second, …: no worker idles while others queue."""
        present = [w for w in self._workers.values() if not w.dying]
        for depth in range(1, 2 + self._limits.ahead):
            for worker in present:
                if worker.up and len(worker.tasks) < depth and self._may_have_more(worker, len(present)):
                    self._give(worker, now)

    def _may_have_more(self, worker: _Worker, sharers: int) -> bool:
        if not worker.tasks:
            return True
        if any(self._retries.runs_alone(t) for t in worker.tasks):
            return False
        if len(worker.tasks) > self._assignment.waiting // sharers:
            return False
        returned = self._assignment.returned()
        return returned is None or not self._retries.runs_alone(returned)

    def _give(self, worker: _Worker, now: float) -> None:
        task = self._assignment.take(worker.number)
        if task is None:
            return
        self.states.start(task, worker.number, now)
        worker.tasks[task] = None
        self._out.append(StartTask(worker.number, task, self._retries.failures(task) + 1))

    def _flush(self) -> list[Instruction]:
        out, self._out = self._out, []
        return out
