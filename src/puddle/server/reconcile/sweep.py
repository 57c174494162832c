"""The sweep: what is ours by tag at a cloud, but not in the database, is removed; what the cloud has lost is told.

Rows are written before machines and snapshots are made, and the cloud is asked before the rows are read: so what has
no row then never had one (the database was put back, or a call came through long after it was given up). Still nothing
is removed before it has been seen so twice. A machine whose system is there and not terminated is never touched: it
is looked after by the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import structlog

from puddle.server.backend import Backend
from puddle.server.clouds.base import Provider, StepFailed
from puddle.server.domain.facts import Power
from puddle.server.domain.records import Meter, Snapshot, SnapshotStatus
from puddle.server.domain.states import Status, Vm
from puddle.server.faults import Point, reach
from puddle.server.reconcile.accounting import close_meter, raise_alert, record
from puddle.server.reconcile.look import at_rest_for_good
from puddle.server.reconcile.mishaps import surviving

_log = structlog.get_logger(__name__)

IDEMPOTENCY_KEYS_KEPT_S = 24 * 3600
"""For how long an idempotency key is remembered."""

_WITHOUT_COPY = frozenset({SnapshotStatus.FAILED, SnapshotStatus.DELETED})


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that should not be so. `kind`: "machine", "snapshot" or "lost"."""

    kind: str
    cloud: str
    id: str


class Sweep:
    """The sweeps of one loop; it remembers what it saw the last time."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._seen: dict[str, set[Oddity]] = {}
        self._told: set[Oddity] = set()

    def round(self, now: int) -> None:
        """Sweep all clouds."""
        for name, cloud in self._backend.clouds.items():
            with surviving("not_swept", cloud=name):
                try:
                    self._sweep(name, cloud, now)
                except StepFailed as failed:
                    _log.warning("not_swept", cloud=name, reason=failed.reason, sentence=failed.sentence)

    def _sweep(self, name: str, cloud: Provider, now: int) -> None:
        """Deal with what was odd the last time and still is; remember the rest."""
        there, copies = cloud.machines(), set(cloud.snapshots())  # before the rows are read
        with self._backend.store.reading() as tx:
            known = tx.systems.known()
            snapshots = [each for each in tx.snapshots.all() if each.cloud == name]
        odd = _odd(name, [system_id for system_id, _ in there], known, copies, snapshots)
        for oddity in sorted(odd & self._seen.get(name, set()), key=lambda it: (it.kind, it.id)):
            if oddity.kind == "machine":
                self._remove(oddity, cloud.destroy, now)
            elif oddity.kind == "snapshot":
                self._remove(oddity, cloud.delete_snapshot, now)
            else:
                self._lost(oddity.id, now)
        self._seen[name] = odd
        self._told -= {it for it in self._told if it.cloud == name and it not in odd}
        up = [system_id for system_id, machine in there if machine.power in {Power.RUNNING, Power.PENDING}]
        self._look_again([system_id for system_id in up if known.get(system_id) is Status.FAILED], now)

    def _look_again(self, system_ids: Iterable[str], now: int) -> None:
        """Let the loop stop what runs of failed systems."""
        for system_id in system_ids:
            with self._backend.store.writing() as tx:
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
        if oddity in self._told:
            return  # the cloud takes its time
        self._told.add(oddity)
        sentence = (
            f"the {oddity.kind} of {oddity.id} on {oddity.cloud} belonged to nothing that is there; it was removed"
        )
        with self._backend.store.writing() as tx:
            raise_alert(tx, "orphan", oddity.id if oddity.kind == "machine" else "", "", sentence, now)
            record(tx, f"{oddity.kind}.orphan_removed", (oddity.id,), now, message=sentence)

    def _lost(self, snapshot_id: str, now: int) -> None:
        """Write that a snapshot has disappeared from its cloud."""
        with self._backend.store.writing() as tx:
            tx.lock(snapshot_id)
            snapshot = tx.snapshots.get(snapshot_id)
            if snapshot is None or snapshot.status is not SnapshotStatus.AVAILABLE:
                return
            sentence = "it has disappeared from its cloud; it was not Puddle that removed it"
            tx.snapshots.put(replace(snapshot, status=SnapshotStatus.FAILED, failure=sentence, updated=now))
            close_meter(tx, snapshot.id, Meter.SNAPSHOT, now)
            told = f"the snapshot {snapshot.name}: {sentence}"
            raise_alert(tx, "drift", snapshot.system_id, snapshot.owner_id, told, now)
            record(tx, "snapshot.lost", (snapshot.id, snapshot.system_id), now, message=sentence)


def _odd(
    name: str, machines: Iterable[str], known: Mapping[str, Status], copies: set[str], snapshots: Iterable[Snapshot]
) -> set[Oddity]:
    kept = {each.id for each in snapshots if each.status not in _WITHOUT_COPY}
    available = {each.id for each in snapshots if each.status is SnapshotStatus.AVAILABLE}
    odd = {Oddity("machine", name, it) for it in machines if known.get(it) in {None, Status.TERMINATED}}
    odd |= {Oddity("snapshot", name, it) for it in copies - kept}
    return odd | {Oddity("lost", name, it) for it in available - copies}


def forget_what_has_ended(backend: Backend, now: int) -> None:
    """Remove tokens that have ended, and what was answered to idempotency keys long ago."""
    with backend.store.writing() as tx:
        tx.tokens.sweep(now)
        tx.idempotency_keys.sweep(now - IDEMPOTENCY_KEYS_KEPT_S)
