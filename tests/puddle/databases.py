"""Fixtures: an empty migrated store in memory, on a SQLite file, and on a PostgreSQL server of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from puddle.server.store import Store
from tests.databases import postgres_server

__all__ = ["memory", "postgres_server", "postgres_url", "store"]


@pytest.fixture
def memory() -> Iterator[Store]:
    """A store in memory."""
    store = Store("sqlite://")
    store.migrate()
    yield store
    store.close()


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
