"""Fixtures: an empty migrated store in memory, on a SQLite file, and on a PostgreSQL server of our own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from puddle.server.store import Store
from tests.databases import postgres_server

__all__ = ["memory", "postgres_server", "postgres_url", "store"]


@pytest.fixture
def memory() -> Iterator[Store]:
    """A store in memory; it starts as a copy of one that was migrated once, which takes a hundredth of the time."""
    store = Store("sqlite://")
    with store.engine.connect() as connection:
        _raw(connection).deserialize(_migrated())
    yield store
    store.close()


@cache
def _migrated() -> bytes:
    store = Store("sqlite://")
    store.migrate()
    with store.engine.connect() as connection:
        content = bytes(_raw(connection).serialize())
    store.close()
    return content


def _raw(connection: sa.Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


@pytest.fixture
def postgres_url(postgres_server: Any) -> str:
    """An empty PostgreSQL database."""
    postgres_server.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return str(postgres_server.get_uri()).replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store on a SQLite file, and one on PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'puddle.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    store = Store(url)
    store.migrate()
    yield store
    store.close()
