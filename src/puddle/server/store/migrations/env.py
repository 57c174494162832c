"""How Alembic reaches the database: on the connection, and within the transaction, that the store gives it."""

from __future__ import annotations

from alembic import context

from puddle.server.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
