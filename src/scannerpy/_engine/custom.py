"""Adapters from the reader and writer classes of storage backends to the pipeline's `Reader` and `Writer`.

A reader class is made from its stream's arguments and has ``read(rows)``; a writer class, made once per task, has
``write(start, elements)`` and ``finish()``. ``close`` and ``abort`` are optional. Both see the arguments only. What a
reader yields is checked here, so that an error names the reader and the row rather than the op that got it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scannerpy._engine.ports import Reader, TaskOutput, WorkerContext, Writer
from scannerpy._plan.rows import Rows
from scannerpy._words.elements import Element, NullElement
from scannerpy.errors import StorageError

FRAME_TYPES = frozenset({"uint8", "float32", "float64"})


@dataclass(frozen=True, slots=True)
class CustomSource:
    """Opens streams of a reader class."""

    reader: type[Any]
    name: str
    is_video: bool = False

    def __call__(self, args: Mapping[str, Any], context: WorkerContext, /) -> Reader:
        """Make a reader."""
        del context
        return _CustomReader(self, self.reader(**args))


@dataclass(frozen=True, slots=True)
class CustomSink:
    """Opens writers of a writer class."""

    writer: type[Any]

    def __call__(self, args: Mapping[str, Any], output: TaskOutput, context: WorkerContext, /) -> Writer:
        """Make a writer for one task."""
        del context
        return _CustomWriter(self.writer(**args), output.start)


class _CustomReader:
    def __init__(self, source: CustomSource, stream: Any) -> None:
        self._source = source
        self._stream = stream
        self.row_bytes = int(getattr(stream, "row_bytes", 0))

    def read(self, rows: Rows) -> Iterator[Element]:
        wanted = rows.tolist()
        checked = _frame if self._source.is_video else _blob
        for row, element in zip(wanted, self._stream.read(wanted), strict=False):  # the loader notices too few
            yield element if isinstance(element, NullElement) else checked(self._source.name, row, element)

    def close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


def _blob(name: str, row: int, element: Any) -> bytes:
    if isinstance(element, bytes | bytearray | memoryview):
        return bytes(element)
    raise StorageError(
        f"source {name} gave a {type(element).__name__} for row {row}, but its elements are bytes: serialize them in "
        "read(), or register the source with is_video=True if they are frames"
    )


def _frame(name: str, row: int, element: Any) -> Element:
    if isinstance(element, np.ndarray) and element.dtype.name in FRAME_TYPES and 1 <= element.ndim <= 3:
        return np.ascontiguousarray(element)
    what = f"{element.dtype} array of shape {element.shape}" if isinstance(element, np.ndarray) else type(element)
    raise StorageError(
        f"source {name} gave a {what} for row {row}, but its elements are frames: arrays of uint8, float32 or float64 "
        "with at most three dimensions"
    )


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
