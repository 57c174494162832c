"""The tables. Migrations lead to exactly these; a test compares.

Besides the records there are columns and tables of the store's own: when a system is looked at next, who holds its
lease, and which objects were made for which idempotency keys (the table `answers`; alerts are in `notices`).
"""

from __future__ import annotations

import sqlalchemy as sa

from puddle.server.domain import catalog, people, records, trail
from puddle.server.domain.states import Status
from puddle.server.store.columns import Table

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_CONSUMES = sa.text("cu > 0")
_ALIVE = sa.text(f"status <> {int(Status.TERMINATED)}")

SYSTEMS = Table(
    records.System,
    "systems",
    METADATA,
    sa.Column("look_at", sa.BigInteger, nullable=False),
    sa.Column("lease_holder", sa.Text, nullable=False, server_default=""),
    sa.Column("lease_until", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index("ix_systems_due", "look_at", "lease_until"),
    sa.Index("ix_systems_owner", "owner_id", "created", "id"),
    sa.Index("ix_systems_created", "created", "id"),
    sa.Index("ix_systems_cu", "cu", sqlite_where=_CONSUMES, postgresql_where=_CONSUMES),
    sa.Index("uq_systems_name", "owner_id", "name", unique=True, sqlite_where=_ALIVE, postgresql_where=_ALIVE),
)
SNAPSHOTS = Table(
    records.Snapshot,
    "snapshots",
    METADATA,
    sa.Index("ix_snapshots_system", "system_id"),
    sa.Index("ix_snapshots_owner", "owner_id"),
)
SESSIONS = Table(
    records.Session,
    "sessions",
    METADATA,
    sa.Index("ix_sessions_subject", "subject_id", "end"),
    sa.Index("ix_sessions_owner", "owner_id", "end"),
    sa.Index("ix_sessions_booked", "end", "booked"),
)
LEDGER = Table(
    records.LedgerEntry,
    "ledger",
    METADATA,
    sa.Index("ix_ledger_session", "session_id"),
    sa.Index("ix_ledger_owner", "owner_id", "start"),
)
IMAGES = Table(catalog.Image, "images", METADATA)
INSTANCE_TYPES = Table(catalog.InstanceType, "instance_types", METADATA)
TAGS = Table(catalog.Tag, "tags", METADATA)
USERS = Table(people.User, "users", METADATA, sa.Index("uq_users_name", "name", unique=True))
GROUPS = Table(people.Group, "groups", METADATA, key=("name",))
KEYS = Table(people.ApiKey, "api_keys", METADATA, sa.Index("ix_api_keys_user", "user_id"))
TOKENS = Table(people.Token, "tokens", METADATA, sa.Index("ix_tokens_expires", "expires"), key=("digest",))
EVENTS = Table(
    trail.Event,
    "events",
    METADATA,
    sa.Index("ix_events_time", "time", "id"),
    sa.Index("ix_events_actor", "actor_id", "time"),
)
ALERTS = Table(trail.Alert, "notices", METADATA, sa.Index("ix_notices_time", "time", "id"))
REPORTS = Table(trail.Report, "reports", METADATA, sa.Index("ix_reports_asked_by", "asked_by", "created"))
REPORT_ENTRIES = Table(trail.ReportEntry, "report_entries", METADATA, key=("report_id", "number"))

INSTALLATION = sa.Table(
    "installation",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("master_key", sa.Text, nullable=False, server_default=""),
)
"""One row, made with the table: what clouds know this database by, and which key its secrets are encrypted with."""
EVENT_TARGETS = sa.Table(
    "event_targets",
    METADATA,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("time", sa.BigInteger, primary_key=True),
    sa.Column("event_id", sa.Text, primary_key=True),
)
IDEMPOTENCY_KEYS = sa.Table(
    "answers",
    METADATA,
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("method", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
)

APPEND_ONLY = ("ledger", "events", "event_targets")
"""Tables whose rows the database itself lets nobody change or remove."""
