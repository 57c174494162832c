"""`cl.sources`: the layer storage backends use to begin a graph. Programs use `cl.io.Input`.

A source is a class that reads rows in a worker. Write your own with `register_source`; see `docs/guide/storage.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scannerpy import older
from scannerpy._graph.node import Output, SourceNode
from scannerpy.errors import GraphError, RegistrationError, UnknownOp
from scannerpy.op import Op, OpColumn, user_line

__all__ = ["Source", "SourceGenerator", "SourceType", "register_source"]


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
    """Class decorator: make a class usable as ``cl.sources.<name>(…)``.

    The class is made in a worker with the keyword arguments of its stream (`stream_params`, given as lists with one
    entry per stream) and those common to all. It has ``__len__()`` (rows of the stream), ``read(rows)`` (a generator
    of one element per row: bytes, or uint8/float arrays where `is_video`; `rows` ascending and unique) and optionally
    ``close()`` and ``identity()`` (a value that changes when the content does; without it an interrupted run starts
    anew).
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
        kind = SOURCES.get(_ALIASES.get(name, name))
        if kind is None:
            raise UnknownOp(f"no source named {name!r} is registered; there are {', '.join(sorted(SOURCES))}")

        def make(**arguments: Any) -> OpColumn:
            where = user_line()
            per_job, common = split_arguments(kind.stream_params, arguments, f"{name} at {where}")
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


def split_arguments(
    stream_params: tuple[str, ...], arguments: Mapping[str, Any], label: str
) -> tuple[tuple[Mapping[str, Any], ...], Mapping[str, Any]]:
    """Split keywords into one mapping per stream and those common to all (spec §4: lists give N, scalars broadcast)."""
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
    per_job = tuple({k: v[i] if isinstance(v, list) else v for k, v in streamed.items()} for i in range(jobs))
    return per_job, {k: v for k, v in given.items() if k not in stream_params}
