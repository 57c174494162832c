"""`cl.sources`: the layer storage backends use to begin a graph. Programs use `cl.io.Input`.

A source is a class that reads rows in a worker (see `Reader`). Write your own with `register_source`;
`docs/guide/storage.md` shows how, and `scannerpy.testing.backends` tests it. Those that come with Scanner live in
`scannerpy.backends`, which is imported when a name is first asked for that is not known yet.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scannerpy import older
from scannerpy._graph.node import Output, SourceNode
from scannerpy.errors import GraphError, RegistrationError, UnknownOp
from scannerpy.op import Op, OpColumn, user_line

__all__ = ["Reader", "Secret", "Source", "SourceGenerator", "SourceType", "register_source"]

BACKENDS = "scannerpy.backends"


class Secret(str):
    """An argument of a source or sink that nobody but the workers may see, such as an address with a password.

    It is sent to this machine's workers and never written down: a run that has one leaves no recipe for a retry.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('…')"


class Reader(Protocol):
    """What a class registered with `register_source` has. One instance reads one stream, in one thread.

    It is made from keyword arguments: those of its stream and those common to all. Once in the program's process, to
    be asked for its length (and then closed), and once in each worker that reads from it; there it stays open over
    neighbouring tasks. It may also have

    * ``identity()``: a value that changes when the content does, such as sizes and times of files. Without it, what
      an interrupted run has finished is not used again;
    * ``close()``: let go of files and connections;
    * ``row_bytes``: about how many bytes an element takes, so that even the first step fits into memory.
    """

    def __len__(self) -> int:
        """How many elements the stream has. It must not change while a graph runs."""

    def read(self, rows: Sequence[int]) -> Iterable[Any]:
        """Yield one element for each of `rows`, lazily. `rows` are ascending and unique.

        An element is ``bytes``; with ``is_video=True`` an array of uint8, float32 or float64 with at most three
        dimensions; or a NullElement. May be called again, with earlier rows too. What can go wrong with a stream
        should be a ScannerException whose text says what, where, and the next step.
        """


@dataclass(frozen=True, slots=True)
class SourceType:
    """What is known of a source by name. `reader` is None for the two built in, which the client opens itself."""

    name: str
    column: str
    is_video: bool
    type_name: str
    stream_params: tuple[str, ...]
    reader: type[Any] | None = None


SOURCES = {
    kind.name: kind
    for kind in (
        SourceType("Column", "column", False, "", ("table_name", "column_name")),
        SourceType("FrameColumn", "frame", True, "", ("table_name", "column_name")),
    )
}
_ALIASES = {"Sequence": "Column", "FrameSequence": "FrameColumn"}


def register_source(
    name: str, *, stream_params: tuple[str, ...], column: str = "output", is_video: bool = False, type_name: str = ""
) -> Callable[[type[Any]], type[Any]]:
    """Class decorator: make a class (see `Reader`) usable as ``cl.sources.<name>(…)``, which gives a column.

    Args:
        name: what it is called.
        stream_params: the keyword arguments that differ between streams; they are given as lists, one entry each.
        column: the name of the column.
        is_video: the elements are frames (arrays), not bytes.
        type_name: the registered type of the elements (`scannerpy.types`), so that a stored column loads as values;
            empty for plain bytes.

    Raises RegistrationError when a method is missing or another class has the name.

    """

    def register(cls: type[Any]) -> type[Any]:
        known = SOURCES.get(name)
        if known is not None and _origin(known.reader) != _origin(cls):
            raise RegistrationError(f"a source named {name!r} is registered already, by {_origin(known.reader)}")
        for method in ("__len__", "read"):
            if not callable(getattr(cls, method, None)):
                raise RegistrationError(f"source {name!r}: {cls.__qualname__} has no {method}() method")
        SOURCES[name] = SourceType(name, column, is_video, type_name, tuple(stream_params), cls)
        return cls

    return register


def _origin(cls: type[Any] | None) -> str:
    return f"{cls.__module__}.{cls.__qualname__}" if cls is not None else "scannerpy"


class Source:
    """A source placed in a graph: its name and the arguments of each stream."""

    def __init__(self, sc: Any, name: str, node: SourceNode) -> None:
        self._sc = sc
        self._name = name
        self._node = node

    def outputs(self) -> OpColumn:
        """Return the source's only column."""
        node = self._node
        output = Output(node=node, column=node.column, is_video=node.is_video, type_name=node.type_name)
        return OpColumn(self._sc, Op.of_node(self._sc, node), output)


class SourceGenerator:
    """Makes sources by attribute: ``cl.sources.Files(paths=[…])``. Unknown names raise UnknownOp at access."""

    def __init__(self, sc: Any) -> None:
        self._sc = sc

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        kind = find_kind(SOURCES, _ALIASES.get(name, name))
        if kind is None:
            raise UnknownOp(
                f"no source is called {name!r}; there are {', '.join(sorted(SOURCES))}. Import the module that "
                "registers it, or write one with @scannerpy.register_source"
            )

        def make(**arguments: Any) -> OpColumn:
            where = user_line()
            per_job, common = split_arguments(kind.stream_params, arguments, f"{name} at {where}")
            check_arguments(kind.reader, {**common, **per_job[0]}, f"{name} at {where}")
            node = SourceNode(
                name=kind.name,
                where=where,
                column=kind.column,
                is_video=kind.is_video,
                type_name=kind.type_name,
                args=common,
                per_job=per_job,
            )
            return Source(self._sc, name, node).outputs()

        return make

    def __dir__(self) -> list[str]:
        find_kind(SOURCES, "")  # brings the backends in
        return sorted(SOURCES)


def find_kind(known: Mapping[str, Any], name: str) -> Any:
    """The source or sink called `name`, or None; the backends that come with Scanner are imported when needed."""
    if name not in known:
        importlib.import_module(BACKENDS)
    return known.get(name)


def check_arguments(cls: type[Any] | None, arguments: Mapping[str, Any], label: str) -> None:
    """Refuse arguments that a reader or writer class does not take, at the line that gives them."""
    if cls is None:
        return
    signature = inspect.signature(cls)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise GraphError(f"{label}: {error}; {cls.__qualname__} takes {', '.join(signature.parameters)}") from None


def split_arguments(
    stream_params: tuple[str, ...], arguments: Mapping[str, Any], label: str
) -> tuple[tuple[Mapping[str, Any], ...], Mapping[str, Any]]:
    """Split keywords into one mapping per stream (a list has one value for each) and those common to all streams."""
    given = {k: v for k, v in arguments.items() if v is not None}
    streamed = {k: v for k, v in given.items() if k in stream_params}
    if not streamed:
        raise GraphError(
            f"{label}: give at least one of {', '.join(stream_params)} as a list with one entry per stream"
            + (f". {older.TABLES_WITHOUT_STREAMS}" if "table_name" in stream_params else "")
        )
    counts = {k: len(v) for k, v in streamed.items() if isinstance(v, list)}
    if len(set(counts.values())) > 1:
        raise GraphError(f"{label}: the lists disagree about the number of streams: {counts}")
    jobs = next(iter(counts.values()), 1)
    if not jobs:
        raise GraphError(f"{label}: the lists of {', '.join(counts)} are empty: give one entry per stream")
    per_job = tuple({k: v[i] if isinstance(v, list) else v for k, v in streamed.items()} for i in range(jobs))
    return per_job, {k: v for k, v in given.items() if k not in stream_params}
