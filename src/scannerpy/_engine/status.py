"""`RunStatus`: the progress of a run, as `Client.wait_on_job` returns it; updated by the run's events."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from scannerpy._engine.events import Heartbeat, JobEnded, RunEnded, RunEvent, RunStarted, TaskEnded
from scannerpy._engine.failures import Failure, FailureReport, lost
from scannerpy._html import progress
from scannerpy._html.progress import RunView


@dataclass(slots=True)
class Result:
    """Whether the run as a whole could be carried on, and if not, why. Given-up jobs do not make it fail."""

    success: bool = True
    msg: str = ""


@dataclass(slots=True)
class RunStatus:
    """Numbers of a run; `tasks_done` and `jobs_done` include what an earlier run had done."""

    finished: bool = False
    result: Result = field(default_factory=Result)
    tasks_done: int = 0
    total_tasks: int = 0
    rows_done: int = 0
    total_rows: int = 0
    rows_running: int = 0  # through, in tasks that are not done
    rows_given_up: int = 0
    jobs_done: int = 0
    jobs_failed: int = 0
    total_jobs: int = 0
    num_workers: int = 0
    failed_workers: int = 0
    cancelled: bool = False
    _failures: list[Failure] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    @property
    def failures(self) -> FailureReport:
        """What went wrong so far; print it."""
        return FailureReport(self._failures)

    def _repr_html_(self) -> str:
        with self._changed:
            return run_page(self)

    def __call__(self, event: RunEvent) -> None:
        """Take in an event."""
        with self._changed:
            self._take(event)
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the run has finished; False if `timeout` seconds went by first."""
        with self._changed:
            return self._changed.wait_for(lambda: self.finished, timeout)

    def _take(self, event: RunEvent) -> None:
        match event:
            case RunStarted():
                self.total_jobs, self.total_tasks, self.total_rows = event.jobs, event.tasks, event.rows
                self.tasks_done, self.rows_done = event.tasks_done, event.rows_done
            case TaskEnded(reason=None):
                self.tasks_done += 1
                self.rows_done += event.rows
                self.rows_running = max(0, self.rows_running - event.rows)  # until the next heartbeat tells
            case JobEnded(failure=None):
                self.jobs_done += 1
            case JobEnded(failure=failure) if failure is not None:
                self.jobs_failed += 1
                self._failures.append(failure)
                self.rows_given_up += failure.rows_lost
            case Heartbeat():
                self.rows_running = event.rows_running
                self.num_workers, self.failed_workers = event.workers, event.workers_lost
            case RunEnded():
                self.finished = True
                self.rows_running = 0
                self.cancelled = event.cancelled
                self.result = Result(event.error is None and not event.cancelled, event.error or _cancelled(event))
            case _:
                return


def _cancelled(event: RunEnded) -> str:
    return "the run was cancelled" if event.cancelled else ""


def run_page(status: RunStatus, *words: str) -> str:
    """Return the progress of a run as a page for a notebook, with `words` among its numbers."""
    view = RunView(
        _state(status),
        through(status),
        status.total_rows,
        status.rows_given_up,
        [word for word in (*words, counts(status)) if word],
        lost(status._failures),
        status.result.msg,
    )
    return progress.run(view)


def _state(status: RunStatus) -> str:
    if not status.finished:
        return "goes on" if status.total_jobs else "has not begun"
    if not status.result.success:
        return "failed"
    return "finished, with failures" if status.jobs_failed else "finished"


def through(status: RunStatus) -> int:
    """Rows that are through, those of tasks still running included."""
    return min(status.total_rows, status.rows_done + status.rows_running)


def counts(status: RunStatus) -> str:
    """Tasks, failures and workers."""
    parts = [f"{status.tasks_done}/{status.total_tasks} tasks"]
    if status.jobs_failed:
        parts.append(f"{status.jobs_failed} failed")
    if not status.finished:
        parts.append(f"{status.num_workers} worker{'s' * (status.num_workers != 1)}")
    return ", ".join(parts)
