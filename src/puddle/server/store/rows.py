"""The base of all repositories: add, put and get records of one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Generic

import sqlalchemy as sa

from puddle.server.store.columns import Record, Table

Where = sa.ColumnElement[bool] | sa.TextClause

AT_ONCE = 500
"""How many ids one query names: databases have limits of their own, and these are known to hold."""


def batched(ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield so many ids as one query names, each once."""
    left = sorted(set(ids))
    for at in range(0, len(left), AT_ONCE):
        yield left[at : at + AT_ONCE]


class Rows(Generic[Record]):
    """The records of one table within a transaction."""

    kept: ClassVar[Table[Any]]

    def __init__(self, connection: sa.Connection) -> None:
        """`connection` is within a transaction."""
        self._connection = connection

    def add(self, record: Record) -> None:
        """Keep a new record. Raises sqlalchemy.exc.IntegrityError where its key is taken."""
        self._connection.execute(sa.insert(self.kept.table), self.kept.values(record))

    def put(self, record: Record) -> None:
        """Write a record that is there."""
        values = self.kept.values(record)
        where = [column == values.pop(column.name) for column in self.kept.table.primary_key]
        self._connection.execute(sa.update(self.kept.table).where(*where), values)

    def get(self, key: str) -> Record | None:
        """Return a record by its key."""
        (column,) = self.kept.table.primary_key
        return self._one(column == key)

    def all(self) -> list[Record]:
        """Return everything, in the order of the keys."""
        return self._many(order=tuple(self.kept.table.primary_key))

    def _one(self, *where: Where) -> Record | None:
        row = self._connection.execute(self.kept.select.where(*where).limit(1)).first()
        return None if row is None else self.kept.of(row)

    def _many(self, *where: Where, order: Sequence[Any] = (), limit: int | None = None) -> list[Record]:
        query = self.kept.select.where(*where).order_by(*order).limit(limit)
        return [self.kept.of(row) for row in self._connection.execute(query)]
