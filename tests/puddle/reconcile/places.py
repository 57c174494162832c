"""An installation in memory with loops that run in the test's own thread, on a clock the test turns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from puddle.server.domain.records import LedgerEntry, Meter, Session, Snapshot, System
from puddle.server.domain.rules import CloudPrices
from puddle.server.domain.states import Status
from puddle.server.domain.trail import Alert, Event
from puddle.server.reconcile.loop import Loop
from puddle.server.store import Store
from puddle.server.store.trail import WantedEvents
from tests.puddle.installations import Installation, installation

PRICES = {"simulated": CloudPrices(disk_gb_micros=100, snapshot_gb_micros=50, build_micros=1_000)}


@dataclass
class Place:
    """An installation, and the loop that serves it."""

    at: Installation
    loop: Loop

    @property
    def now(self) -> int:
        """The time."""
        return self.at.backend.now()

    def another_loop(self, holder: str) -> Loop:
        """A loop of another process."""
        return Loop(self.at.backend, holder, workers=0)

    def turn(self, seconds: float = 0, loop: Loop | None = None) -> None:
        """Let time pass, then do all that is due."""
        self.at.clock.turn(seconds)
        for _ in range(50):
            if not (loop or self.loop).turn(self.now):
                return
        raise AssertionError("the loop does not come to rest")

    def pass_by(self, seconds: int, step: int = 10) -> None:
        """Let time pass in steps, doing all that is due at each."""
        for _ in range(0, seconds, step):
            self.turn(step)

    def started(self, **given: Any) -> str:
        """Create a system and let it come up."""
        system_id = self.at.create(**given).system.id
        self.pass_by(20, 2)
        assert self.system(system_id).status is Status.STARTED
        return system_id

    def system(self, system_id: str) -> System:
        """A system as it is."""
        with self.at.store.reading() as tx:
            found = tx.systems.get(system_id)
        assert found is not None
        return found

    def snapshot(self, snapshot_id: str) -> Snapshot:
        """A snapshot as it is."""
        with self.at.store.reading() as tx:
            found = tx.snapshots.get(snapshot_id)
        assert found is not None
        return found

    def sessions(self, meter: Meter) -> list[Session]:
        """All sessions of a meter."""
        with self.at.store.reading() as tx:
            return [each for each in tx.sessions.all() if each.meter is meter]

    def ledger(self) -> list[LedgerEntry]:
        """The whole ledger."""
        with self.at.store.reading() as tx:
            return tx.ledger.all()

    def actions(self, *, of: str = "") -> list[str]:
        """What Puddle has done by itself, the oldest first."""
        return [event.action for event in self.events(of=of) if event.actor_kind == "puddle"]

    def events(self, *, of: str = "") -> list[Event]:
        """The trail, the oldest first."""
        with self.at.store.reading() as tx:
            return list(reversed(tx.events.page(WantedEvents(target=of, limit=1000))))

    def alerts(self) -> list[Alert]:
        """What people are told, the oldest first."""
        with self.at.store.reading() as tx:
            return list(reversed(tx.alerts.of_owner()))


@pytest.fixture
def place(memory: Store) -> Place:
    """A place where disks, snapshots and builds cost something, too."""
    at = installation(memory, prices=PRICES)
    return Place(at, Loop(at.backend, "one", workers=0))


def ruled(memory: Store, **rules: Any) -> Place:
    """A place with other rules."""
    at = installation(memory, **{"prices": PRICES, **rules})
    return Place(at, Loop(at.backend, "one", workers=0))


def kinds(alerts: Iterable[Alert]) -> list[str]:
    """What kinds of alerts these are."""
    return [each.kind for each in alerts]
