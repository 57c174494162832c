"""The messages between a parent and its worker processes, sent through a pipe.

To the worker: `Begin` a run, tasks, and how it ends. To the parent: the pipeline's reports (`tasks.Report`), and those
below. A job's plan is sent only with the first of consecutive tasks of that job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scannerpy._engine.failures import TaskError
from scannerpy._engine.kernels import InstanceConfig
from scannerpy._engine.states import TaskId
from scannerpy._engine.tasks import Report
from scannerpy._engine.trace import Interval
from scannerpy._plan.task import Task

# To the worker


@dataclass(frozen=True, slots=True)
class Environment:
    """Working directory, import path and environment of the program: they may have changed since the worker started."""

    folder: str
    path: tuple[str, ...]
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Begin:
    """Set up for a run. `graph` is `pack_graph`'s, `rest` a pickled Program without its graph."""

    instance: InstanceConfig
    environment: Environment
    graph: bytes
    rest: bytes
    fetches: bool  # whether this instance fetches resources for the machine


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetch the resources after all: the instance that was to do it is gone."""


@dataclass(frozen=True, slots=True)
class ResourcesReady:
    """The resources are there."""


@dataclass(frozen=True, slots=True)
class RunTask:
    """Run a task after those given before. `job` is the pickled JobPlan; None: the same as before."""

    id: TaskId
    task: Task
    job: bytes | None


@dataclass(frozen=True, slots=True)
class Drop:
    """Skip this task."""

    id: TaskId


@dataclass(frozen=True, slots=True)
class End:
    """The run is over. With `cancel`, stop at the next row whatever is in hand."""

    cancel: bool


@dataclass(frozen=True, slots=True)
class Exit:
    """End the process."""


ToWorker = Begin | Fetch | ResourcesReady | RunTask | Drop | End | Exit

# To the parent


@dataclass(frozen=True, slots=True)
class Stale:
    """The worker has imported a module whose file has changed since; it exits and wants to be replaced."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The resources are there."""


@dataclass(frozen=True, slots=True)
class CannotSetUp:
    """The kernels cannot be made here. The worker waits for `End`."""

    error: TaskError


@dataclass(frozen=True, slots=True)
class Idle:
    """The worker is idle again."""

    intervals: list[Interval]


@dataclass(frozen=True, slots=True)
class InternalError:
    """The engine itself failed in the worker, which exits."""

    error: TaskError


ToParent = Report | Stale | Fetched | CannotSetUp | Idle | InternalError
