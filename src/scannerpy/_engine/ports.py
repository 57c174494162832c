"""The interfaces `Reader` and `Writer`, between the pipeline and what it reads from and writes to.

A run's `Program` maps the name of each source and sink of its graph to a callable. It is called in the worker with a
plain, picklable mapping of arguments: those common to all jobs, updated by those of the job. The tables of the database
are opened by `columns`; classes that storage packages register by `custom`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scannerpy._graph.graph import Edge
from scannerpy._plan.rows import Rows
from scannerpy._words.elements import Element


class Reader(Protocol):
    """One stream, open for reading. Used by one thread; kept open over neighbouring tasks of a job.

    It may have an attribute ``row_bytes``, the size of a typical element in memory: then even the first step of the
    first task fits the memory cap.
    """

    def read(self, rows: Rows) -> Iterator[Element]:
        """Yield the element of each of `rows` (ascending, unique), lazily."""

    def close(self) -> None:
        """Close files and decoders."""


class Writer(Protocol):
    """Where one task's rows of one sink go. Used by one thread. Ends with `finish` or `abort`, never both."""

    def write(self, *columns: Sequence[Element]) -> None:
        """Take the next rows, in order: a sequence of elements per input of the sink. Must not change them."""

    def finish(self) -> Any:
        """Make the rows durable. Returns a picklable description of where they are. Finishing the same task again
        (after a crash, in another worker) must do no harm.
        """

    def abort(self) -> None:
        """Forget what was written."""


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """What a writer takes: task `task` of job `job`, rows [start, end) of the sink's stream, from `edges`."""

    job: int
    task: int
    start: int
    end: int
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What an `open` may know of the worker it is called in."""

    worker: int = 0
    threads: int = 1  # how many threads a decoder should use; an encoder always has one, for its bytes depend on it
    database: Mapping[str, Any] | None = None  # the storage configuration of the run's database


class OpenSource(Protocol):
    """Opens a stream for reading."""

    def __call__(self, args: Mapping[str, Any], context: WorkerContext, /) -> Reader: ...


class OpenSink(Protocol):
    """Opens a writer of one task's rows."""

    def __call__(self, args: Mapping[str, Any], output: TaskOutput, context: WorkerContext, /) -> Writer: ...
