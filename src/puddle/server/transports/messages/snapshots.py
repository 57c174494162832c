"""`SnapshotService`."""

from __future__ import annotations

from collections.abc import Mapping

from puddle.client.proto.v2 import snapshot_service_pb2 as pb
from puddle.client.proto.v2.system_service_pb2 import Snapshot
from puddle.server.api import Api
from puddle.server.domain import records
from puddle.server.transports.calls import Call, Function
from puddle.server.transports.messages.enums import everybody, number


def snapshot(found: records.Snapshot) -> Snapshot:
    """Return a snapshot."""
    return Snapshot(
        id=found.id,
        name=found.name,
        description=found.description,
        system_id=found.system_id,
        owner_id=found.owner_id,
        cloud=found.cloud,
        cloud_snapshot_id=found.cloud_snapshot_id,
        product=found.product,
        version=found.version,
        disk_size_gb=found.disk_gb,
        status=number(found.status),
        created=found.created,
        updated=found.updated,
        status_detail=found.failure,
    )


def _create(api: Api, call: Call, message: pb.CreateSnapshotRequest) -> Snapshot:
    return snapshot(api.wishes.snapshot(call.caller, message.system_id, message.name, message.description))


def _list(api: Api, call: Call, message: pb.ListSnapshotsRequest) -> pb.ListSnapshotsResponse:
    all_of_them = everybody(message.scope)
    if message.system_id:
        found = api.snapshots.of_system(call.caller, message.system_id)
    else:
        found = api.snapshots.all(call.caller, everybody=all_of_them)
    return pb.ListSnapshotsResponse(snapshots=[snapshot(each) for each in found])


def _get(api: Api, call: Call, message: pb.SnapshotRequest) -> Snapshot:
    return snapshot(api.snapshots.get(call.caller, message.id))


def _delete(api: Api, call: Call, message: pb.SnapshotRequest) -> Snapshot:
    return snapshot(api.snapshots.delete(call.caller, message.id))


METHODS: Mapping[str, Function] = {
    "SnapshotService/CreateSnapshot": _create,
    "SnapshotService/ListSnapshots": _list,
    "SnapshotService/GetSnapshot": _get,
    "SnapshotService/DeleteSnapshot": _delete,
}
READS = frozenset({"SnapshotService/ListSnapshots", "SnapshotService/GetSnapshot"})
