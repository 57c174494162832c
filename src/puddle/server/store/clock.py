"""The time by the database's clock, so that all servers that share one agree on it, however wrong their own clocks are.

Leases, deadlines and what things cost are spans between moments that one server writes and another reads. A server
compares its clock with the database's and goes by its own in between. A SQLite file has no clock but its machine's.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from puddle.server.store.database import Store

_log = structlog.get_logger(__name__)

WORTH_TELLING_S = 5.0
"""How far off a clock must be for the log to say so."""
SLOW_S = 2.0
"""How long an answer may take to say anything of the time."""


class DatabaseClock:
    """Unix seconds by the clock of a database, as far as it is known since `compare`. `local` is this machine's."""

    def __init__(self, store: Store, local: Callable[[], float] = time.time) -> None:
        self._store = store
        self._local = local
        self._ahead = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self._local() + self._ahead

    def compare(self) -> None:
        """Ask the database for the time. Raises sqlalchemy.exc.OperationalError where it does not answer."""
        if self._store.engine.dialect.name != "postgresql":
            return
        with self._store.engine.connect() as connection:
            asked = self._local()
            theirs = float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
            took = self._local() - asked
        if 0 <= took <= SLOW_S:
            self._set(theirs - asked - took / 2)

    def _set(self, ahead: float) -> None:
        if abs(ahead - self._ahead) >= WORTH_TELLING_S:
            _log.warning("this machine's clock is wrong; the database's is used", seconds_behind=round(ahead, 1))
        self._ahead = ahead
