"""What follows from a decision beside the record: sessions, the ledger, snapshots, alerts and the audit trail.

All of it is written in the transaction of the decision. Meters follow the record: a system's VM is metered while
`session_id` is set, its disk while it has a machine but no session, a snapshot from available until deleted.

`System.spent` is what the ledger says of the closed sessions, by construction: a VM is booked only up to when it was
seen running, and where a clock was off all the same, `settled` corrects the record and not the ledger.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace

from puddle.server.domain.cost import Span
from puddle.server.domain.facts import Facts, Power
from puddle.server.domain.records import Meter, Session, Snapshot, SnapshotStatus, System
from puddle.server.domain.rules import CloudPrices, Rules
from puddle.server.domain.states import Status
from puddle.server.domain.trail import Alert, Event
from puddle.server.reconcile.decision import CloseSession, Consequence, Decision, OpenSession, RaiseAlert, SnapshotEnded
from puddle.server.store import Transaction
from puddle.server.store.trail import event_id

_FREE = CloudPrices()


def settled(tx: Transaction, decision: Decision) -> Decision:
    """Return the decision with a record that has spent what the ledger will say."""
    system = decision.system
    for each in decision.consequences:
        if isinstance(each, CloseSession):
            session = tx.sessions.get(each.session_id)
            if session is not None and session.booked > each.end:
                more = Span(session.price_micros, each.end, session.booked).amount
                system = replace(system, spent=system.spent + more)
    return replace(decision, system=system)


def account(
    tx: Transaction, before: System, facts: Facts, decision: Decision, *, size: str, rules: Rules, now: int
) -> None:
    """Write what follows from a decision that was just written over `before`. `size`: what reports call its type."""
    for each in decision.consequences:
        _write(tx, decision.system, each, size, rules, now)
    _meter_disk(tx, before, decision, facts, rules, now)
    _record(tx, before, decision.system, now)


def _write(tx: Transaction, system: System, each: Consequence, size: str, rules: Rules, now: int) -> None:
    match each:
        case OpenSession():
            tx.sessions.open(_vm_session(system, each, size))
        case CloseSession():
            tx.sessions.close(each.session_id, each.end)
        case SnapshotEnded():
            end_snapshot(tx, each, rules, now)
        case RaiseAlert():
            raise_alert(tx, each.kind, system.id, system.owner_id, each.sentence, now)


def _vm_session(system: System, opened: OpenSession, size: str) -> Session:
    return Session(
        id=opened.session_id,
        meter=Meter.VM,
        subject_id=system.id,
        system_id=system.id,
        owner_id=system.owner_id,
        text=size,
        price_micros=opened.price_micros,
        start=opened.start,
        booked=opened.start,
    )


# disks


def open_disk(tx: Transaction, system: System, rules: Rules, start: int) -> None:
    """Meter a system's disk, where it costs something."""
    price = rules.prices.get(system.cloud, _FREE).disk_gb_micros
    _meter_gigabytes(tx, system, Meter.DISK, system.id, f"{system.id}.disk.{system.revision}", price, start)


def _meter_gigabytes(
    tx: Transaction, kept: System | Snapshot, meter: Meter, system_id: str, session_id: str, price: int, start: int
) -> None:
    """Meter what is kept on disks. `price`: of one GB; where that is nothing, nothing is metered."""
    if not price:
        return
    session = Session(
        id=session_id,
        meter=meter,
        subject_id=kept.id,
        system_id=system_id,
        owner_id=kept.owner_id,
        text=f"{kept.disk_gb} GB",
        price_micros=kept.disk_gb * price,
        start=start,
        booked=start,
    )
    tx.sessions.open(session)


def close_meter(tx: Transaction, subject_id: str, meter: Meter, end: int) -> None:
    """End what runs of a meter."""
    running = tx.sessions.running(subject_id, meter)
    if running is not None:
        tx.sessions.close(running.id, max(end, running.start))


def _meter_disk(tx: Transaction, before: System, decision: Decision, facts: Facts, rules: Rules, now: int) -> None:
    after = decision.system
    was, is_now = before.has_idle_disk(), after.has_idle_disk()
    grown = was and is_now and before.disk_gb != after.disk_gb
    if was and (grown or not is_now):
        close_meter(tx, after.id, Meter.DISK, _disk_ends(decision.consequences, facts, now))
    if is_now and (grown or not was):
        open_disk(tx, after, rules, _disk_begins(decision.consequences, now))


def _disk_begins(consequences: Iterable[Consequence], now: int) -> int:
    return max((each.end for each in consequences if isinstance(each, CloseSession)), default=now)


def _disk_ends(consequences: Iterable[Consequence], facts: Facts, now: int) -> int:
    opened = [each.start for each in consequences if isinstance(each, OpenSession)]
    if opened:
        return opened[0]
    gone = facts.machine is not None and facts.machine.power is Power.GONE
    return min(now, facts.machine.since or now) if gone and facts.machine is not None else now


# snapshots


def end_snapshot(tx: Transaction, ended: SnapshotEnded, rules: Rules, now: int) -> None:
    """Write that a snapshot is there, and costs from now on, or that it is not; nothing where that was written."""
    snapshot = tx.snapshots.get(ended.snapshot_id)
    if snapshot is None or snapshot.status is not SnapshotStatus.CREATING:
        return
    status = SnapshotStatus.FAILED if ended.failure else SnapshotStatus.AVAILABLE
    after = replace(
        snapshot,
        status=status,
        cloud_snapshot_id=ended.cloud_snapshot_id,
        failure=ended.failure,
        updated=now,
    )
    tx.snapshots.put(after)
    if status is SnapshotStatus.AVAILABLE:
        open_snapshot(tx, after, rules, now)
    record(tx, f"snapshot.{status.name.lower()}", (snapshot.id, snapshot.system_id), now, message=ended.failure)


def open_snapshot(tx: Transaction, snapshot: Snapshot, rules: Rules, now: int) -> None:
    """Meter a snapshot that is there since its last update, where it costs something."""
    price = rules.prices.get(snapshot.cloud, _FREE).snapshot_gb_micros
    _meter_gigabytes(
        tx, snapshot, Meter.SNAPSHOT, snapshot.system_id, f"{snapshot.id}.kept.{snapshot.updated}", price, now
    )


# what is told


def raise_alert(tx: Transaction, kind: str, system_id: str, owner_id: str, sentence: str, now: int) -> None:
    """Write an alert, for administrators and the owner."""
    tx.alerts.add(
        Alert(id=str(uuid.uuid4()), time=now, kind=str(kind), system_id=system_id, owner_id=owner_id, message=sentence)
    )


def record(
    tx: Transaction, action: str, targets: tuple[str, ...], now: int, *, before: str = "", after: str = "",
    message: str = "",
) -> None:  # fmt: skip
    """Write into the audit trail what Puddle did by itself."""
    tx.events.add(
        Event(
            id=event_id(),
            time=now,
            actor_kind="puddle",
            action=action,
            targets=tuple(target for target in targets if target),
            before=before,
            after=after,
            message=message,
        )
    )


def _record(tx: Transaction, before: System, after: System, now: int) -> None:
    action = _action(before, after)
    if action:
        told = _as_json(before), _as_json(after)
        record(tx, action, (after.id, after.owner_id), now, before=told[0], after=told[1], message=after.detail)


def _action(before: System, after: System) -> str:
    """Return what a change of status is called; most are only on the way, and have no name."""
    if before.status is after.status:
        return ""
    if after.reason == "DRIFT" and before.status in {Status.STARTED, Status.STOPPED}:
        return "system.drift"
    if before.status is Status.STARTED and after.status is Status.STOPPING:
        return {"IDLE": "system.idle_stop", "BUDGET": "system.budget_stop"}.get(after.reason, "")
    if after.status is Status.FAILED and after.reason == "VM_LOST":
        return "system.lost"
    return _ARRIVED.get(after.status, "")


_ARRIVED = {
    Status.STARTED: "system.started",
    Status.STOPPED: "system.stopped",
    Status.FAILING: "system.failing",
    Status.FAILED: "system.failed",
    Status.TERMINATED: "system.terminated",
}


def _as_json(system: System) -> str:
    told = {"status": system.status.name} | ({"reason": system.reason} if system.reason else {})
    return json.dumps(told, sort_keys=True)


# booking


def book_seen(tx: Transaction, running: Mapping[str, int], rules: Rules) -> None:
    """Book VM sessions that were not booked for long, each up to when its machine was surely seen running.

    Not up to now: it may have gone down since.
    """
    latest = max(running.values(), default=0)
    for session in tx.sessions.unbooked_of(list(running), latest - rules.book_every_s):
        tx.sessions.book(session.id, running[session.id])


def book_others(tx: Transaction, rules: Rules, now: int) -> int:
    """Book disks, snapshots and builds up to now, those that were not booked for long; return how many."""
    due = [each for each in tx.sessions.unbooked(now - rules.book_every_s) if each.meter is not Meter.VM]
    for session in due:
        tx.sessions.book(session.id, now)
    return len(due)
