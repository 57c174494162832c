"""Deleting images and snapshots that users have deleted: at the cloud first, then in the row.

Nobody needs a lease for it: to remove twice does no harm, and only one writes the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from puddle.server.backend import Backend
from puddle.server.clouds.base import Provider, StepFailed
from puddle.server.domain.catalog import Image, ImageStatus
from puddle.server.domain.records import Meter, Snapshot, SnapshotStatus
from puddle.server.faults import Point, reach
from puddle.server.reconcile.accounting import close_meter, record
from puddle.server.reconcile.backoff import Backoff
from puddle.server.reconcile.mishaps import surviving

_log = structlog.get_logger(__name__)


class Removals:
    """The removals of one loop."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._failures = Backoff(backend.rules.soon_s, 300)

    def round(self, now: int) -> None:
        """Remove what is to be removed."""
        with self._backend.store.reading() as tx:
            snapshots, images = tx.snapshots.to_delete(), tx.images.to_delete()
        for snapshot in snapshots:
            if self._gone(snapshot, now, _delete_snapshot):
                reach(Point.SNAPSHOT_REMOVED)
                self._write_snapshot(snapshot, now)
        for image in images:
            if self._gone(image, now, _delete_image):
                reach(Point.IMAGE_REMOVED)
                self._write_image(image, now)

    def _gone(self, what: Snapshot | Image, now: int, remove: Callable[[Provider, str], None]) -> bool:
        """Remove something at its cloud; False where that cannot be done now, or not yet again."""
        cloud = self._backend.clouds.get(what.cloud)
        if cloud is None or self._failures.waits(what.id, now):
            return False
        with surviving("not_removed", id=what.id):
            try:
                remove(cloud, what.id)
            except StepFailed as failed:
                _log.warning("not_removed", id=what.id, reason=failed.reason, sentence=failed.sentence)
            else:
                self._failures.well(what.id)
                return True
        self._failures.failed(what.id, now)
        return False

    def _write_snapshot(self, snapshot: Snapshot, now: int) -> None:
        with self._backend.store.writing() as tx:
            tx.lock(snapshot.id)
            there = tx.snapshots.get(snapshot.id)
            if there is None or there.status is not SnapshotStatus.DELETING:
                return
            tx.snapshots.put(replace(there, status=SnapshotStatus.DELETED, updated=now))
            close_meter(tx, snapshot.id, Meter.SNAPSHOT, now)
            record(tx, "snapshot.deleted", (snapshot.id, snapshot.system_id), now)

    def _write_image(self, image: Image, now: int) -> None:
        with self._backend.store.writing() as tx:
            tx.lock(image.id)
            there = tx.images.get(image.id)
            if there is None or there.status is not ImageStatus.DELETING:
                return
            tx.images.put(replace(there, status=ImageStatus.DELETED, updated=now))
            record(tx, "image.deleted", (image.id,), now)


def _delete_snapshot(cloud: Provider, snapshot_id: str) -> None:
    cloud.delete_snapshot(snapshot_id)


def _delete_image(cloud: Provider, image_id: str) -> None:
    cloud.delete_image(image_id)
