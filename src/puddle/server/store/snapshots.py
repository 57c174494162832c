"""Snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from puddle.server.domain.records import Snapshot, SnapshotStatus
from puddle.server.store.rows import Rows, batched
from puddle.server.store.schema import SNAPSHOTS, THERE

_C = SNAPSHOTS.c


class Snapshots(Rows[Snapshot]):
    """The snapshots within a transaction."""

    kept = SNAPSHOTS

    def of_systems(self, system_ids: Sequence[str]) -> list[Snapshot]:
        """Return what is there of these systems, the oldest first; deleted ones are left out."""
        return self._many(_C.system_id.in_(system_ids), THERE, order=(_C.created, _C.id))

    def of_owner(self, owner_id: str) -> list[Snapshot]:
        """Return what an owner has; everybody's where `owner_id` is empty."""
        mine = [_C.owner_id == owner_id] if owner_id else []
        return self._many(*mine, THERE, order=(_C.created, _C.id))

    def kept_on(self, cloud: str) -> int:
        """Return how many snapshots a cloud should have."""
        kept = _C.cloud == cloud, _C.status == int(SnapshotStatus.AVAILABLE)
        return int(self._connection.execute(sa.select(sa.func.count()).where(*kept)).scalar_one())

    def of_ids(self, ids: Iterable[str]) -> list[Snapshot]:
        """Return snapshots by their ids, whatever became of them; those that are not there are left out."""
        return [found for some in batched(ids) for found in self._many(_C.id.in_(some))]

    def available_on(self, cloud: str) -> set[str]:
        """Return the ids of those that a cloud should have."""
        query = sa.select(_C.id).where(_C.cloud == cloud, _C.status == int(SnapshotStatus.AVAILABLE))
        return set(self._connection.execute(query).scalars())

    def to_delete(self) -> list[Snapshot]:
        """Return those somebody wants to be gone."""
        return self._many(_C.status == int(SnapshotStatus.DELETING), order=(_C.updated,))
