"""`cl.io`: where a graph begins (`Input`) and what it stores (`Output`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scannerpy._graph.node import SourceNode
from scannerpy.errors import GraphError
from scannerpy.op import Op, OpColumn, user_line
from scannerpy.sink import Sink
from scannerpy.storage import StoredStream

__all__ = ["IOGenerator"]


class IOGenerator:
    """Joins streams to a graph. Reached as ``cl.io``."""

    def __init__(self, sc: Any) -> None:
        self._sc = sc

    def Input(self, streams: Sequence[StoredStream]) -> OpColumn:
        """Return the column that holds stream i's rows in job i. All `streams` must be of one storage class."""
        first = _checked(streams, "Input")[0]
        column: OpColumn = first.storage().source(self._sc, list(streams))
        node = column.output.node
        if isinstance(node, SourceNode):
            node = replace(node, streams=tuple(streams))
            column = OpColumn(self._sc, Op.of_node(self._sc, node), replace(column.output, node=node))
        column._streams = list(streams)
        return column

    def Output(self, op: OpColumn, streams: Sequence[StoredStream]) -> Sink:
        """Store column `op` of job i in stream i."""
        if not isinstance(op, OpColumn):
            raise GraphError(f"Output at {user_line()}: the first argument must be a column of the graph, not {op!r}")
        first = _checked(streams, "Output")[0]
        sink: Sink = first.storage().sink(self._sc, op, list(streams))
        sink._streams = list(streams)
        return sink


def _checked(streams: Any, name: str) -> Sequence[StoredStream]:
    where = user_line()
    if not isinstance(streams, list | tuple):
        raise GraphError(f"{name} at {where}: expected a list of streams, not {streams!r}; write [stream] for one")
    if not streams:
        raise GraphError(f"{name} at {where}: the list of streams is empty; give at least one")
    strangers = [each for each in streams if not isinstance(each, StoredStream)]
    if strangers:
        raise GraphError(f"{name} at {where}: {strangers[0]!r} is not a stream (NamedStream, NamedVideoStream, …)")
    kinds = {type(each.storage()).__name__ for each in streams}
    if len(kinds) > 1:
        raise GraphError(
            f"{name} at {where}: all streams must live in one kind of storage, not {', '.join(sorted(kinds))}"
        )
    return streams
