"""A simulated cloud at one moment: what each order does to the things in an open world. No faults here, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from puddle.server.clouds.base import Order, Service, Shape, StepFailed
from puddle.server.clouds.names import checked_id, not_found
from puddle.server.clouds.simulated.nodes import Node, Picture, Shot, settled
from puddle.server.clouds.simulated.world import Things, counted
from puddle.server.domain.facts import NO_MACHINE, Copy, CopyState, Machine, Power


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How many seconds each order takes."""

    create: float = 0.0
    start: float = 0.0
    stop: float = 0.0
    reboot: float = 0.0
    resize: float = 0.0
    destroy: float = 0.0
    snapshot: float = 0.0

    @classmethod
    def of(cls, seconds: float) -> Delays:
        """Return the same for all."""
        return cls(**dict.fromkeys(("create", "start", "stop", "reboot", "resize", "destroy", "snapshot"), seconds))


class Moment:
    """Orders at `now`. Everything is checked before anything is put."""

    __slots__ = ("delays", "now", "things")

    def __init__(self, things: Things, now: float, delays: Delays) -> None:
        self.things = things
        self.now = now
        self.delays = delays

    # finding and keeping

    def of_system(self, system_id: str) -> Node | None:
        """Return the machine of a system as it is by now, also one that is gone; None where there never was one."""
        machine_id = self.things.get("systems", checked_id(system_id))
        node: Node | None = None if machine_id is None else self.things.get("nodes", machine_id)
        return None if node is None else settled(node, self.now)

    def node(self, machine_id: str) -> Node:
        """Return a machine as it is by now. Raises StepFailed where it is not there."""
        found: Node | None = self.things.get("nodes", machine_id)
        node = None if found is None else settled(found, self.now)
        if node is None or node.power is Power.GONE:
            raise not_found("machine", machine_id)
        return node

    def running(self, machine_id: str) -> Node:
        """Return a machine that runs. Raises StepFailed where it does not."""
        node = self.node(machine_id)
        if node.power is not Power.RUNNING:
            raise StepFailed("UNREACHABLE", f"the machine {machine_id} is not running, but {node.power}")
        return node

    def keep(self, node: Node) -> None:
        """Put a machine as it has become."""
        self.things.put("nodes", node.id, node)

    def nodes(self) -> list[Node]:
        """Return all machines there ever were, as they are by now."""
        return [settled(node, self.now) for _, node in self.things.all("nodes")]

    # machines

    def create(self, order: Order, *, strict_images: bool) -> str:
        """See Provider."""
        node = self.of_system(order.system_id)
        if node is not None and node.power is not Power.GONE:
            return node.id
        if strict_images and self.things.get("pictures", order.cloud_image_id.removeprefix("image-")) is None:
            raise not_found("image", order.cloud_image_id, for_ever=True)
        disk = self._source(order.source_snapshot_id)
        self._check_place(order.shape.cloud_type)
        number = counted(self.things, "machines")
        new = Node(
            id=f"vm-{number}",
            order=order,
            shape=order.shape,
            power=Power.PENDING,
            since=self.now,
            disk=disk,
            number=number,
        )
        self._go_up(new, self.delays.create)
        self.things.put("systems", order.system_id, new.id)
        return new.id

    def _source(self, snapshot_id: str) -> Mapping[str, bytes]:
        if not snapshot_id:
            return {}
        shot: Shot | None = self.things.get("shots", snapshot_id)
        state = CopyState.GONE if shot is None else shot.seen(self.now).state
        if state is CopyState.CREATING:
            raise StepFailed("NOT_READY", f"the snapshot {snapshot_id} is not there yet")
        if shot is None or state is CopyState.FAILED:
            raise not_found("snapshot", snapshot_id, for_ever=True)
        return shot.disk

    def machine(self, system_id: str) -> Machine:
        """See Provider; of one that was there, `since` says when it went."""
        node = self.of_system(system_id)
        if node is None or self.hidden(system_id):
            return NO_MACHINE
        if node.power is Power.GONE:
            return replace(NO_MACHINE, since=int(node.since))
        return node.seen()

    def machines(self) -> list[tuple[str, Machine]]:
        """See Provider."""
        there = [node for node in self.nodes() if node.power is not Power.GONE]
        return [(node.order.system_id, node.seen()) for node in there if not self.hidden(node.order.system_id)]

    def hidden(self, which: str) -> bool:
        """Whether the cloud does not find something just now that is there."""
        return self.things.get("hidden", which) is not None

    def start(self, machine_id: str) -> None:
        """See Provider."""
        node = self.node(machine_id)
        if node.power in {Power.RUNNING, Power.PENDING}:
            return
        if node.power is not Power.STOPPED or node.growing is not None:
            raise StepFailed("NOT_READY", f"the machine {machine_id} has not come to rest yet")
        self._check_place(node.shape.cloud_type)
        self._go_up(node, self.delays.start)

    def _go_up(self, node: Node, delay: float) -> None:
        self._hold(node.shape.cloud_type, 1)
        node = replace(node, holds=True, failure="")
        why = self.things.get("broken", node.order.system_id)
        if why is None:
            return self.keep(node.becoming(Power.RUNNING, Power.PENDING, self.now, delay))
        return self.keep(replace(node, power=Power.PENDING, since=self.now, failure=why))

    def stop(self, machine_id: str) -> None:
        """See Provider."""
        node = self.node(machine_id)
        if node.power not in {Power.STOPPED, Power.STOPPING}:
            self._go_down(node, Power.STOPPED, self.delays.stop)

    def destroy(self, system_id: str) -> None:
        """See Provider."""
        node = self.of_system(system_id)
        if node is not None and Power.GONE not in {node.power, node.becomes}:
            self._go_down(replace(node, disk={}, service=None), Power.GONE, self.delays.destroy)

    def _go_down(self, node: Node, to: Power, delay: float) -> None:
        if node.holds:
            self._hold(node.shape.cloud_type, -1)
        node = replace(node, holds=False, growing=None, failure="")
        self.keep(node.becoming(to, Power.STOPPING, self.now, delay))

    def reboot(self, machine_id: str, token: str) -> None:
        """See Provider."""
        node = self.node(machine_id)
        if node.token == token:
            return
        if node.power is not Power.RUNNING:
            raise StepFailed("NOT_READY", f"the machine {machine_id} is not running, but {node.power}")
        rebooting = replace(node, token=token).becoming(Power.RUNNING, Power.PENDING, self.now, self.delays.reboot)
        self.keep(rebooting)

    def resize(self, machine_id: str, shape: Shape) -> None:
        """See Provider."""
        node = self.node(machine_id)
        wanted = replace(shape, disk_gb=max(shape.disk_gb, node.shape.disk_gb))
        if wanted == (node.growing or node.shape):
            return
        if node.power is not Power.STOPPED or node.growing is not None:
            raise StepFailed("NOT_READY", f"the machine {machine_id} must be stopped to be resized")
        self.keep(settled(replace(node, growing=wanted, at=self.now + self.delays.resize), self.now))

    # places

    def _check_place(self, cloud_type: str) -> None:
        limit = self.things.get("capacity", cloud_type)
        if limit is not None and int(self.things.get("held", cloud_type) or 0) >= limit:
            raise StepFailed("CAPACITY", f"the cloud has no {cloud_type} left now; it is tried again")

    def _hold(self, cloud_type: str, more: int) -> None:
        self.things.put("held", cloud_type, int(self.things.get("held", cloud_type) or 0) + more)

    # snapshots and images

    def take_snapshot(self, system_id: str, snapshot_id: str) -> None:
        """See Provider."""
        if self.things.get("shots", checked_id(snapshot_id)) is not None:
            return
        node = self.of_system(system_id)
        if node is None or Power.GONE in {node.power, node.becomes}:
            raise not_found("machine of the system", system_id)
        shot = Shot(
            id=snapshot_id,
            system_id=system_id,
            disk=node.disk,
            at=self.now + self.delays.snapshot,
            failure=self.things.get("broken shots", snapshot_id) or self.things.get("broken shots", "*") or "",
            tags=node.order.tags,
        )
        self.things.put("shots", snapshot_id, shot)

    def snapshot(self, snapshot_id: str) -> Copy:
        """See Provider."""
        shot: Shot | None = self.things.get("shots", checked_id(snapshot_id))
        if shot is None or self.hidden(snapshot_id):
            return Copy(id="", state=CopyState.GONE)
        return shot.seen(self.now)

    def snapshots(self) -> list[str]:
        """See Provider."""
        return [key for key, _ in self.things.all("shots") if not self.hidden(key)]

    def picture(self, image_id: str) -> Picture | None:
        """Return an image, or what there is of it."""
        found: Picture | None = self.things.get("pictures", image_id)
        return found or self.things.get("drafts", image_id)

    # the inside of a machine

    def write(self, machine_id: str, path: str, content: bytes) -> None:
        """See Shell."""
        node = self.running(machine_id)
        self.keep(replace(node, disk={**node.disk, path: content}))

    def serve(self, machine_id: str, service: Service) -> None:
        """See Shell."""
        node = self.running(machine_id)
        stands = node.serving()
        if stands is None or not stands.running or stands.token != service.token:
            self.keep(replace(node, service=service, served=self.now, exit_code=None))
