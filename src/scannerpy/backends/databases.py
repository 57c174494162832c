"""Connections to SQL databases through SQLAlchemy, with Scanner's errors.

SQLAlchemy and the PostgreSQL driver come with the extra ``sql`` and are imported when a database is first opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scannerpy.errors import ConfigError, NotSupported, StorageError
from scannerpy.source import Secret

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

NEEDED = "SQL storage needs SQLAlchemy and, for PostgreSQL, psycopg: pip install 'scanner-puddle[sql]'"
LOCK_SECONDS = 60
"""How long a writer waits for another to finish with a SQLite file, which has one lock for all."""


def database_url(config: Any) -> str:
    """Return the SQLAlchemy URL of a `protobufs.SQLConfig`, or of a URL given as it is. Raises ConfigError.

    The adapter is ``postgres`` (the default) or ``sqlite``, whose `dbname` is the path of the file.
    """
    if isinstance(config, str):
        return _hushed(config)
    adapter = config.adapter or "postgres"
    if not config.dbname:
        raise ConfigError("the SQLConfig names no database: give dbname (for SQLite: the path of the file)")
    if adapter == "sqlite":
        return f"sqlite:///{Path(config.dbname).absolute()}"
    if adapter not in {"postgres", "postgresql"}:
        raise ConfigError(f"the SQLConfig's adapter is {adapter!r}: give 'postgres' or 'sqlite'")
    return _postgres(config)


def _postgres(config: Any) -> str:
    sqlalchemy = _sqlalchemy()
    socket = config.hostaddr.startswith("/")  # the folder of a Unix socket
    url = sqlalchemy.URL.create(
        "postgresql+psycopg",
        username=config.user or None,
        password=config.password or None,
        host=None if socket else config.hostaddr or "localhost",
        port=config.port or None,
        database=config.dbname,
        query={"host": config.hostaddr} if socket else {},
    )
    return _hushed(url.render_as_string(hide_password=False))


def _hushed(url: str) -> str:
    """The URL as it is, marked as a secret where it has a password."""
    return Secret(url) if re.search(r"://[^/]*:.*@", url) else url


def _sqlalchemy() -> Any:
    try:
        import sqlalchemy
    except ImportError as error:
        raise NotSupported(NEEDED) from error
    return sqlalchemy


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """Give a connection in a transaction that is committed at the end, or rolled back if something is raised.

    Raises StorageError for whatever the database says, and where it cannot be reached.
    """
    sqlalchemy = _sqlalchemy()
    engine = _engine(url)
    place = engine.url.render_as_string()
    try:
        connection = engine.connect()
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise StorageError(
            f"The database {place} cannot be reached: {_first(error)}. Check that it runs, and the SQLConfig"
        ) from error
    try:
        with connection, connection.begin():
            yield connection
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise StorageError(f"The database {place} refused: {_first(error)}") from error


def _first(error: Exception) -> str:
    """Return the first line of what the driver said."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


@lru_cache(maxsize=8)
def _engine(url: str) -> Engine:
    sqlalchemy = _sqlalchemy()
    try:
        parsed = sqlalchemy.make_url(url)
        lite = parsed.get_backend_name() == "sqlite"
        if lite:
            _check_file(parsed.database)
        options = {"timeout": LOCK_SECONDS} if lite else {}
        engine: Engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool, connect_args=options)
    except ImportError as error:
        raise NotSupported(NEEDED) from error
    except sqlalchemy.exc.ArgumentError as error:
        raise ConfigError(f"the database's address is no SQLAlchemy URL: {_first(error)}") from error
    if lite:
        _begin_by_writing(sqlalchemy, engine)
    return engine


def _check_file(path: str | None) -> None:
    """Refuse a SQLite file that is not there: SQLite would make an empty one."""
    if not path or not Path(path).is_file():
        raise StorageError(f"The SQLite database {path} does not exist: check dbname, or make the file and its tables")


def _begin_by_writing(sqlalchemy: Any, engine: Engine) -> None:
    """Take SQLite's write lock at the start of a transaction. Two that read first and then both want to write would
    refuse each other at once, without waiting.
    """

    def leave_begin_to_us(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    sqlalchemy.event.listen(engine, "connect", leave_begin_to_us)
    sqlalchemy.event.listen(engine, "begin", begin)
