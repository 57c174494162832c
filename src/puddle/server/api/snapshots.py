"""Reading and deleting snapshots. `Wishes.snapshot` takes them."""

from __future__ import annotations

from dataclasses import replace

from puddle.server.api.base import UseCases, found, record
from puddle.server.domain import permissions
from puddle.server.domain.people import Caller
from puddle.server.domain.records import Snapshot, SnapshotStatus
from puddle.server.errors import Precondition
from puddle.server.store import Transaction

_MAY_GO = {SnapshotStatus.AVAILABLE, SnapshotStatus.FAILED}


class Snapshots(UseCases):
    """Reading and deleting snapshots."""

    def get(self, caller: Caller, snapshot_id: str) -> Snapshot:
        """Return a snapshot."""
        with self._store.reading() as tx:
            return self._mine(tx, caller, snapshot_id)

    def of_system(self, caller: Caller, system_id: str) -> list[Snapshot]:
        """Return the snapshots of a system."""
        with self._store.reading() as tx:
            system = found(tx.systems.get(system_id), "system", system_id)
            permissions.authorize_object("SnapshotService/GetSnapshot", caller, system.owner_id, "system", system_id)
            return tx.snapshots.of_systems([system_id])

    def all(self, caller: Caller, *, everybody: bool = False) -> list[Snapshot]:
        """Return the caller's snapshots, or everybody's (which the method's rule has allowed)."""
        with self._store.reading() as tx:
            return tx.snapshots.of_owner("" if everybody else caller.user.id)

    def delete(self, caller: Caller, snapshot_id: str) -> Snapshot:
        """Delete a snapshot. Refused while it is being taken, or a system is being made from it."""
        now = self._now()
        with self._store.writing() as tx:
            tx.lock("snapshots")
            snapshot = self._mine(tx, caller, snapshot_id)
            if snapshot.status in {SnapshotStatus.DELETING, SnapshotStatus.DELETED}:
                return snapshot
            if snapshot.status not in _MAY_GO:
                raise Precondition("the snapshot is still being taken", "snapshot_in_use")
            if tx.systems.waiting_for(snapshot_id):
                raise Precondition("a system is being made from it; wait until that is started", "snapshot_in_use")
            going = replace(snapshot, status=SnapshotStatus.DELETING, updated=now)
            tx.snapshots.put(going)
            before = {"status": snapshot.status.name, "name": snapshot.name}
            record(tx, caller, now, "snapshot.delete", snapshot.id, snapshot.system_id, before=before)
        self._backend.wake()
        return going

    @staticmethod
    def _mine(tx: Transaction, caller: Caller, snapshot_id: str) -> Snapshot:
        snapshot = found(tx.snapshots.get(snapshot_id), "snapshot", snapshot_id)
        permissions.authorize_object("SnapshotService/GetSnapshot", caller, snapshot.owner_id, "snapshot", snapshot_id)
        return snapshot
