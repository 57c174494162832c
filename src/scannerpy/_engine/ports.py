"""How the pipeline sees what it reads from and writes to: two protocols, and the registered sources and sinks.

A source or sink is known by name. Its `open` is called in the worker with a plain, picklable mapping of arguments:
those common to all jobs, updated by those of the job. The built-in ``Column`` and ``FrameColumn`` are made in
`columns`; storage packages bring their own, which travel to the workers with the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from scannerpy._graph.graph import Edge
from scannerpy._plan.plan import Rows
from scannerpy._words.elements import Element
from scannerpy.errors import UnknownOp


@runtime_checkable
class Reader(Protocol):
    """One stream, open for reading. Used by one thread; kept open over neighbouring tasks of a job."""

    def read(self, rows: Rows) -> Iterator[Element]:
        """Yield the element of each of `rows` (ascending, unique), lazily."""

    def close(self) -> None:
        """Let go of files and decoders."""


@runtime_checkable
class SizedReader(Reader, Protocol):
    """A reader that knows about how large its elements are, so that the very first step already fits the memory cap."""

    @property
    def row_bytes(self) -> int:
        """The size of a typical element in memory."""


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
class Place:
    """What a writer is to hold: task `task` of job `job`, rows [start, end) of the sink's stream, fed by `edges`."""

    job: int
    task: int
    start: int
    end: int
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What an `open` may know of the worker it is called in."""

    worker: int = 0
    threads: int = 1  # how many threads a decoder or encoder should use


class OpenSource(Protocol):
    """Opens a stream for reading."""

    def __call__(self, args: Mapping[str, Any], context: WorkerContext, /) -> Reader: ...


class OpenSink(Protocol):
    """Opens a place for writing one task's rows."""

    def __call__(self, args: Mapping[str, Any], place: Place, context: WorkerContext, /) -> Writer: ...


@dataclass(frozen=True, slots=True)
class SourceType:
    """A registered source. `stream_params` are the arguments that differ per stream; `rows`, called while planning,
    tells how many rows a stream with the given arguments has; `column`, `is_video` and `type_name` describe its output.
    """

    name: str
    open: OpenSource
    stream_params: tuple[str, ...]
    rows: Callable[[Mapping[str, Any]], int] | None = None
    column: str = "column"
    is_video: bool = False
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class SinkType:
    """A registered sink. `stream_params` are the arguments that differ per stream."""

    name: str
    open: OpenSink
    stream_params: tuple[str, ...]


SOURCES: dict[str, SourceType] = {}
SINKS: dict[str, SinkType] = {}


def register_source(kind: SourceType, *aliases: str) -> None:
    """Make a source known by its name (and `aliases`). Registering a name again replaces it."""
    SOURCES.update(dict.fromkeys((kind.name, *aliases), kind))


def register_sink(kind: SinkType, *aliases: str) -> None:
    """Make a sink known by its name (and `aliases`). Registering a name again replaces it."""
    SINKS.update(dict.fromkeys((kind.name, *aliases), kind))


def source_type(name: str) -> SourceType:
    """The source registered as `name`. Raises UnknownOp."""
    return _known(SOURCES, name, "source")


def sink_type(name: str) -> SinkType:
    """The sink registered as `name`. Raises UnknownOp."""
    return _known(SINKS, name, "sink")


T = TypeVar("T")


def _known(kinds: Mapping[str, T], name: str, what: str) -> T:
    if name not in kinds:
        known = ", ".join(sorted(kinds)) or "none"
        raise UnknownOp(
            f"no {what} named {name!r} is registered; known are: {known}. Import the module that defines it"
        )
    return kinds[name]
