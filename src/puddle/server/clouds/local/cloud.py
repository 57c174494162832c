"""The local cloud as a `Provider`: writes the specs of machines and launches their supervisors."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from puddle.server.clouds.base import Built, Endpoint, Order, Recipe, Shape, StepFailed
from puddle.server.clouds.local.errors import exclusive, folder_of, os_errors_at
from puddle.server.clouds.local.files import folder_below, tail, write_in
from puddle.server.clouds.local.images import Images
from puddle.server.clouds.local.ports import HOST, is_free, is_strangers
from puddle.server.clouds.local.processes import kill_marked, launch
from puddle.server.clouds.local.service import CONSOLE
from puddle.server.clouds.local.shell import LocalShell
from puddle.server.clouds.local.snapshots import Snapshots
from puddle.server.clouds.local.spec import DOWN, GONE, UP, Spec, Status, as_machine
from puddle.server.clouds.local.trees import empty, put_away, throw_away
from puddle.server.clouds.names import not_found
from puddle.server.domain.facts import NO_MACHINE, Copy, CopyState, Machine, Power

INSTALLATION = "installation"
SUPERVISOR = "puddle.server.clouds.local.machine"


class LocalCloud:
    """See Provider, and the package for what is where. The id of a machine is that of its system.

    Everything is below `folder`. Each machine gets its own of the `ports`, on the loopback interface. When a machine
    stops, its processes have `grace` seconds to end by themselves.
    """

    id = "local"
    display_name = "This machine"

    def __init__(self, folder: Path | str, *, ports: range = range(23_000, 25_000), grace: float = 10.0) -> None:
        if not Path("/proc/self/stat").exists():
            raise RuntimeError("the local cloud needs Linux and its /proc; configure another cloud")
        self.root = Path(folder).resolve()
        for path in (self.root, *(self.root / name for name in ("machines", "snapshots", "images", "trash"))):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._ports = ports
        self._grace = grace
        self._images = Images(self.root)
        self._snapshots = Snapshots(self.root)

    # ownership

    def owner(self) -> str:
        """See Provider: the file `installation` of the folder says it."""
        with os_errors_at(f"the local cloud in {self.root}"):
            return _owner_of(self.root)

    def take(self, installation: str) -> str:
        """See Provider."""
        with exclusive(self.root):
            if owner := _owner_of(self.root):
                return owner
            with folder_below(self.root, ()) as folder:
                write_in(folder, INSTALLATION, installation.encode())
            return installation

    # machines

    def create(self, order: Order) -> str:
        """See Provider. Raises StepFailed CAPACITY where no port is left."""
        folder = self._folder(order.system_id)
        with exclusive(self.root):
            spec = Spec.read(folder)
            if spec is not None and spec.wish == GONE:
                raise StepFailed("NOT_READY", f"the former machine of {order.system_id} is still being removed")
            if spec is None:
                self._check(order)
                self._write_new(order, folder)
        if spec is None:
            launch(SUPERVISOR, folder)
        return order.system_id

    def _check(self, order: Order) -> None:
        self._images.check(order.cloud_image_id)
        if not order.source_snapshot_id:
            return
        state = self.snapshot(order.source_snapshot_id).state
        if state is CopyState.CREATING:
            raise StepFailed("NOT_READY", f"the snapshot {order.source_snapshot_id} is not there yet")
        if state is not CopyState.AVAILABLE:
            raise not_found("snapshot", order.source_snapshot_id, for_ever=True)

    def _write_new(self, order: Order, folder: Path) -> None:
        spec = Spec(
            system_id=order.system_id,
            name=order.name,
            image_id=order.cloud_image_id,
            cloud_type=order.shape.cloud_type,
            vcpus=order.shape.vcpus,
            memory_gb=order.shape.memory_gb,
            disk_gb=order.shape.disk_gb,
            ports=self._choose_ports(order.ports),
            ordered=time.time(),
            order_token=order.token,
            grace=self._grace,
            source_snapshot_id=order.source_snapshot_id,
            tags=[list(tag) for tag in order.tags],
        )
        draft = folder.with_name(f".new-{folder.name}")
        throw_away(draft, self.root / "trash")
        draft.mkdir(mode=0o700)
        spec.write(draft)
        draft.rename(folder)

    def _choose_ports(self, names: Mapping[str, int]) -> dict[str, int]:
        taken = {port for spec in self._specs() for port in spec.ports.values()}
        free = (port for port in self._ports if port not in taken and is_free(port))
        chosen = dict(zip(names, free, strict=False))
        if len(chosen) < len(names):
            raise StepFailed("CAPACITY", f"no port between {self._ports.start} and {self._ports.stop - 1} is left")
        return chosen

    def machine(self, system_id: str) -> Machine:
        """See Provider."""
        folder = self._folder(system_id)
        spec = Spec.read(folder)
        return NO_MACHINE if spec is None else as_machine(folder, spec)

    def machines(self) -> Sequence[tuple[str, Machine]]:
        """See Provider."""
        return [(spec.system_id, as_machine(self._folder(spec.system_id), spec)) for spec in self._specs()]

    def start(self, machine_id: str) -> None:
        """See Provider."""
        with exclusive(self.root):
            spec, machine = self._found(machine_id)
            if machine.power in {Power.RUNNING, Power.PENDING}:
                return
            if machine.power is not Power.STOPPED:
                raise StepFailed("NOT_READY", f"the machine {machine_id} has not stopped yet")
            self._write(replace(spec, wish=UP))
        launch(SUPERVISOR, self._folder(machine_id))

    def stop(self, machine_id: str) -> None:
        """See Provider."""
        with exclusive(self.root):
            spec, _ = self._found(machine_id)
            if spec.wish == UP:
                self._write(replace(spec, wish=DOWN))
        self._wake(machine_id)

    def reboot(self, machine_id: str, token: str) -> None:
        """See Provider."""
        with exclusive(self.root):
            spec, machine = self._found(machine_id)
            if spec.token == token:
                return
            if machine.power is not Power.RUNNING:
                raise StepFailed("NOT_READY", f"the machine {machine_id} is not running, but {machine.power}")
            self._write(replace(spec, token=token))
        self._wake(machine_id)

    def resize(self, machine_id: str, shape: Shape) -> None:
        """See Provider. It counts from the next start."""
        with exclusive(self.root):
            spec, machine = self._found(machine_id)
            wanted = replace(
                spec,
                cloud_type=shape.cloud_type,
                vcpus=shape.vcpus,
                memory_gb=shape.memory_gb,
                disk_gb=max(shape.disk_gb, spec.disk_gb),
            )
            if wanted == spec:
                return
            if machine.power is not Power.STOPPED:
                raise StepFailed("NOT_READY", f"the machine {machine_id} must be stopped to be resized")
            self._write(wanted)

    def destroy(self, system_id: str) -> None:
        """See Provider. A machine that runs is removed by its supervisor, as the last thing that does."""
        folder = self._folder(system_id)
        with exclusive(self.root):
            spec = Spec.read(folder)
            if spec is not None and spec.wish != GONE:
                self._write(replace(spec, wish=GONE))
            if not Status.read(folder).who.alive():
                kill_marked(folder)
                put_away(folder, self.root / "trash")
            self._images.clean(self._used_images())
        self._wake(system_id)
        with os_errors_at(f"the machine of {system_id}"):
            empty(self.root / "trash")

    def endpoint(self, machine_id: str) -> Endpoint:
        """See Provider."""
        spec, machine = self._found(machine_id)
        if machine.power is not Power.RUNNING:
            raise StepFailed("UNREACHABLE", f"the machine {machine_id} is not running, but {machine.power}")
        if strange := next((port for port in spec.ports.values() if is_strangers(port)), 0):
            raise StepFailed("UNREACHABLE", f"another user of this machine has taken port {strange} of {machine_id}")
        return Endpoint(
            host=HOST,
            ports=spec.ports,
            memory_gb=spec.memory_gb,
            vcpus=spec.vcpus,
            shell=LocalShell(self._folder(machine_id)),
        )

    def console(self, machine_id: str, lines: int = 200) -> str:
        """See Provider."""
        self._found(machine_id)
        with os_errors_at(f"the console of {machine_id}"):
            return tail(self._folder(machine_id) / CONSOLE, lines)

    def tags(self, system_id: str) -> tuple[tuple[str, str], ...]:
        """Return the tags of a system's machine. Raises StepFailed where it has none."""
        spec, _ = self._found(system_id)
        return tuple((label, value) for label, value in spec.tags)

    # snapshots and images

    def take_snapshot(self, system_id: str, snapshot_id: str) -> None:
        """See Provider. That of a machine that runs is as a power cut would leave its disk."""
        self._snapshots.take(system_id, snapshot_id)

    def snapshot(self, snapshot_id: str) -> Copy:
        """See Provider."""
        return self._snapshots.look(snapshot_id)

    def snapshots(self) -> Sequence[str]:
        """See Provider."""
        return self._snapshots.all()

    def delete_snapshot(self, snapshot_id: str) -> None:
        """See Provider."""
        self._snapshots.delete(snapshot_id)

    def build_image(self, image_id: str, recipe: Recipe, version: str) -> Built:
        """See Provider."""
        return self._images.build(image_id, recipe, version)

    def build_log(self, image_id: str) -> str:
        """See Provider."""
        return self._images.log(image_id)

    def delete_image(self, image_id: str) -> None:
        """See Provider."""
        with exclusive(self.root):
            self._images.delete(image_id, self._used_images())

    # finding and writing specs

    def _folder(self, system_id: str) -> Path:
        return folder_of(self.root / "machines", system_id)

    def _found(self, machine_id: str) -> tuple[Spec, Machine]:
        folder = self._folder(machine_id)
        spec = Spec.read(folder)
        if spec is None:
            raise not_found("machine", machine_id)
        return spec, as_machine(folder, spec)

    def _write(self, spec: Spec) -> None:
        replace(spec, ordered=time.time()).write(self._folder(spec.system_id))

    def _wake(self, machine_id: str) -> None:
        Status.read(self._folder(machine_id)).who.send(signal.SIGHUP)

    def _specs(self) -> Iterator[Spec]:
        for path in sorted((self.root / "machines").iterdir()):
            spec = None if path.name.startswith(".") or path.is_symlink() else Spec.read(path)
            if spec is not None:
                yield spec

    def _used_images(self) -> set[str]:
        return {spec.image_id for spec in self._specs() if spec.wish != GONE}


def _owner_of(root: Path) -> str:
    file = root / INSTALLATION
    return file.read_text(encoding="ascii").strip() if file.exists() else ""
