"""One database, and transactions on it.

`reading` sees one state and changes nothing; `writing` commits at its end or not at all. On SQLite a writing
transaction has the file for itself from its start, so two never wait for each other's locks; on PostgreSQL they run
side by side, and `Transaction.lock` serialises those that must.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.pool import StaticPool

from puddle.server.domain.people import Token, User
from puddle.server.store.catalog import Images, InstanceTypes, Tags
from puddle.server.store.ledger import Ledger, Sessions, disk_cost_alone
from puddle.server.store.oddities import Oddities
from puddle.server.store.people import Groups, Keys, Tokens, Users, bearer_alone
from puddle.server.store.schema import INSTALLATION
from puddle.server.store.snapshots import Snapshots
from puddle.server.store.stamps import Stamp, Wanted, stamp_alone, stamps_alone
from puddle.server.store.systems import Systems
from puddle.server.store.trail import Alerts, Events, IdempotencyKeys, Reports

_WRITES = "puddle_writes"


class Transaction:
    """The repositories within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        """`connection` has begun."""
        self.connection = connection

    def lock(self, name: str) -> None:
        """Let nobody else hold `name` until this transaction ends."""
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(zlib.crc32(name.encode()))))

    def installation(self) -> str:
        """Return the id of this installation: it came with the tables, and goes with every backup."""
        return str(self.connection.execute(sa.select(INSTALLATION.c.id)).scalar_one())

    def master_key(self) -> str:
        """Return the id of the key that secrets are encrypted with, which stays so until this transaction ends.

        Empty where no server has said so yet.
        """
        query = sa.select(INSTALLATION.c.master_key).with_for_update(read=True)
        return str(self.connection.execute(query).scalar_one())

    def use_master_key(self, key_id: str) -> None:
        """Let secrets be encrypted with that key from now on."""
        self.connection.execute(sa.update(INSTALLATION).values(master_key=key_id))

    @cached_property
    def systems(self) -> Systems:
        """Systems and their leases."""
        return Systems(self.connection)

    @cached_property
    def snapshots(self) -> Snapshots:
        """Snapshots."""
        return Snapshots(self.connection)

    @cached_property
    def oddities(self) -> Oddities:
        """What sweeps have seen."""
        return Oddities(self.connection)

    @cached_property
    def sessions(self) -> Sessions:
        """Sessions of meters; they are booked in the ledger."""
        return Sessions(self.connection)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger."""
        return Ledger(self.connection)

    @cached_property
    def images(self) -> Images:
        """Images."""
        return Images(self.connection)

    @cached_property
    def instance_types(self) -> InstanceTypes:
        """Instance types."""
        return InstanceTypes(self.connection)

    @cached_property
    def tags(self) -> Tags:
        """Tags."""
        return Tags(self.connection)

    @cached_property
    def users(self) -> Users:
        """Users."""
        return Users(self.connection)

    @cached_property
    def groups(self) -> Groups:
        """Groups."""
        return Groups(self.connection)

    @cached_property
    def keys(self) -> Keys:
        """API keys."""
        return Keys(self.connection)

    @cached_property
    def tokens(self) -> Tokens:
        """Tokens."""
        return Tokens(self.connection)

    @cached_property
    def events(self) -> Events:
        """The audit trail."""
        return Events(self.connection)

    @cached_property
    def alerts(self) -> Alerts:
        """Alerts."""
        return Alerts(self.connection)

    @cached_property
    def reports(self) -> Reports:
        """Reports."""
        return Reports(self.connection)

    @cached_property
    def idempotency_keys(self) -> IdempotencyKeys:
        """Idempotency keys."""
        return IdempotencyKeys(self.connection)


class Store:
    """A database that has the tables of this version once `migrate` was called."""

    def __init__(self, url: str, patience_s: int = 60) -> None:
        """`url` as SQLAlchemy has it: ``sqlite:////path/puddle.db``, ``postgresql+psycopg://…``.

        ``sqlite://`` lives in memory and is for tests. `patience_s`: how long PostgreSQL lets a transaction hold its
        locks while nothing comes from it, and how long another waits for one.
        """
        self._url = sa.make_url(url)
        self.engine = _engine(self._url, patience_s)
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._reader = _one_state(self.engine)
        in_memory = self._url.get_backend_name() == "sqlite" and not self._url.database
        self._turn: AbstractContextManager[Any] = threading.RLock() if in_memory else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Look at one state of the database."""
        with self._turn, self._reader.connect() as connection, connection.begin() as transaction:
            yield Transaction(connection)
            transaction.rollback()

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Change the database: everything within, or nothing where it raises."""
        with self._turn, self._writer.begin() as connection:
            yield Transaction(connection)

    def bearer(self, digest: str, now: int) -> tuple[Token, User] | None:
        """Return whose token it is, as `Tokens.bearer` does: asked with each call, so without a transaction."""
        with self._turn:
            return bearer_alone(self.engine, digest, now)

    def stamp(self, system_id: str) -> Stamp | None:
        """Return the stamp of a system, without a transaction."""
        with self._turn:
            return stamp_alone(self.engine, system_id)

    def disk_cost(self, system_id: str, now: int) -> int:
        """Return what the disk of a system has cost while its machine was down, without a transaction."""
        with self._turn:
            return disk_cost_alone(self.engine, system_id, now)

    def stamps(self, wanted: Wanted) -> list[Stamp]:
        """Return the stamps of a page of systems, without a transaction."""
        with self._turn:
            return stamps_alone(self.engine, wanted)

    def migrate(self) -> None:
        """Bring the tables to this version. Several servers may do it at once."""
        with self._turn, self._writer.begin() as connection:
            Transaction(connection).lock("migrate")
            command.upgrade(migrations(connection), "head")

    def close(self) -> None:
        """Let the connections go."""
        self.engine.dispose()


def migrations(connection: sa.Connection) -> Config:
    """Return Alembic's configuration for this database."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _engine(url: sa.URL, patience_s: int) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        engine = _create(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
        sa.event.listen(engine, "connect", _prepare_postgresql(patience_s))
        return engine
    if url.database:
        engine = _create(url, connect_args={"timeout": 30}, pool_size=10, max_overflow=20)
    else:
        engine = _create(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _one_state(engine: sa.Engine) -> sa.Engine:
    """Let transactions see one state from beginning to end: SQLite's always do, PostgreSQL's where they are told to."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _create(url: sa.URL, **options: Any) -> sa.Engine:
    """Create an engine whose errors, and so our logs, do not show what was written."""
    return sa.create_engine(url, hide_parameters=True, **options)


def _prepare_postgresql(patience_s: int) -> Callable[[Any, object], None]:
    """Roll back the transactions of a suspended server, so that its locks do not hold up all others."""

    def prepare(connection: Any, _record: object) -> None:
        for setting in ("idle_in_transaction_session_timeout", "lock_timeout"):
            connection.execute(f"SET {setting} = '{patience_s}s'")
        connection.commit()

    return prepare


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Let us say BEGIN ourselves, readers see while one writes, and nothing be lost when the power fails."""
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
