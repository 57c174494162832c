"""Questions that are asked with nearly every call, as text: writing a query anew costs more than its answer.

A query is compiled once for each kind of database and then asked past SQLAlchemy's own machinery, so rows come as the
driver has them: only for columns whose values are the same either way (texts, numbers, and truths as numbers).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


class Prepared:
    """A query with named parameters (`sa.bindparam`)."""

    def __init__(self, query: sa.Select[*tuple[Any, ...]]) -> None:
        """`query` is not changed afterwards."""
        self._query = query
        self._texts: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {}

    def ask(self, connection: sa.Connection, **values: Any) -> sa.CursorResult[Any]:
        """Ask with these values."""
        dialect = connection.dialect
        text, names, usual = self._texts.get(dialect.name) or self._compiled(dialect)
        given = {**usual, **values}
        return connection.exec_driver_sql(text, tuple(map(given.__getitem__, names)) if names else given)

    def _compiled(self, dialect: sa.Dialect) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        made = self._query.compile(dialect=dialect)
        prepared = made.string, tuple(made.positiontup or ()), dict(made.params)  # type: ignore[attr-defined]
        self._texts[dialect.name] = prepared
        return prepared
