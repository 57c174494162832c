"""Migrations lead to the tables the code has, and the ledger cannot be rewritten."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from puddle.server.store import Store
from puddle.server.store.database import migrations
from puddle.server.store.schema import APPEND_ONLY, METADATA
from tests.puddle.records import session, system


def test_migrations_lead_to_the_tables_of_the_code(store: Store) -> None:
    with store.reading() as tx:
        assert compare_metadata(MigrationContext.configure(tx.connection), METADATA) == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    with store.writing() as tx:
        tx.systems.create(system(), look_at=0)
    store.migrate()
    with store.reading() as tx:
        assert tx.systems.get("s-1") == system()


def test_there_is_a_way_back(store: Store) -> None:
    with store.writing() as tx:
        command.downgrade(migrations(tx.connection), "base")
        left = set(sa.inspect(tx.connection).get_table_names())
    assert left == {"alembic_version"}
    store.migrate()


@pytest.mark.parametrize("statement", ["UPDATE ledger SET price_micros = 0", "DELETE FROM ledger"])
def test_the_ledger_cannot_be_changed(store: Store, statement: str) -> None:
    with store.writing() as tx:
        tx.sessions.open(session())
        tx.sessions.close("x-1", 2000)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.writing() as tx:
        tx.connection.execute(sa.text(statement))
    with store.reading() as tx:
        assert [entry.end for entry in tx.ledger.of_session("x-1")] == [2000]


def test_what_is_append_only_is_so_in_the_migration_too(store: Store) -> None:
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    import puddle.server.store as package

    path = Path(package.__file__).parent / "migrations" / "versions" / "0001_the_first_tables.py"
    spec = spec_from_file_location("first", path)
    assert spec is not None
    assert spec.loader is not None
    first = module_from_spec(spec)
    spec.loader.exec_module(first)
    assert first.APPEND_ONLY == APPEND_ONLY
