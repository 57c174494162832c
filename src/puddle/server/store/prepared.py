"""Questions that are asked with nearly every call, as text: writing a query anew costs more than its answer.

A query is compiled once for each kind of database and given to the driver as it is, so rows come as the driver has
them: only for columns whose values are the same either way (texts, numbers, and truths as numbers).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError


class Prepared:
    """A query with named parameters (`sa.bindparam`)."""

    def __init__(self, query: sa.Select[*tuple[Any, ...]]) -> None:
        """`query` is not changed afterwards."""
        self._query = query
        self._texts: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {}

    def ask(self, connection: sa.Connection, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows, within a transaction."""
        return self._rows(connection.connection.driver_connection, connection.dialect, values)

    def ask_alone(self, engine: sa.Engine, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows in a transaction of their own, which for a single query is none at all."""
        borrowed = engine.raw_connection()
        try:
            return self._rows(borrowed.driver_connection, engine.dialect, values)
        except OperationalError:
            borrowed.invalidate()
            raise
        finally:
            borrowed.close()

    def _rows(self, driver: Any, dialect: sa.Dialect, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        text, names, usual = self._texts.get(dialect.name) or self._compiled(dialect)
        given = {**usual, **values}
        dbapi: Any = dialect.loaded_dbapi
        try:
            found = driver.execute(text, tuple(map(given.__getitem__, names)) if names else given).fetchall()
        except dbapi.OperationalError as error:
            raise OperationalError(text, None, error) from error
        except dbapi.InterfaceError as error:
            raise InterfaceError(text, None, error) from error
        return found  # type: ignore[no-any-return]

    def _compiled(self, dialect: sa.Dialect) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        made = self._query.compile(dialect=dialect)
        prepared = made.string, tuple(made.positiontup or ()), dict(made.params)
        self._texts[dialect.name] = prepared
        return prepared
