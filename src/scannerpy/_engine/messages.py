"""What a parent and its worker processes say to each other through a pipe.

Down: `Begin` a run, tasks, and how it ends. Up: the pipeline's reports (`tasks.Report`) and the few words below.
A job's plan travels only with the first of consecutive tasks of that job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scannerpy._engine.failures import TaskError
from scannerpy._engine.kernels import Seat
from scannerpy._engine.states import TaskId
from scannerpy._engine.trace import Interval
from scannerpy._plan.plan import Task

# down


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker takes over from the program: it may have changed since the worker was started."""

    folder: str
    path: tuple[str, ...]
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Begin:
    """Set up for a run. `graph` is `pack_graph`'s, `rest` a pickled Program without its graph."""

    seat: Seat
    surroundings: Surroundings
    graph: bytes
    rest: bytes
    fetches: bool  # whether this instance fetches resources for the machine


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetch the resources after all: whoever was to do it is gone."""


@dataclass(frozen=True, slots=True)
class Go:
    """The resources are there."""


@dataclass(frozen=True, slots=True)
class Give:
    """Run a task after those given before. `job` is the pickled JobPlan; None: the same as before."""

    id: TaskId
    task: Task
    job: bytes | None


@dataclass(frozen=True, slots=True)
class Drop:
    """Do not bother with this task."""

    id: TaskId


@dataclass(frozen=True, slots=True)
class End:
    """The run is over. With `cancel`, stop at the next row whatever is in hand."""

    cancel: bool


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave."""


# up


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
class Ended:
    """The worker is idle again."""

    intervals: list[Interval]


@dataclass(frozen=True, slots=True)
class Broken:
    """The engine itself failed in the worker, which exits."""

    error: TaskError
