"""`cl.sinks`: the layer storage backends use to end a graph. Programs use `cl.io.Output`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scannerpy._graph.node import SinkNode
from scannerpy.errors import GraphError, RegistrationError, UnknownOp
from scannerpy.op import OpColumn, user_line
from scannerpy.source import _origin, split_arguments

if TYPE_CHECKING:
    from scannerpy.storage import StoredStream

__all__ = ["Sink", "SinkGenerator", "SinkType", "register_sink"]


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
    """Class decorator: make a class usable as ``cl.sinks.<name>(input=column, …)``.

    The class is made in a worker, once per task, with the keyword arguments of its stream (`stream_params`) and those
    common to all. It has ``write(start, elements)`` (rows from `start` on, in order; bytes, arrays, or NullElement),
    ``finish()`` (make them durable; doing a task again must do no harm) and optionally ``abort()``.
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
        kind = SINKS.get(_ALIASES.get(name, name))
        if kind is None:
            raise UnknownOp(f"no sink named {name!r} is registered; there are {', '.join(sorted(SINKS))}")

        def make(*inputs: OpColumn, **arguments: Any) -> Sink:
            where = user_line()
            columns = [*inputs, *_named_inputs(arguments)]
            if not columns or not all(isinstance(column, OpColumn) for column in columns):
                raise GraphError(f"{name} at {where}: give the column to store, as in sinks.{name}(input=column, …)")
            per_job, common = split_arguments(kind.stream_params, arguments, f"{name} at {where}")
            outputs = tuple(column.output for column in columns)
            return Sink(
                self._sc, name, SinkNode(name=kind.name, where=where, inputs=outputs, args=common, per_job=per_job)
            )

        return make


def _named_inputs(arguments: dict[str, Any]) -> list[OpColumn]:
    """Take the columns out of the keywords: any keyword that is one, or ``columns={name: column}``."""
    taken = [arguments.pop(key) for key in [k for k, v in arguments.items() if isinstance(v, OpColumn)]]
    return taken + list(arguments.pop("columns", {}).values())
