"""Writing what was decided and what became of it: many systems in one transaction, each on its own terms.

A record is written only where nobody has written it since it was read (`revision`) and the lease is still ours
(`fence`); else what was decided is dropped, the lease given back, and the system looked at again at once. What has
not changed is not written: its next look is set, together with that of all others of its group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import sqlalchemy as sa

from puddle.server.domain.facts import Power
from puddle.server.domain.records import Meter
from puddle.server.domain.rules import Rules
from puddle.server.faults import Point, reach
from puddle.server.reconcile.accounting import account, book_seen, open_disk, settled
from puddle.server.reconcile.decision import Decision
from puddle.server.reconcile.look import at_rest_for_good
from puddle.server.reconcile.mishaps import surviving
from puddle.server.reconcile.work import Work
from puddle.server.store import Store, Transaction
from puddle.server.store.systems import NEVER_AGAIN, Release

Write = Callable[[Transaction, Sequence[Work]], None]


class Writing:
    """Writes work into one store."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules

    def decisions(self, works: Sequence[Work], now: int, point: Point) -> None:
        """Write what was decided; leases last only where a step is to be taken. `point` is reached before the commit.

        Raises sqlalchemy.exc.OperationalError or InterfaceError where the database is away.
        """

        def write(tx: Transaction, group: Sequence[Work]) -> None:
            tx.systems.release([one for work in group if (one := self._decision(tx, work, now)) is not None])
            book_seen(tx, {work.system.session_id: work.since for work in group if _seen_running(work)}, self._rules)
            reach(point)

        self._together(works, write)

    def _decision(self, tx: Transaction, work: Work, now: int) -> Release | None:
        """Write one decision; return how its lease is to be released, unless that was done with it."""
        assert work.decision is not None  # noqa: S101 -- it is what is to be written
        before, decision = work.system, settled(tx, work.decision)
        if decision.system == before and not decision.consequences:
            if decision.action is None:
                return Release(claim=work.claim, revision=before.revision, look_at=look_at(decision))
            work.kept = tx.systems.holds(work.claim, before.revision)
        else:
            keep = decision.action is not None
            work.kept = tx.systems.decide(work.claim, decision.system, look_at=look_at(decision), keep_lease=keep)
            if work.kept:
                account(tx, before, work.facts, decision, size=work.size, rules=self._rules, now=now)
                work.system = replace(decision.system, revision=decision.system.revision + 1)
        return None if work.kept else Release(claim=work.claim, revision=before.revision, look_at=now)

    def machine(self, work: Work, machine_id: str, now: int) -> bool:
        """Save the id of a machine that was ordered just now, whose disk costs from now on; False where we lost it."""
        system = replace(work.system, machine_id=machine_id)
        with self._store.writing() as tx:
            if not tx.systems.note_machine(work.claim, machine_id):
                return False
            if system.has_idle_disk() and tx.sessions.running(system.id, Meter.DISK) is None:
                open_disk(tx, system, self._rules, now)
        return True

    def release(self, works: Sequence[Work], now: int) -> None:
        """End leases without writing anything: these systems are due again at once."""
        releases = [Release(claim=work.claim, revision=work.system.revision, look_at=now) for work in works]
        if releases:
            with self._store.writing() as tx:
                tx.systems.release(releases)

    def _together(self, works: Sequence[Work], write: Write) -> None:
        """Write a group in one transaction; where one of it cannot be written, each in its own."""
        if not works:
            return
        before, away = [(work, work.system) for work in works], None
        with surviving("not_written", system_ids=[work.system.id for work in works]):
            try:
                with self._store.writing() as tx:
                    write(tx, works)
            except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
                away = error
            else:
                return
        if away is not None:
            raise away  # the database cannot be reached, which is no record's fault
        for work, system in before:
            work.system, work.kept = system, len(works) > 1
        for work in works if len(works) > 1 else ():
            self._together([work], write)


def look_at(decision: Decision) -> int:
    """Return when a system is looked at next."""
    return NEVER_AGAIN if at_rest_for_good(decision.system) else decision.look_again


def _seen_running(work: Work) -> bool:
    machine = work.facts.machine
    return work.kept and bool(work.system.session_id) and machine is not None and machine.power is Power.RUNNING
