"""The reconciler's periodic jobs besides systems, each at its own interval and, with threads, in a thread of its own.

A chore that fails is told in the log and done again at its next turn; a slow one (a cloud that hangs) keeps no other
from its work.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from puddle.server.backend import Backend
from puddle.server.faults import Point, reach
from puddle.server.reconcile.accounting import book_others
from puddle.server.reconcile.builds import Builds
from puddle.server.reconcile.forgetting import forget
from puddle.server.reconcile.mishaps import surviving
from puddle.server.reconcile.removals import Removals
from puddle.server.reconcile.reporting import make_reports
from puddle.server.reconcile.sweep import SEEN_FOR_S, Sweep

SWEEP_EVERY_S = SEEN_FOR_S
_FORGET_EVERY_S = 3600
_BOOK_EVERY_S = 60
_LONGEST_LEASE_S = 3600  # of any server, whatever its settings say


@dataclass(slots=True)
class Chore:
    """Something done every so many seconds, never twice at the same time."""

    name: str
    every: int
    do: Callable[[int], None]
    due: int = 0
    running: Future[None] | None = None

    def is_due(self, now: int) -> bool:
        """Whether to do it now; also where the clock was set back."""
        idle = self.running is None or self.running.done()
        return idle and (now >= self.due or now < self.due - self.every)

    def run(self, now: int) -> None:
        """Do it; what goes wrong is told."""
        with surviving("chore_failed", chore=self.name):
            self.do(now)


class Chores:
    """All chores of one loop."""

    def __init__(self, backend: Backend, holder: str, *, threaded: bool, lease_s: int) -> None:
        """Without threads everything is done within `turn`."""
        self._builds = Builds(backend, holder, threaded=threaded, lease_s=lease_s)
        removals, sweep, soon = Removals(backend), Sweep(backend), backend.rules.soon_s
        self._chores = [
            Chore("builds", soon, self._builds.round),
            Chore("removals", soon, removals.round),
            Chore("reports", soon, lambda now: make_reports(backend, now)),
            Chore("booking", _BOOK_EVERY_S, lambda now: _book(backend, now)),
            Chore("sweep", SWEEP_EVERY_S, sweep.round),
            Chore("clock", backend.rules.look_every_s, lambda now: _mend(backend, now)),
            Chore("forgetting", _FORGET_EVERY_S, lambda now: forget(backend, now)),
        ]
        self._pool = ThreadPoolExecutor(len(self._chores), "puddle-chores") if threaded else None

    def turn(self, now: int) -> None:
        """Begin what is due."""
        for chore in self._chores:
            if chore.is_due(now):
                chore.due = now + chore.every
                if self._pool is None:
                    chore.run(now)
                else:
                    chore.running = self._pool.submit(chore.run, now)

    def close(self) -> None:
        """Begin nothing more, and wait for what runs."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._builds.close()


def _book(backend: Backend, now: int) -> None:
    with backend.store.writing() as tx:
        booked = book_others(tx, backend.rules, now)
        if booked:
            reach(Point.BOOKING)


def _mend(backend: Backend, now: int) -> None:
    """See what time it is, and that no system waits for one that comes late, or never, since a clock was put back."""
    backend.compare_clocks()
    look_by, lease_by = now + 2 * backend.rules.look_every_s, now + 2 * _LONGEST_LEASE_S
    with backend.store.reading() as tx:
        ahead = tx.systems.ahead(look_by, lease_by)
    if ahead:
        with backend.store.writing() as tx:
            tx.systems.bring_back(now, look_by, lease_by)
