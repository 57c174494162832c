"""The sweep: what is ours by tag at a cloud, but not in the database, is removed; what the cloud has lost is told.

Rows are written before machines and snapshots are made, and the cloud is asked before the rows are read: so what has
no row then never had one (the database was put back, or a call came through long after it was given up). Still nothing
is done before it has been seen so for a while, by whichever server looked: the store remembers since when. A machine
whose system is there and not terminated is never touched: it is looked after by the loop. A list may be short of
something for a moment, so a snapshot is lost only where the cloud, asked for it by its id, has not got it either; and
where it turns up after all it is somebody's again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import structlog

from puddle.server.backend import Backend
from puddle.server.clouds.base import Provider, StepFailed
from puddle.server.domain.facts import CopyState, Power
from puddle.server.domain.records import Meter, Oddity, Snapshot, SnapshotStatus
from puddle.server.domain.states import Status, Vm
from puddle.server.faults import Point, reach
from puddle.server.reconcile.accounting import close_meter, open_snapshot, raise_alert, record
from puddle.server.reconcile.look import at_rest_for_good
from puddle.server.reconcile.mishaps import surviving
from puddle.server.store.oddities import Odd

_log = structlog.get_logger(__name__)

SEEN_FOR_S = 300
"""For how long something must have been odd before anything is done about it."""

_WITHOUT_COPY = frozenset({SnapshotStatus.FAILED, SnapshotStatus.DELETED})
_UP = frozenset({Power.RUNNING, Power.PENDING})


class Sweep:
    """Sweeps. Several servers may sweep at once: removing twice does no harm, and people are told once."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store

    def round(self, now: int) -> None:
        """Sweep all clouds."""
        for name, cloud in self._backend.clouds.items():
            with surviving("not_swept", cloud=name):
                try:
                    self._sweep(name, cloud, now)
                except StepFailed as failed:
                    _log.warning("not_swept", cloud=name, reason=failed.reason, sentence=failed.sentence)

    def _sweep(self, name: str, cloud: Provider, now: int) -> None:
        """Remember what is odd, and deal with what has been so for a while."""
        there, copies = cloud.machines(), set(cloud.snapshots())  # before the rows are read
        with self._store.reading() as tx:
            known = tx.systems.standing(system_id for system_id, _ in there)
            rows, available = tx.snapshots.of_ids(copies), tx.snapshots.available_on(name)
        odd = {Odd("machine", it) for it, _ in there if known.get(it) in {None, Status.TERMINATED}}
        odd |= {Odd("snapshot", it) for it in copies - {row.id for row in rows if _belongs(row)}}
        odd |= {Odd("lost", it) for it in available - copies}
        for oddity in self._noted(name, odd, now):
            self._deal_with(oddity, cloud, now)
        for row in rows:
            if row.lost:
                self._found(row.id, now)
        failed = [(it, machine) for it, machine in there if known.get(it) is Status.FAILED]
        self._look_again([it for it, machine in failed if machine.power in _UP], now)

    def _noted(self, name: str, odd: set[Odd], now: int) -> list[Oddity]:
        """Remember what is odd; return what has been so for a while. Where nothing is and was, nothing is written."""
        with self._store.reading() as tx:
            if not odd and not tx.oddities.on(name):
                return []
        with self._store.writing() as tx:
            tx.lock(f"sweep {name}")
            tx.oddities.note(name, odd, now)
            return [it for it in tx.oddities.on(name) if it.since <= now - SEEN_FOR_S]

    def _deal_with(self, oddity: Oddity, cloud: Provider, now: int) -> None:
        if oddity.kind == "machine":
            self._remove(oddity, cloud.destroy, now)
        elif oddity.kind == "snapshot":
            self._remove(oddity, cloud.delete_snapshot, now)
        elif cloud.snapshot(oddity.id).state is CopyState.GONE:
            self._lost(oddity.id, now)

    def _look_again(self, system_ids: Iterable[str], now: int) -> None:
        """Let the loop stop what runs of failed systems."""
        for system_id in system_ids:
            with self._store.writing() as tx:
                system = tx.systems.get(system_id)
                if system is not None and system.status is Status.FAILED and at_rest_for_good(system):
                    tx.systems.write(replace(system, vm_status=Vm.UNKNOWN, updated=now), look_at=now)

    def _remove(self, oddity: Oddity, remove: Callable[[str], None], now: int) -> None:
        try:
            remove(oddity.id)
        except StepFailed as failed:
            _log.warning("orphan_stays", kind=oddity.kind, id=oddity.id, sentence=failed.sentence)
            return
        reach(Point.ORPHAN_REMOVED)
        if oddity.told:
            return  # the cloud takes its time
        sentence = (
            f"the {oddity.kind} of {oddity.id} on {oddity.cloud} belonged to nothing that is there; it was removed"
        )
        with self._store.writing() as tx:
            if tx.oddities.tell(oddity):
                raise_alert(tx, "orphan", oddity.id if oddity.kind == "machine" else "", "", sentence, now)
                record(tx, f"{oddity.kind}.orphan_removed", (oddity.id,), now, message=sentence)

    def _lost(self, snapshot_id: str, now: int) -> None:
        """Write that a snapshot has disappeared from its cloud."""
        with self._store.writing() as tx:
            tx.lock(snapshot_id)
            snapshot = tx.snapshots.get(snapshot_id)
            if snapshot is None or snapshot.status is not SnapshotStatus.AVAILABLE:
                return
            sentence = "it has disappeared from its cloud; it was not Puddle that removed it"
            tx.snapshots.put(replace(snapshot, status=SnapshotStatus.FAILED, failure=sentence, updated=now, lost=now))
            close_meter(tx, snapshot.id, Meter.SNAPSHOT, now)
            told = f"the snapshot {snapshot.name}: {sentence}"
            raise_alert(tx, "drift", snapshot.system_id, snapshot.owner_id, told, now)
            record(tx, "snapshot.lost", (snapshot.id, snapshot.system_id), now, message=sentence)

    def _found(self, snapshot_id: str, now: int) -> None:
        """Write that a snapshot that was lost is there again; it costs from now on."""
        with self._store.writing() as tx:
            tx.lock(snapshot_id)
            snapshot = tx.snapshots.get(snapshot_id)
            if snapshot is None or snapshot.status is not SnapshotStatus.FAILED or not snapshot.lost:
                return
            found = replace(snapshot, status=SnapshotStatus.AVAILABLE, failure="", updated=now, lost=0)
            tx.snapshots.put(found)
            open_snapshot(tx, found, self._backend.rules, now)
            sentence = "it is there again"
            told = f"the snapshot {snapshot.name}: {sentence}"
            raise_alert(tx, "drift", snapshot.system_id, snapshot.owner_id, told, now)
            record(tx, "snapshot.found", (snapshot.id, snapshot.system_id), now, message=sentence)


def _belongs(snapshot: Snapshot) -> bool:
    """Whether the copy of a record is, or may become, somebody's."""
    return snapshot.status not in _WITHOUT_COPY or (snapshot.status is SnapshotStatus.FAILED and bool(snapshot.lost))
