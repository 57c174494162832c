"""Questions that are asked all day: compiled once per kind of database, and put to its driver directly.

SQLAlchemy writes the SQL; but its way to a row costs several times what the database takes for one by its key, and the
server's answers are made of such rows. Values come back as the driver has them, which is what `Table.of` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

Values = Mapping[str, Any]
Row = tuple[Any, ...]


class Prepared:
    """A SELECT with `sa.bindparam`s, ready to be asked."""

    def __init__(self, statement: sa.Select[*tuple[Any, ...]]) -> None:
        """See the class."""
        self._statement = statement
        self._ready: dict[str, tuple[str, Callable[[Values], Any]]] = {}

    def rows(self, connection: sa.Connection, values: Values) -> list[Row]:
        """Return the rows. `connection` is within a transaction; every parameter of the statement has a value."""
        sql, given = self._ready.get(connection.dialect.name) or self._compiled(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(sql, given(values))
            return list(cursor.fetchall())
        finally:
            cursor.close()

    def _compiled(self, dialect: sa.Dialect) -> tuple[str, Callable[[Values], Any]]:
        compiled = self._statement.compile(dialect=dialect)
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        places = compiled.positiontup or ()

        def in_order(values: Values) -> Any:
            return tuple(values[name] if name in values else constants[name] for name in places)

        def by_name(values: Values) -> Any:
            return {**constants, **values}

        ready = self._ready[dialect.name] = str(compiled), in_order if places else by_name
        return ready
