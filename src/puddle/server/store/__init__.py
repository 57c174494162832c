"""The database: SQLite or PostgreSQL."""

from puddle.server.store.database import Store, Transaction

__all__ = ["Store", "Transaction"]
