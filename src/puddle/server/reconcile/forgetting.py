"""What is forgotten some day: what has ended anyway, and what an administrator lets go after so many days.

Never sessions, the ledger, the audit trail, systems or snapshots: what was used, what it cost, and who did it stays. A
little is dropped at a time, so that nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable

from puddle.server.backend import Backend
from puddle.server.store import Transaction

IDEMPOTENCY_KEYS_KEPT_S = 24 * 3600
"""For how long an idempotency key is remembered."""
ROUNDS = 20
"""How often a little is dropped, of each sort, before it is enough for this time."""
DAY = 24 * 3600

Drop = Callable[[Transaction, int], int]


def forget(backend: Backend, now: int) -> None:
    """Remove tokens that have ended, idempotency keys of long ago, and alerts and reports that are old."""
    with backend.store.writing() as tx:
        tx.tokens.sweep(now)
        tx.idempotency_keys.sweep(now - IDEMPOTENCY_KEYS_KEPT_S)
    rules = backend.rules
    _drop(backend, rules.keep_alerts_days, now, lambda tx, before: tx.alerts.drop(before))
    _drop(backend, rules.keep_reports_days, now, lambda tx, before: tx.reports.drop(before))


def _drop(backend: Backend, days: int, now: int, drop: Drop) -> None:
    """Drop what is older than so many days, bit by bit; nothing where that is 0."""
    for _ in range(ROUNDS if days else 0):
        with backend.store.writing() as tx:
            if not drop(tx, now - days * DAY):
                return
