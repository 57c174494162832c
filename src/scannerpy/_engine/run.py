"""The loop of a run: hands events to the scheduler and its instructions to the executor, commits complete jobs.

In: a `RunSpec`, an executor, a listener, and the function that commits results. Out: an `Outcome`, or the error that
ended the run early. Whatever happens, the executor is stopped before this returns, and complete jobs are committed:
also after Ctrl-C, which is then raised again.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from scannerpy._engine import protocol
from scannerpy._engine.assignment import JobShape
from scannerpy._engine.events import Heartbeat, JobEnded, Listener, RunEnded, RunStarted, TaskEnded
from scannerpy._engine.executor import Executor, RunSpec, Update
from scannerpy._engine.failures import Failure, FailureReport, TaskError
from scannerpy._engine.journal import Journal, TaskResult
from scannerpy._engine.scheduler import Scheduler
from scannerpy._engine.states import TaskId
from scannerpy._engine.trace import Interval, Trace, clock
from scannerpy.common import log
from scannerpy.errors import JobFailed, KernelError

HEARTBEAT_SECONDS = 0.1
LOGGED_ONE_BY_ONE = 10
"""So many given-up jobs are logged one by one; the rest are counted in one line at the end."""

Committer = Callable[[Sequence[tuple[int, list[TaskResult]]]], Mapping[int, str] | None]
"""Makes the results of complete jobs count, durably: (job, result of each task). Returns the jobs whose tasks do not
fit together, with the reason, if there are any; those fail."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run. `error` is None unless the run as a whole could not be carried on."""

    failures: FailureReport
    trace: Trace
    error: str | None = None
    cancelled: bool = False
    fault: TaskError | None = None  # of the user's code, where that is why


class Cancellation:
    """A way to stop a run from another thread."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def cancel(self, reason: str = "cancelled") -> None:
        """Ask the run to stop; it does so within moments."""
        self.reason = self.reason or reason


def execute(
    spec: RunSpec, executor: Executor, listener: Listener, commit: Committer, cancellation: Cancellation | None = None
) -> Outcome:
    """Carry a run out. An `Outcome` with an error is returned, not raised (see `raise_if_failed`); what `commit` or
    the executor raises comes out as it is.
    """
    run = _Run(spec, executor, listener, commit, cancellation or Cancellation())
    with _interrupts_cancel(run.cancellation, executor):
        return run.execute()


def raise_if_failed(outcome: Outcome) -> None:
    """Raise JobFailed for a run that could not be carried on, KernelError if that is because an op's kernel cannot be
    set up. A job that was given up raises nothing: its failure is in ``Outcome.failures``.
    """
    fault = outcome.fault
    if outcome.error is not None and fault is not None:
        raise KernelError(f"{outcome.error}\n{fault.traceback}".rstrip(), op=fault.op, traceback=fault.traceback)
    if outcome.error is not None:
        raise JobFailed(outcome.error)


class _Run:
    def __init__(
        self, spec: RunSpec, executor: Executor, listener: Listener, commit: Committer, cancellation: Cancellation
    ) -> None:
        self._spec = spec
        self._executor = executor
        self._tell = listener
        self._commit = commit
        self.cancellation = cancellation
        counts = [len(job.tasks) for job in spec.jobs]
        self._journal = Journal(counts, spec.earlier)
        self._scheduler = Scheduler([self._shape(j) for j in range(len(counts))], _limits(spec, executor))
        self._errors: dict[TaskId, TaskError] = {}
        self._failures: list[Failure] = []
        self._trace = Trace()
        self._finish: protocol.Finish | None = None
        self._setup_error: TaskError | None = None
        self._lost = 0
        self._ended: dict[int, str] = {}  # workers that were told to end, and why
        self._next_heartbeat = 0.0
        self._started_at = time.monotonic()

    def execute(self) -> Outcome:
        """See `execute`."""
        self._tell(self._started())
        ended = RunEnded(error="the run was broken off")
        try:
            self._run_loop()
            finish = self._finish or protocol.Finish()
            ended = RunEnded(finish.error, finish.cancelled)
        except KeyboardInterrupt:
            ended = RunEnded(cancelled=True)
            raise
        except Exception as error:
            ended = RunEnded(error=f"{type(error).__name__}: {error}")
            raise
        finally:
            self._log_unlisted()
            self._tell(ended)
        fault = self._setup_error if ended.error is not None else None
        return Outcome(FailureReport(self._failures), self._trace, ended.error, ended.cancelled, fault)

    def _run_loop(self) -> None:
        tidy = False
        try:
            self._executor.begin(self._spec)
            self._loop()
            tidy = self._finish is not None and self._finish.error is None and not self._finish.cancelled
        except KeyboardInterrupt:
            self._dispatch(self._scheduler.react(protocol.Cancel("Ctrl-C"), self._now()))
            raise
        finally:
            self._end_executor(cancel=not tidy)

    def _loop(self) -> None:
        self._dispatch(self._scheduler.start(self._now()))
        while self._finish is None:
            for update in self._executor.wait(self._wait_seconds()):
                self._handle(update)
            if self.cancellation.reason is not None:
                self._dispatch(self._scheduler.react(protocol.Cancel(self.cancellation.reason), self._now()))
            else:
                self._dispatch(self._scheduler.react(protocol.Tick(), self._now()))
            self._heartbeat()

    def _end_executor(self, *, cancel: bool) -> None:
        try:
            for update in self._executor.end(cancel=cancel):
                self._keep_trace(update)
        except BaseException:
            self._executor.abort()
            raise

    def _now(self) -> float:
        return time.monotonic() - self._started_at

    def _wait_seconds(self) -> float:
        deadline = self._scheduler.deadline()
        return HEARTBEAT_SECONDS if deadline is None else min(HEARTBEAT_SECONDS, max(0.0, deadline - self._now()))

    def _heartbeat(self) -> None:
        if self._now() >= self._next_heartbeat or self._finish is not None:
            self._next_heartbeat = self._now() + HEARTBEAT_SECONDS
            self._tell(Heartbeat(self._executor.rows_running(), self._scheduler.workers_up, self._lost))

    # updates

    def _handle(self, update: Update) -> None:
        self._keep_trace(update)
        match update.event:
            case protocol.TaskDone(worker, task):
                self._journal.record(task, update.result)
                self._scheduler.learn(update.load_ns, update.work_ns)
                self._errors.pop(task, None)
                self._tell(TaskEnded(task.job, task.number, self._rows(task), worker))
            case protocol.TaskFailed(worker, task, reason):
                self._keep_error(task, update.error)
                self._tell(TaskEnded(task.job, task.number, self._rows(task), worker, reason))
            case protocol.SetupFailed():
                self._setup_error = update.error
            case protocol.TaskBegun():
                self._setup_error = None
            case protocol.WorkerLost(worker, reason, blame):
                self._lost += 1
                self._recover_results(worker)
                self._keep_error(blame, update.error)
                log.warning("lost worker %d: %s", worker, self._ended.pop(worker, None) or update.error or reason)
            case _:
                pass
        self._dispatch(self._scheduler.react(update.event, self._now()))

    def _recover_results(self, worker: int) -> None:
        """Tasks whose results are durable are done, even if their worker died before it could say so."""
        held = self._scheduler.held(worker)
        for task, result in self._spec.find_results(held).items() if held else ():
            self._handle(Update(protocol.TaskDone(worker, task), result))

    def _keep_error(self, task: TaskId | None, error: TaskError | None) -> None:
        if task is not None and error is not None:
            self._errors[task] = error

    def _keep_trace(self, update: Update) -> None:
        worker = update.worker if update.worker is not None else getattr(update.event, "worker", None)
        if worker is not None and update.intervals:
            self._trace.add(worker, update.intervals)

    # instructions

    def _dispatch(self, instructions: Sequence[protocol.Instruction]) -> None:
        for instruction in instructions:
            match instruction:
                case protocol.CommitJobs(jobs):
                    self._commit_jobs(jobs)
                case protocol.GiveUpJob():
                    self._give_up(instruction)
                case protocol.Finish():
                    self._finish = instruction
                case protocol.KillWorker(worker, reason):
                    self._ended[worker] = f"ended on purpose: a task {reason}"
                    self._executor.do(instruction)
                case _:
                    self._executor.do(instruction)

    def _commit_jobs(self, jobs: Sequence[int]) -> None:
        began = clock()
        refused = self._commit([(job, self._journal.take(job)) for job in jobs]) or {}
        interval = Interval(
            "EventLoop", f"commit {len(jobs)} jobs", "master", began, clock(), clock() - began, 0, jobs[0], 0
        )
        self._trace.add(-1, [interval])
        for job in jobs:
            self._tell(JobEnded(job, self._commit_failed(job, refused[job]) if job in refused else None))

    def _commit_failed(self, job: int, reason: str) -> Failure:
        failure = Failure(self._spec.names[job], job, None, "", reason, "", rows_kept=0)
        self._failures.append(failure)
        log.warning("gave up %s (the run goes on)", failure)
        return failure

    def _give_up(self, given: protocol.GiveUpJob) -> None:
        failure = self._failure(given)
        self._failures.append(failure)
        self._forget(given.job)
        if len(self._failures) <= LOGGED_ONE_BY_ONE:
            kept = f"; {failure.rows_kept} rows are kept for the next run" if failure.rows_kept else ""
            stays = "; its earlier result stays as it was" if given.job in self._spec.replacing else ""
            log.warning("gave up %s (the run goes on%s%s)", failure, kept, stays)
        self._tell(JobEnded(given.job, failure))

    def _failure(self, given: protocol.GiveUpJob) -> Failure:
        error = self._errors.get(given.task)
        tasks = given.tasks_kept if self._spec.resumable else ()
        kept = sum(self._rows(TaskId(given.job, number)) for number in tasks)
        rows, op, traceback = (error.rows, error.op, error.traceback) if error else (None, "", "")
        reason = error.reason if error and str(error) == given.reason else given.reason
        lost = self._spec.jobs[given.job].rows - kept
        return Failure(self._spec.names[given.job], given.job, rows, op, reason, traceback, kept, lost, given.story)

    def _forget(self, job: int) -> None:
        for task in [t for t in self._errors if t.job == job]:
            self._errors.pop(task)

    def _log_unlisted(self) -> None:
        more = len(self._failures) - LOGGED_ONE_BY_ONE
        if more > 0:
            log.warning("gave up %d more streams; the run's status has the whole failure report", more)

    # what is known of jobs

    def _rows(self, task: TaskId) -> int:
        return self._spec.jobs[task.job].tasks[task.number].rows

    def _shape(self, job: int) -> JobShape:
        plan = self._spec.jobs[job]
        starts = plan.tasks.starts().tolist()
        ends = [*starts[1:], plan.rows]
        costs = [end - start for start, end in zip(starts, ends, strict=True)] if starts else []
        return JobShape(costs, self._spec.prerolls.get(job, ()), self._journal.done(job))

    def _started(self) -> RunStarted:
        jobs = self._spec.jobs
        done = [TaskId(j, n) for j, tasks in self._spec.earlier.items() for n in tasks]
        return RunStarted(
            len(jobs),
            sum(len(job.tasks) for job in jobs),
            sum(job.rows for job in jobs),
            len(done),
            sum(self._rows(task) for task in done),
        )


def _limits(spec: RunSpec, executor: Executor) -> protocol.Limits:
    most = executor.most_workers
    return spec.limits if most is None else replace(spec.limits, workers=min(most, spec.limits.workers))


@contextmanager
def _interrupts_cancel(cancellation: Cancellation, executor: Executor) -> Iterator[None]:
    """While workers work for us, turn the first Ctrl-C into a cancellation (so that it cannot strike in the middle of
    a decision), a second one into the usual KeyboardInterrupt. Where kernels run in this thread, leave it alone.
    """
    in_main = threading.current_thread() is threading.main_thread()
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # as for background jobs: leave it so
    if not in_main or ignored or not executor.takes_interrupts:
        yield
        return
    noted = False

    def note(number: int, frame: FrameType | None) -> Any:
        nonlocal noted
        if noted:
            signal.default_int_handler(number, frame)
        noted = True
        cancellation.cancel("Ctrl-C")

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
        if noted:
            signal.raise_signal(signal.SIGINT)
