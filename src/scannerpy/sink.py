"""`cl.sinks`: the layer storage backends use to end a graph. Programs use `cl.io.Output`.

A sink is a class that takes the rows of one task in a worker (see `Writer`). Write your own with `register_sink`;
`docs/guide/storage.md` shows how, and `scannerpy.testing.backends` tests it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from scannerpy._graph.node import SinkNode
from scannerpy.errors import GraphError, RegistrationError, UnknownOp
from scannerpy.op import OpColumn, user_line
from scannerpy.source import _origin, check_arguments, find_kind, split_arguments

if TYPE_CHECKING:
    from scannerpy.storage import StoredStream

__all__ = ["Sink", "SinkGenerator", "SinkType", "Writer", "register_sink"]


class Writer(Protocol):
    """What a class registered with `register_sink` has. One instance takes the rows of one task, in one thread.

    It is made in a worker from keyword arguments: those of its stream and those common to all. A task whose worker
    dies is done again from its first row, so a task may be written several times, though never twice at once. It may
    also have

    * ``abort()``: the task failed; forget what was written. Not called when the worker died;

    and these class methods, called in the program's own process with the stream's arguments:

    * ``check(rows, **arguments)``: raise ScannerException if a stream of so many rows cannot be held. Called before
      anything is run;
    * ``commit(results, **arguments)``: all tasks are done; make the stream count. `results` has what each task's
      `finish` returned, in the order of rows. If this raises, the stream is reported as failed;
    * ``discard(**arguments)``: the stream's job failed or was interrupted; clear away what is left of it. One that
      takes ``before`` as well is also called for programs that were killed, when the database is next used for a run
      and no other goes on: then nothing may go that was touched since that time (seconds since the epoch).
    """

    def write(self, start: int, elements: Sequence[Any]) -> None:
        """Take the next rows of the task, in order: `start` is the number of the first in the stream.

        An element is ``bytes``, an array (of a column of frames) or a NullElement; with several input columns, a
        tuple of them. Arrays must not be changed.
        """

    def finish(self) -> Any:
        """Make the task's rows durable. Writing and finishing the same task again must do no harm.

        Returns something small that can be pickled, for `commit`.
        """


@dataclass(frozen=True, slots=True)
class SinkType:
    """What is known of a sink by name. `writer` is None for the two built in, which the client opens itself."""

    name: str
    stream_params: tuple[str, ...]
    writer: type[Any] | None = None


SINKS = {
    kind.name: kind
    for kind in (
        SinkType("Column", ("table_name", "column_name")),
        SinkType("FrameColumn", ("table_name", "column_name")),
    )
}
_ALIASES = {"Sequence": "Column", "FrameSequence": "FrameColumn"}


def register_sink(name: str, *, stream_params: tuple[str, ...]) -> Callable[[type[Any]], type[Any]]:
    """Class decorator: make a class (see `Writer`) usable as ``cl.sinks.<name>(input=column, …)``.

    `stream_params` names the keyword arguments that differ between streams; they are given as lists, one entry each.
    Raises RegistrationError when a method is missing or another class has the name.
    """

    def register(cls: type[Any]) -> type[Any]:
        known = SINKS.get(name)
        if known is not None and _origin(known.writer) != _origin(cls):
            raise RegistrationError(f"a sink named {name!r} is registered already, by {_origin(known.writer)}")
        for method in ("write", "finish"):
            if not callable(getattr(cls, method, None)):
                raise RegistrationError(f"sink {name!r}: {cls.__qualname__} has no {method}() method")
        SINKS[name] = SinkType(name, tuple(stream_params), cls)
        return cls

    return register


class Sink:
    """A sink placed in a graph; what `Client.run` is given."""

    def __init__(self, sc: Any, name: str, node: SinkNode) -> None:
        self._sc = sc
        self._name = name
        self._streams: list[StoredStream] = []
        self.node = node

    @property
    def name(self) -> str:
        """The sink's registered name."""
        return self._name

    @property
    def streams(self) -> list[StoredStream]:
        """The handles given to `io.Output`; empty for a sink made through `cl.sinks`."""
        return self._streams

    def __repr__(self) -> str:
        return f"<Sink {self._name} of {len(self.node.per_job)} streams>"


class SinkGenerator:
    """Makes sinks by attribute: ``cl.sinks.Files(input=column, paths=[…])``. Unknown names raise UnknownOp."""

    def __init__(self, sc: Any) -> None:
        self._sc = sc

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        kind = find_kind(SINKS, _ALIASES.get(name, name))
        if kind is None:
            raise UnknownOp(
                f"no sink is called {name!r}; there are {', '.join(sorted(SINKS))}. Import the module that registers "
                "it, or write one with @scannerpy.register_sink"
            )

        def make(*inputs: OpColumn, **arguments: Any) -> Sink:
            where = user_line()
            columns = [*inputs, *_named_inputs(arguments)]
            if not columns or not all(isinstance(column, OpColumn) for column in columns):
                raise GraphError(f"{name} at {where}: give the column to store, as in sinks.{name}(input=column, …)")
            per_job, common = split_arguments(kind.stream_params, arguments, f"{name} at {where}")
            check_arguments(kind.writer, {**common, **per_job[0]}, f"{name} at {where}")
            outputs = tuple(column.output for column in columns)
            return Sink(
                self._sc, name, SinkNode(name=kind.name, where=where, inputs=outputs, args=common, per_job=per_job)
            )

        return make

    def __dir__(self) -> list[str]:
        find_kind(SINKS, "")  # brings the backends in
        return sorted(SINKS)


def _named_inputs(arguments: dict[str, Any]) -> list[OpColumn]:
    """Take the columns out of the keywords: any keyword that is one, or ``columns={name: column}``."""
    taken = [arguments.pop(key) for key in [k for k, v in arguments.items() if isinstance(v, OpColumn)]]
    return taken + list(arguments.pop("columns", {}).values())
