"""Sources and sinks that storage packages write as classes, behind the pipeline's protocols.

A reader class is made from its stream's arguments and has ``read(rows)``; a writer class, made once per task, has
``write(start, elements)`` and ``finish()``. ``close`` and ``abort`` are optional. Both see the arguments only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scannerpy._engine.ports import Place, Reader, WorkerContext, Writer
from scannerpy._plan.plan import Rows
from scannerpy._words.elements import Element


@dataclass(frozen=True, slots=True)
class CustomSource:
    """Opens streams of a reader class."""

    reader: type[Any]

    def __call__(self, args: Mapping[str, Any], context: WorkerContext, /) -> Reader:
        """Make a reader."""
        del context
        return _CustomReader(self.reader(**args))


@dataclass(frozen=True, slots=True)
class CustomSink:
    """Opens places of a writer class."""

    writer: type[Any]

    def __call__(self, args: Mapping[str, Any], place: Place, context: WorkerContext, /) -> Writer:
        """Make a writer for one task."""
        del context
        return _CustomWriter(self.writer(**args), place.start)


class _CustomReader:
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.row_bytes = int(getattr(stream, "row_bytes", 0))

    def read(self, rows: Rows) -> Iterator[Element]:
        return iter(self._stream.read(rows.tolist()))

    def close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


class _CustomWriter:
    def __init__(self, stream: Any, start: int) -> None:
        self._stream = stream
        self._next = start

    def write(self, *columns: Sequence[Element]) -> None:
        elements = list(columns[0]) if len(columns) == 1 else list(zip(*columns, strict=True))
        self._stream.write(self._next, elements)
        self._next += len(elements)

    def finish(self) -> Any:
        return self._stream.finish()

    def abort(self) -> None:
        abort = getattr(self._stream, "abort", None)
        if abort is not None:
            abort()
