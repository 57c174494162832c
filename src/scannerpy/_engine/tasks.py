"""What passes through a pipeline: a task to run, its state while it runs, and the reports about it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scannerpy._engine.failures import TaskError
from scannerpy._engine.journal import TaskResult
from scannerpy._engine.ports import OpenSink, OpenSource
from scannerpy._engine.states import TaskId
from scannerpy._engine.trace import Interval
from scannerpy._graph.graph import Graph
from scannerpy._plan.steps import TaskDemand
from scannerpy._plan.task import JobPlan, Task


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """What every task of a run has in common; sent to each worker once."""

    graph: Graph
    work_packet_size: int
    sources: Mapping[str, OpenSource]
    sinks: Mapping[str, OpenSink]
    database: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TaskSpec:
    """A task to run, with the plan of its job."""

    id: TaskId
    job: JobPlan
    task: Task


@dataclass(slots=True, eq=False)
class TaskRun:
    """A task in a pipeline. The first error wins; every stage then lets the task pass without working on it."""

    spec: TaskSpec
    demand: TaskDemand | None = None
    error: TaskError | None = None
    load_ns: int = 0
    work_ns: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def id(self) -> TaskId:
        """Which task it is."""
        return self.spec.id

    @property
    def alive(self) -> bool:
        """Whether its results are still wanted and possible."""
        return self.error is None

    def fail(self, error: TaskError) -> None:
        """The task cannot be completed."""
        with self._lock:
            if self.error is None:
                self.error = error


@dataclass(frozen=True, slots=True)
class Begun:
    """The evaluator begins a task."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class Done:
    """A task's rows are durable. The times are what its stages worked, in ns."""

    task: TaskId
    result: TaskResult
    intervals: list[Interval]
    load_ns: int = 0
    work_ns: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """A task left the pipeline without a result."""

    task: TaskId
    error: TaskError
    intervals: list[Interval]


Report = Begun | Done | Failed

DROPPED = TaskError("evaluate", "", None, "Dropped", "its job was given up", "")
