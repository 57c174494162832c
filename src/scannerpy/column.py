"""`Column`: reading one column of a stored table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scannerpy import _preview as preview
from scannerpy import types
from scannerpy._values import values
from scannerpy._words.elements import Element
from scannerpy.common import ColumnType
from scannerpy.errors import GraphError, ScannerException

if TYPE_CHECKING:
    from scannerpy._client.stored import StoredColumn
    from scannerpy.table import Table

__all__ = ["LOAD_SPARSITY_THRESHOLD", "Column"]

LOAD_SPARSITY_THRESHOLD = 10
"""Kept for programs that read it; sparse reads are always exact here."""


class Column:
    """One column of a table. Made by `Table.column`."""

    def __init__(self, table: Table, name: str) -> None:
        self._table = table
        self._name = name

    def __repr__(self) -> str:
        return f"<Column {self._name!r} of table {self._table.name()!r}>"

    def _repr_html_(self) -> str:
        return preview.column_page(self._table, self._name)

    def name(self) -> str:
        """Return the column's name."""
        return self._name

    def id(self) -> int:
        """Return the column's number within its table."""
        return self._table.column_names().index(self._name)

    def column_type(self) -> ColumnType:
        """Return whether the column holds frames or blobs."""
        return ColumnType.Video if self._table._known().columns[self.id()].is_video else ColumnType.Blob

    def type(self) -> Any:
        """Return the registered type of the elements, or None for frames and plain bytes.

        Raises ScannerException where this process has not registered the type the column was stored with.
        """
        recorded = self._table._known().columns[self.id()].type_name
        return types.get_type_info_cpp(recorded).type if recorded else None

    def keyframes(self) -> list[int]:
        """Return the rows decoding can start at; all rows where the column is not stored as video."""
        return self._stored().keyframes()

    def estimate_size(self) -> int:
        """Guess the bytes of one element: a frame's pixels, or the mean stored size."""
        return self._stored().element_size()

    def elements(self, rows: Sequence[int] | None = None) -> Iterator[Element]:
        """Yield stored elements: blobs serialized, frames as arrays, nulls as NullElement."""
        total = self._table.num_rows()
        wanted = np.arange(total, dtype=np.int64) if rows is None else _row_numbers(rows, total, repr(self))
        return self._stored().read(wanted)

    def load(
        self,
        ty: Any = None,
        fn: Callable[[bytes], Any] | None = None,
        rows: Sequence[int] | None = None,
        workers: int = 16,
    ) -> Iterator[Any]:
        """Yield the elements of `rows`, as `StoredStream.load` does. `workers` is accepted and not needed."""
        del workers
        self._table._complete()
        yield from values(self.elements(rows), ty, fn, self.type)

    def save_mp4(
        self,
        output_name: str,
        fps: float | None = None,
        scale: tuple[int, int] | None = None,
        *,
        rows: Sequence[int] | None = None,
        seconds: tuple[float, float] | Sequence[tuple[float, float]] | None = None,
    ) -> None:
        """Write the column, or some of its rows, to ``output_name + ".mp4"``, without sound.

        Args:
            output_name: where, without the suffix; relative to the working directory.
            fps: frames per second. None: 25 for what ops made, its own times for an ingested video.
            scale: (width, height) to scale to; every frame is encoded then.
            rows: which rows, in the order they are to be shown, ``range(100, 200)`` for instance. None: all.
            seconds: instead of rows, (start, end) of the video as stored, or a list of such pairs; frames that begin
                to be shown within it, without those that begin at `end`.

        Stored packets are copied without re-encoding where nothing has to change; with `rows` or `seconds`, only the
        frames at the edges are encoded. Where that is not possible all frames are, and the log says why.
        Raises ScannerException for a column that is not stored as video, and for rows that do not exist.

        """
        self._table._complete()
        self._stored().save_mp4(output_name, fps, scale, rows, seconds)

    def _stored(self) -> StoredColumn:
        return self._table._sc._stored_column(self._table._complete(), self._name)


def _row_numbers(rows: Sequence[int], total: int, label: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        raise GraphError(f"{label}: rows must be a list of row numbers, such as [0, 5] or range(10), not {rows!r}")
    numbers = np.asarray(list(rows))
    if len(numbers) and not np.issubdtype(numbers.dtype, np.integer):
        raise GraphError(f"{label}: rows must be whole numbers, not {numbers.dtype}")
    outside = numbers[(numbers < 0) | (numbers >= total)] if len(numbers) else numbers
    if len(outside):
        raise ScannerException(f"{label}: row {int(outside[0])} does not exist; the rows are 0 to {total - 1}")
    return numbers.astype(np.int64)
