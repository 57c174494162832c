"""`Table`: a table of the database, as it was when the handle was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from scannerpy import _preview as preview
from scannerpy.column import Column
from scannerpy.errors import NotCommitted, ScannerException

if TYPE_CHECKING:
    from scannerpy._store.catalog import TableRecord
    from scannerpy.client import Client

__all__ = ["Table"]


class Table:
    """A named set of columns of equal length. May not exist: ``exists()`` tells."""

    def __init__(self, sc: Client, name: str, record: TableRecord | None) -> None:
        self._sc = sc
        self._name = name
        self._record = record

    def __repr__(self) -> str:
        return f"<Table {self._name!r}{'' if self.exists() else ' (does not exist)'}>"

    def _repr_html_(self) -> str:
        return preview.table_page(self)

    def exists(self) -> bool:
        """Whether the table is known, complete or not."""
        return self._record is not None

    def committed(self) -> bool:
        """Whether the table is complete."""
        return self._record is not None and self._record.committed

    def id(self) -> int:
        """Return the table's number; numbers count from 0 in order of creation and are never reused."""
        return self._known().id

    def name(self) -> str:
        """Return the table's name."""
        return self._name

    def column_names(self) -> list[str]:
        """Return the names of the columns, in order."""
        return [column.name for column in self._known().columns]

    def column(self, name: str) -> Column:
        """Return a column; raises ScannerException for an unknown name."""
        if name not in self.column_names():
            raise ScannerException(
                f"table {self._name!r} has no column {name!r}; it has {', '.join(self.column_names())}"
            )
        return Column(self, name)

    def num_rows(self) -> int:
        """How many rows the table has."""
        return self._complete().rows

    def parent_rows(self) -> list[int]:
        """Return, for every row, the row of the job's (first) input it was made from; −1 for a null.

        Raises ScannerException for a table that no job made.
        """
        record = self._complete()
        if record.job_id is None:
            raise ScannerException(f"table {self._name!r} was not made by a job, so its rows have no parents")
        rows: list[int] = self._sc._origins(record).tolist()
        return rows

    def profiler(self) -> Any:
        """Return the Profile of the job that made this table."""
        record = self._known()
        if record.job_id is None:
            raise ScannerException(f"table {self._name!r} was not made by a job, so there is no profile of it")
        return self._sc.get_profile(record.job_id)

    def load(
        self, columns: Sequence[str], fn: Callable[..., Any] | None = None, rows: Sequence[int] | None = None
    ) -> Iterator[Any]:
        """Yield one tuple per row (or ``fn(tuple, client)``), with the elements of `columns`."""
        self._complete()
        for values in zip(*(self.column(name).load(rows=rows) for name in columns), strict=True):
            yield values if fn is None else fn(values, self._sc)

    def _known(self) -> TableRecord:
        if self._record is None:
            raise NotCommitted(f"table {self._name!r} does not exist; `client.summarize()` lists the tables")
        return self._record

    def _complete(self) -> TableRecord:
        record = self._known()
        if not record.committed:
            raise NotCommitted(f"table {self._name!r} is not committed: its job failed or is still running")
        return record
