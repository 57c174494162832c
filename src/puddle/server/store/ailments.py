"""What ails a database that answers, and yet takes no change: told from its driver's errors, alike for all of them."""

from __future__ import annotations

import sqlite3
from enum import Enum

from sqlalchemy.exc import DBAPIError

_NAMES = {"SQLITE_FULL": "FULL", "SQLITE_READONLY": "READ_ONLY", "53100": "FULL", "25006": "READ_ONLY"}
"""SQLite's names of errors, and PostgreSQL's numbers: disk_full, read_only_sql_transaction."""


class Ailment(Enum):
    """What it is."""

    FULL = "its disk is full"
    READ_ONLY = "it is read-only"


def ails(error: DBAPIError) -> Ailment | None:
    """Return what ails the database an error comes from; None where it is something else."""
    name = _NAMES.get(_code(error.orig))
    return Ailment[name] if name else None


def _code(error: BaseException | None) -> str:
    if isinstance(error, sqlite3.Error):
        primary = (getattr(error, "sqlite_errorname", None) or "").split("_")[:2]  # SQLITE_READONLY_DBMOVED, say
        return "_".join(primary)
    code = str(getattr(error, "sqlstate", None) or "")
    standby = code == "0A000" and "during recovery" in str(
        error
    )  # a transaction that may write cannot even begin there
    return "25006" if standby else code
