"""The five events that a run sends to its listeners: progress bar, status, and records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scannerpy._engine.failures import Failure


@dataclass(frozen=True, slots=True)
class RunStarted:
    """How much there is, and how much of it an earlier run has done."""

    jobs: int
    tasks: int
    rows: int
    tasks_done: int
    rows_done: int


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A task is done, or an attempt at it failed (`reason`)."""

    job: int
    task: int
    rows: int
    worker: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A job's outputs are committed, or it was given up (`failure`)."""

    job: int
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Several times a second: rows finished inside tasks that still run, and the workers."""

    rows_running: int
    workers: int
    workers_lost: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The last event. `error` is None unless the run as a whole could not be carried on."""

    error: str | None = None
    cancelled: bool = False


RunEvent = RunStarted | TaskEnded | JobEnded | Heartbeat | RunEnded
Listener = Callable[[RunEvent], None]


def broadcast(*listeners: Listener) -> Listener:
    """One listener that passes every event to each of `listeners`."""

    def tell(event: RunEvent) -> None:
        for listener in listeners:
            listener(event)

    return tell
