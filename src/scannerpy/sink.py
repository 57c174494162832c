"""`cl.sinks`: the layer storage backends use to end a graph. Programs use `cl.io.Output`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scannerpy._engine.ports import sink_type
from scannerpy._graph.node import SinkNode
from scannerpy.errors import GraphError
from scannerpy.op import OpColumn, user_line
from scannerpy.source import split_arguments

if TYPE_CHECKING:
    from scannerpy.storage import StoredStream

__all__ = ["Sink", "SinkGenerator"]


class Sink:
    """A sink placed in a graph; what `Client.run` is given."""

    def __init__(self, sc: Any, name: str, node: SinkNode) -> None:
        self._sc = sc
        self._name = name
        self._streams: list[StoredStream] = []
        self.node = node

    def __repr__(self) -> str:
        return f"<Sink {self._name} of {len(self.node.per_job)} streams>"


class SinkGenerator:
    """Makes sinks by attribute: ``cl.sinks.Files(input=column, paths=[…])``. Unknown names raise UnknownOp at access."""

    def __init__(self, sc: Any) -> None:
        self._sc = sc

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        kind = sink_type(name)

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
    """Take the columns out of the keywords: ``input=column``, any keyword that is one, or ``columns={name: column}``."""
    taken = [arguments.pop(key) for key in [k for k, v in arguments.items() if isinstance(v, OpColumn)]]
    return taken + list(arguments.pop("columns", {}).values())
