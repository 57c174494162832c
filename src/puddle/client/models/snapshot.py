"""Snapshots: copies of a system's disk."""

from __future__ import annotations

from typing import ClassVar

from puddle.client.models.base_status import BaseStatus
from puddle.client.proto.v2 import system_service_pb2


class Snapshot:
    """A copy of a system's disk, from which new systems can be made."""

    class Status(BaseStatus):
        """How far a snapshot is."""

        __slots__ = ()

    SNAPSHOT_STATUS_UNKNOWN: ClassVar[Status] = Status(0, "Unknown")
    SNAPSHOT_STATUS_CREATING: ClassVar[Status] = Status(1, "Creating")
    SNAPSHOT_STATUS_AVAILABLE: ClassVar[Status] = Status(2, "Available")
    SNAPSHOT_STATUS_FAILED: ClassVar[Status] = Status(3, "Failed")
    SNAPSHOT_STATUS_DELETING: ClassVar[Status] = Status(4, "Deleting")
    SNAPSHOT_STATUS_DELETED: ClassVar[Status] = Status(5, "Deleted")
    ALL_STATES: ClassVar[list[Status]] = [
        SNAPSHOT_STATUS_UNKNOWN,
        SNAPSHOT_STATUS_CREATING,
        SNAPSHOT_STATUS_AVAILABLE,
        SNAPSHOT_STATUS_FAILED,
        SNAPSHOT_STATUS_DELETING,
        SNAPSHOT_STATUS_DELETED,
    ]

    def __init__(self, snapshot: system_service_pb2.Snapshot) -> None:
        """`snapshot` is the backend's message."""
        self._snapshot = snapshot

    @property
    def id(self) -> str:
        """Id of this snapshot."""
        return self._snapshot.id

    @property
    def name(self) -> str:
        """Name of this snapshot."""
        return self._snapshot.name

    @property
    def description(self) -> str:
        """What its maker says of it."""
        return self._snapshot.description

    @property
    def system_id(self) -> str:
        """Id of the system it is a copy of."""
        return self._snapshot.system_id

    @property
    def cloud_snapshot_id(self) -> str:
        """Identifier in the cloud."""
        return self._snapshot.cloud_snapshot_id

    @property
    def product(self) -> str:
        """Product on it."""
        return self._snapshot.product

    @property
    def version(self) -> str:
        """Version of the product."""
        return self._snapshot.version

    @property
    def disk_size_gb(self) -> int:
        """Size of the disk in GB."""
        return self._snapshot.disk_size_gb

    @property
    def status(self) -> int:
        """Status code; see ``Snapshot.SNAPSHOT_STATUS_*``."""
        return int(self._snapshot.status)

    @property
    def status_text(self) -> str:
        """Human readable status."""
        return Snapshot.Status.text_of(self.status, self.ALL_STATES)

    @property
    def status_detail(self) -> str:
        """Why it has failed: a sentence."""
        return self._snapshot.status_detail

    @property
    def created(self) -> int:
        """Unix timestamp when it was asked for."""
        return self._snapshot.created

    @property
    def updated(self) -> int:
        """Unix timestamp of its last change."""
        return self._snapshot.updated

    def __repr__(self) -> str:
        return f"<Snapshot {self.id}: {self.name}, {self.status_text}>"
