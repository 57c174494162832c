"""Prepared queries, for those made with nearly every call: compiling one costs more than its result.

A query is compiled once for each kind of database and given to the driver as it is, so rows come as the driver has
them: only for columns whose values are the same either way (texts, numbers, and truths as numbers).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import PoolProxiedConnection
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
        borrowed = _borrowed(engine)
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
        with _as_ours(dialect, text):
            rows: list[tuple[Any, ...]] = driver.execute(
                text, tuple(map(given.__getitem__, names)) if names else given
            ).fetchall()
        return rows

    def _compiled(self, dialect: sa.Dialect) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        made = self._query.compile(dialect=dialect)
        prepared = made.string, tuple(made.positiontup or ()), dict(made.params)
        self._texts[dialect.name] = prepared
        return prepared


def _borrowed(engine: sa.Engine) -> PoolProxiedConnection:
    """Return a connection of the engine's; one that has to be made may fail, too."""
    with _as_ours(engine.dialect, "connect"):
        return engine.raw_connection()


@contextmanager
def _as_ours(dialect: sa.Dialect, doing: str) -> Iterator[None]:
    """Tell a driver's errors in SQLAlchemy's words, as everywhere else: the database is away, it does not fit."""
    dbapi: Any = dialect.loaded_dbapi
    try:
        yield
    except dbapi.OperationalError as error:
        raise OperationalError(doing, None, error) from error
    except dbapi.InterfaceError as error:
        raise InterfaceError(doing, None, error) from error
