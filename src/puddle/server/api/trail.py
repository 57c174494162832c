"""The audit trail, and alerts."""

from __future__ import annotations

from dataclasses import replace

from puddle.server.api.base import UseCases, found, record
from puddle.server.domain import permissions
from puddle.server.domain.people import Caller
from puddle.server.domain.trail import Alert, Event
from puddle.server.store import Transaction
from puddle.server.store.trail import WantedEvents


class Trail(UseCases):
    """Reading the audit trail, and reading and acknowledging alerts."""

    def events(self, caller: Caller, wanted: WantedEvents) -> list[Event]:
        """Return a page of events: to others than administrators what they did, or what is about what they own."""
        with self._store.reading() as tx:
            if not caller.admin and not self._about_own(tx, caller, wanted.target):
                wanted = replace(wanted, actor_id=caller.user.id)
            return tx.events.page(wanted)

    @staticmethod
    def _about_own(tx: Transaction, caller: Caller, target: str) -> bool:
        """Whether a target is the caller, or a system or snapshot of theirs."""
        thing = tx.systems.get(target) or tx.snapshots.get(target) if target else None
        return target == caller.user.id or (thing is not None and thing.owner_id == caller.user.id)

    def alerts(self, caller: Caller, *, acknowledged: bool = False) -> list[Alert]:
        """Return alerts about the caller's systems; everybody's to an administrator."""
        with self._store.reading() as tx:
            return tx.alerts.of_owner("" if caller.admin else caller.user.id, acknowledged=acknowledged)

    def acknowledge(self, caller: Caller, alert_id: str) -> Alert:
        """Mark an alert as read."""
        with self._store.writing() as tx:
            alert = found(tx.alerts.get(alert_id), "alert", alert_id)
            permissions.authorize_object("AdminService/AcknowledgeAlert", caller, alert.owner_id, "alert", alert_id)
            if not alert.acknowledged:
                record(tx, caller, self._now(), "alert.acknowledge", alert.id, alert.system_id)
            return tx.alerts.acknowledge(alert)
