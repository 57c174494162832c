"""`SystemsClient`: create systems, and everything one does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from puddle.client.base_client import BaseCloudClient, id_of
from puddle.client.errors.puddle_errors import SystemFailedError
from puddle.client.models import (
    CUConsumptionInfo,
    DriverlessAIModel,
    Image,
    InstanceType,
    Snapshot,
    System,
    TagData,
)
from puddle.client.models.base_status import BaseStatus
from puddle.client.product import Product
from puddle.client.proto.v2 import snapshot_service_pb2 as sn
from puddle.client.proto.v2 import system_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import TagData as TagMessage

FAILED = {System.SYSTEM_STATUS_FAILED.code, System.SYSTEM_STATUS_FAILING.code}
ENDED = FAILED | {System.SYSTEM_STATUS_TERMINATED.code}
COPIED = {
    Snapshot.SNAPSHOT_STATUS_AVAILABLE.code,
    Snapshot.SNAPSHOT_STATUS_FAILED.code,
    Snapshot.SNAPSHOT_STATUS_DELETING.code,
    Snapshot.SNAPSHOT_STATUS_DELETED.code,
}
PAGE = 100


class SystemsClient(BaseCloudClient):
    """Systems of one cloud. Where a system is asked for, a `System` or its id will do.

    Methods that change something wait until it is done unless ``wait=False``, and then return the system as it is.
    They raise PreconditionFailedError where the state of the system does not allow it, and SystemFailedError where it
    fails on the way, or comes to rest elsewhere (somebody has terminated it meanwhile, say).
    """

    # looking

    def list(self, include_models: bool = False, include_terminated: bool = False) -> list[System]:
        """Return the caller's systems."""
        request = pb.ListSystemsRequest(
            cloud=self.cloud.id, include_models=include_models, include_terminated=include_terminated
        )
        return [*self._pages(request)]

    def list_all(self, include_terminated: bool = False, include_models: bool = False) -> Sequence[System]:
        """Return everybody's systems. For administrators."""
        request = pb.ListSystemsRequest(
            scope=pb.SCOPE_ALL,
            cloud=self.cloud.id,
            include_terminated=include_terminated,
            include_models=include_models,
        )
        return [*self._pages(request)]

    def get(self, system_id: str | System, include_models: bool = True) -> System:
        """Return a system by its id. Raises NotFoundError."""
        request = pb.GetSystemRequest(id=id_of(system_id), include_models=include_models)
        answer = self._call("SystemService", "GetSystem", request, pb.SystemWithModels())
        return System(answer.system, answer.models if include_models else None)

    def get_by_name(self, name: str, include_terminated: bool = False) -> System | None:
        """Return the caller's system of that name, or None; of those that are gone, if they count, the newest."""
        if not name:
            return None  # to the backend, no name is any name
        found = next(self._pages(pb.ListSystemsRequest(cloud=self.cloud.id, name=name)), None)
        if found is None and include_terminated:
            gone = pb.ListSystemsRequest(cloud=self.cloud.id, name=name, include_terminated=True)
            found = max(self._pages(gone), key=lambda it: it.created, default=None)
        return found

    def list_models(self, system: str | System) -> Sequence[DriverlessAIModel]:
        """Return the experiments on a system."""
        answer = self._call("SystemService", "ListModels", pb.SystemRequest(id=id_of(system)), pb.ListModelsResponse())
        return [DriverlessAIModel(model) for model in answer.models]

    def get_cu_consumption_info(self) -> CUConsumptionInfo:
        """Return who uses how many compute units."""
        request = pb.GetCUConsumptionInfoRequest(cloud=self.cloud.id)
        return CUConsumptionInfo(
            self._call("SystemService", "GetCUConsumptionInfo", request, pb.GetCUConsumptionInfoResponse())
        )

    def credentials(self, system: str | System) -> tuple[str, str]:
        """Return the user name and password of the product. For the owner."""
        answer = self._call("SystemService", "GetCredentials", pb.SystemRequest(id=id_of(system)), pb.Credentials())
        return answer.username, answer.password

    def download_ssh_key(self, system: str | System) -> bytes:
        """Return the private key with which the owner reaches the machine."""
        answer = self._call("SystemService", "GetSshKey", pb.SystemRequest(id=id_of(system)), pb.SshKey())
        return answer.private_key.encode()

    def console(self, system: str | System, lines: int = 200) -> str:
        """Return the last lines, 2000 at most, of what the machine has printed: what to read where it does not start.

        Colours are taken out, and control characters marked.
        """
        request = pb.ConsoleRequest(id=id_of(system), lines=lines)
        return self._call("SystemService", "GetConsole", request, pb.Console()).text

    # the life of a system

    def create(
        self,
        name: str,
        product: str | Product,
        image: str | Image,
        instance_type: str | InstanceType,
        disk_size_gb: int,
        idle_timeout_interval: int | None = None,
        config: str | None = None,
        tags: Iterable[TagData] = (),
        source_snapshot: str | Snapshot | None = None,
        wait: bool = True,
    ) -> System:
        """Create a system. Raises ValidationFailedError for a bad name, tag, size or configuration.

        `idle_timeout_interval`: minutes, one of the options the administrator offers; None takes the default, -1 never
        stops it.
        """
        request = pb.CreateSystemRequest(
            name=name,
            cloud=self.cloud.id,
            product=id_of(product),
            image_id=id_of(image),
            instance_type_id=id_of(instance_type),
            disk_size_gb=disk_size_gb,
            idle_timeout_interval=idle_timeout_interval or 0,
            config=config or "",
            source_snapshot_id=id_of(source_snapshot) if source_snapshot else "",
            tags=[TagMessage(label=tag.label, value=tag.value) for tag in tags],
        )
        made = System(self._call("SystemService", "CreateSystem", request, pb.System()))
        return self._settled(made, System.SYSTEM_STATUS_STARTED, wait=wait)

    def start(self, system: str | System, idle_timeout_interval: int | None = None, wait: bool = True) -> System:
        """Start a stopped system; `idle_timeout_interval` in place of the one it has, if it is taken at all."""
        request = pb.StartSystemRequest(id=id_of(system), idle_timeout_interval=idle_timeout_interval or 0)
        made = System(self._call("SystemService", "StartSystem", request, pb.System()))
        return self._settled(made, System.SYSTEM_STATUS_STARTED, wait=wait)

    def stop(self, system: str | System, wait: bool = True) -> System:
        """Stop a started system; its disk stays."""
        return self._settled(self._wish("StopSystem", system), System.SYSTEM_STATUS_STOPPED, wait=wait)

    def reboot(self, system: str | System, wait: bool = True) -> System:
        """Reboot a started system."""
        return self._settled(self._wish("RebootSystem", system), System.SYSTEM_STATUS_STARTED, wait=wait)

    def restart_dai(self, system: str | System, wait: bool = True) -> System:
        """Restart the product of a started system and not its machine."""
        return self._settled(self._wish("RestartDAI", system), System.SYSTEM_STATUS_STARTED, wait=wait)

    def terminate(self, system: str | System, wait: bool = True) -> System:
        """Remove a system for good, its disk too; snapshots stay."""
        return self._settled(self._wish("TerminateSystem", system), System.SYSTEM_STATUS_TERMINATED, wait=wait)

    def fail(self, system: str | System, reason: str = "") -> System:
        """Give up a system that hangs; its owner reads the reason. For administrators."""
        request = pb.SystemRequest(id=id_of(system), reason=reason)
        return System(self._call("SystemService", "FailSystem", request, pb.System()))

    def scale(
        self,
        system: str | System,
        instance_type: str | InstanceType | None = None,
        disk_size_gb: int | None = None,
        wait: bool = True,
    ) -> System:
        """Give a stopped system another instance type or a larger disk. The new price counts from the next start.

        Raises SystemFailedError where the cloud refuses the size, which leaves the system as it was.
        """
        request = pb.ScaleSystemRequest(
            id=id_of(system),
            instance_type_id=id_of(instance_type) if instance_type else "",
            disk_size_gb=disk_size_gb or 0,
        )
        made = System(self._call("SystemService", "ScaleSystem", request, pb.System()))
        seen = self._settled(made, System.SYSTEM_STATUS_STOPPED, wait=wait)
        type_id = request.instance_type_id or seen.instance_type_id
        if wait and (seen.instance_type_id != type_id or seen.disk_size_gb < request.disk_size_gb):
            raise SystemFailedError(f"system {seen.name} was not scaled{_why(seen)}", {"reason": seen.status_reason})
        return seen

    def update_config(self, system: str | System, config: str, restart: bool = False) -> System:
        """Upload a configuration (TOML); it takes effect at the next start, or at once with ``restart=True``."""
        request = pb.UpdateConfigRequest(id=id_of(system), config=config, restart=restart)
        return System(self._call("SystemService", "UpdateConfig", request, pb.System()))

    def change_idle_timeout(self, system: str | System, minutes: int) -> System:
        """Set after how many idle minutes a system is stopped; -1 for never."""
        request = pb.UpdateIdleTimeoutRequest(id=id_of(system), minutes=minutes)
        return System(self._call("SystemService", "UpdateIdleTimeout", request, pb.System()))

    def extend_idle_timeout(self, system: str | System, minutes: int) -> System:
        """Keep a started system up for so many minutes more, used or not, within what the administrator allows."""
        request = pb.ExtendIdleTimeoutRequest(id=id_of(system), minutes=minutes)
        return System(self._call("SystemService", "ExtendIdleTimeout", request, pb.System()))

    # snapshots

    def create_snapshot(self, system: str | System, name: str, description: str = "", wait: bool = True) -> Snapshot:
        """Copy a system's disk."""
        request = sn.CreateSnapshotRequest(system_id=id_of(system), name=name, description=description)
        made = Snapshot(self._call("SnapshotService", "CreateSnapshot", request, pb.Snapshot()))
        return self.wait_for_snapshot(made) if wait else made

    def wait_for_snapshot(self, snapshot: str | Snapshot) -> Snapshot:
        """Wait until a snapshot is available. Raises SystemFailedError where it fails."""
        seen = self._wait(
            lambda: self.get_snapshot(snapshot),
            lambda it: it.status in COPIED,
            lambda it: f"snapshot {it.name} is still {it.status_text.lower()}",
        )
        if seen.status != Snapshot.SNAPSHOT_STATUS_AVAILABLE.code:
            why = f": {seen.status_detail}" if seen.status_detail else ""
            raise SystemFailedError(f"snapshot {seen.name} is {seen.status_text.lower()}{why}")
        return seen

    def get_snapshot(self, snapshot: str | Snapshot) -> Snapshot:
        """Return a snapshot as it is now."""
        return Snapshot(
            self._call("SnapshotService", "GetSnapshot", sn.SnapshotRequest(id=id_of(snapshot)), pb.Snapshot())
        )

    def list_snapshots(self, system: str | System | None = None) -> Sequence[Snapshot]:
        """Return the snapshots of a system, or all of the caller's."""
        return self._snapshots(sn.ListSnapshotsRequest(system_id=id_of(system) if system else ""))

    def list_all_snapshots(self) -> Sequence[Snapshot]:
        """Return everybody's snapshots, of systems that are gone, too. For administrators."""
        return self._snapshots(sn.ListSnapshotsRequest(scope=pb.SCOPE_ALL))

    def _snapshots(self, request: sn.ListSnapshotsRequest) -> Sequence[Snapshot]:
        answer = self._call("SnapshotService", "ListSnapshots", request, sn.ListSnapshotsResponse())
        return [Snapshot(snapshot) for snapshot in answer.snapshots]

    def delete_snapshot(self, snapshot: str | Snapshot) -> Snapshot:
        """Delete a snapshot."""
        return Snapshot(
            self._call("SnapshotService", "DeleteSnapshot", sn.SnapshotRequest(id=id_of(snapshot)), pb.Snapshot())
        )

    # waiting

    def wait_for_status(
        self,
        system: str | System,
        statuses: BaseStatus | int | Iterable[BaseStatus | int],
        timeout_minutes: float | None = None,
        interval_s: float | None = None,
    ) -> System:
        """Wait until a system stands at one of `statuses`.

        Raises SystemFailedError where it fails or is terminated, unless that was asked for, and TimeoutError after
        `timeout_minutes` (`POLL_TIMEOUT_MINUTES`).
        """
        asked = [statuses] if isinstance(statuses, BaseStatus | int) else statuses
        wanted = {_code(status) for status in asked}
        return self._until(system, wanted, lambda it: it.status in ENDED, timeout_minutes, interval_s)

    def _settled(self, system: System, status: System.Status, *, wait: bool) -> System:
        """Wait for what was wished of `system`: wherever it comes to rest, that is the end of it."""
        if not wait:
            return system
        return self._until(system, {status.code}, lambda it: it.status in ENDED or not it.in_transition)

    def _until(
        self,
        system: str | System,
        wanted: AbstractSet[int],
        over: Callable[[System], bool],
        timeout_minutes: float | None = None,
        interval_s: float | None = None,
    ) -> System:
        """Wait until a system stands at one of `wanted`. Raises SystemFailedError where it is `over` before that."""
        seen = self._wait(
            lambda: self.get(system, include_models=False),
            lambda it: it.status in wanted or over(it),
            lambda it: f"system {it.name} is still {_within(it.status_text)}{_way(it)}{_why(it)}",
            timeout_minutes,
            interval_s,
        )
        if seen.status not in wanted:
            stands = "has failed" if seen.status in FAILED else f"is {seen.status_text.lower()}"
            read_on = "; what its machine printed: `console`, or `puddle systems log`" if seen.status in FAILED else ""
            raise SystemFailedError(f"system {seen.name} {stands}{_why(seen)}{read_on}", {"reason": seen.status_reason})
        return seen

    def _wish(self, method: str, system: str | System) -> System:
        return System(self._call("SystemService", method, pb.SystemRequest(id=id_of(system)), pb.System()))

    def _pages(self, request: pb.ListSystemsRequest) -> Iterator[System]:
        request.page_size = PAGE
        while True:
            answer = self._call("SystemService", "ListSystems", request, pb.ListSystemsResponse())
            for each in answer.systems:
                yield System(each.system, each.models if request.include_models else None)
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token


def _way(system: System) -> str:
    """Return what a system on its way waits for."""
    if not system.in_transition or system.vm_status <= System.VM_STATUS_UNKNOWN.code:
        return ""
    if system.vm_status == System.VM_STATUS_RUNNING.code:
        return f", {_within(system.product_status_text)}"
    return f", machine {_within(system.vm_status_text)}"


def _within(text: str) -> str:
    """Return a status as it stands within a sentence; VM stays VM."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _code(status: BaseStatus | int) -> int:
    if isinstance(status, int):
        return status
    if not isinstance(status, System.Status):
        raise TypeError(f"systems are waited for by System.SYSTEM_STATUS_*, not by {status!r}")
    return status.code


def _why(system: System) -> str:
    told = system.status_detail or system.status_reason
    return f": {told}" if told else ""
