"""The simulated cloud as a `Provider`: each call meets the faults that are planned, then acts on the open world."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from puddle.server.clouds.base import Built, Endpoint, Order, Recipe, Shape, StepFailed
from puddle.server.clouds.names import checked_id
from puddle.server.clouds.simulated.faults import Fault, Faults, When
from puddle.server.clouds.simulated.moment import Delays, Moment
from puddle.server.clouds.simulated.nodes import Picture, Uptime
from puddle.server.clouds.simulated.outside import Outside
from puddle.server.clouds.simulated.shell import SimulatedShell
from puddle.server.clouds.simulated.world import World
from puddle.server.domain.facts import Copy, Machine, Power

T = TypeVar("T")

Dice = Callable[[str, str], Fault | None]
"""Given the method and its subject, the fault a call meets besides those that are planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What exists in a world: ids of systems with a machine, of snapshots, of images, and how many machines run."""

    machines: frozenset[str]
    running: frozenset[str]
    snapshots: frozenset[str]
    images: frozenset[str]


class SimulatedCloud:
    """See Provider. Every order is done `delays` later by `clock`; nothing else passes time.

    `faults` are calls that fail, `outside` what others do to the cloud; both lie in the `world`, as everything does,
    and so are shared by all clouds over it. `dice` adds faults by chance. Any image is taken for one that is there,
    unless `strict_images`. `calls` counts the calls through this object.
    """

    id = "simulated"
    display_name = "Simulated"

    def __init__(
        self,
        world: World,
        clock: Callable[[], float],
        *,
        delays: Delays | None = None,
        dice: Dice | None = None,
        strict_images: bool = False,
    ) -> None:
        self.world = world
        self.clock = clock
        self.delays = delays or Delays()
        self.faults = Faults(world)
        self.outside = Outside(world, clock)
        self.calls: Counter[str] = Counter()
        self._dice = dice
        self._strict_images = strict_images

    def call(self, method: str, subject: str, do: Callable[[Moment], T]) -> T:
        """Do something to the cloud at this moment, unless the call meets a fault."""
        self.calls[method] += 1
        fault = self._fault(method, subject)
        if fault is not None and fault.when is When.BEFORE:
            raise fault.error()
        result = self._at_once(do)
        if fault is not None:
            raise fault.error()
        return result

    def _fault(self, method: str, subject: str) -> Fault | None:
        fault = self.faults.met(method, subject)
        return self._dice(method, subject) if fault is None and self._dice is not None else fault

    def _at_once(self, do: Callable[[Moment], T]) -> T:
        now = self.clock()
        with self.world.open() as things:
            return do(Moment(things, now, self.delays))

    # whose it is

    def owner(self) -> str:
        """See Provider."""
        return self.call("owner", "", lambda it: it.things.get("installations", "owner") or "")

    def take(self, installation: str) -> str:
        """See Provider."""

        def do(it: Moment) -> str:
            owner: str = it.things.get("installations", "owner") or installation
            it.things.put("installations", "owner", owner)
            return owner

        return self.call("take", installation, do)

    # machines

    def create(self, order: Order) -> str:
        """See Provider."""
        return self.call("create", order.system_id, lambda it: it.create(order, strict_images=self._strict_images))

    def machine(self, system_id: str) -> Machine:
        """See Provider; of a machine that was there, `since` says when it went."""
        return self.call("machine", system_id, lambda it: it.machine(system_id))

    def machines(self) -> Sequence[tuple[str, Machine]]:
        """See Provider."""
        return self.call("machines", "", Moment.machines)

    def start(self, machine_id: str) -> None:
        """See Provider. Raises StepFailed CAPACITY where no place is left."""
        self.call("start", machine_id, lambda it: it.start(machine_id))

    def stop(self, machine_id: str) -> None:
        """See Provider."""
        self.call("stop", machine_id, lambda it: it.stop(machine_id))

    def reboot(self, machine_id: str, token: str) -> None:
        """See Provider."""
        self.call("reboot", machine_id, lambda it: it.reboot(machine_id, token))

    def resize(self, machine_id: str, shape: Shape) -> None:
        """See Provider."""
        self.call("resize", machine_id, lambda it: it.resize(machine_id, shape))

    def destroy(self, system_id: str) -> None:
        """See Provider."""
        self.call("destroy", system_id, lambda it: it.destroy(system_id))

    def endpoint(self, machine_id: str) -> Endpoint:
        """See Provider. The host is a name nobody can resolve: nothing listens there."""
        node = self.call("endpoint", machine_id, lambda it: it.running(machine_id))
        return Endpoint(
            host=f"{machine_id}.simulated.invalid",
            ports=dict(node.order.ports),
            memory_gb=node.shape.memory_gb,
            vcpus=node.shape.vcpus,
            shell=SimulatedShell(self, machine_id, node.order.system_id),
        )

    def console(self, machine_id: str, lines: int = 200) -> str:
        """See Provider."""
        node = self.call("console", machine_id, lambda it: it.node(machine_id))
        printed = [f"{node.order.name} is {node.power}"]
        if node.service is not None:
            printed.append(f"serving {node.service.token}")
        return "".join(f"{line}\n" for line in printed[-lines:])

    # snapshots

    def take_snapshot(self, system_id: str, snapshot_id: str) -> None:
        """See Provider."""
        self.call("take_snapshot", snapshot_id, lambda it: it.take_snapshot(system_id, snapshot_id))

    def snapshot(self, snapshot_id: str) -> Copy:
        """See Provider."""
        return self.call("snapshot", snapshot_id, lambda it: it.snapshot(snapshot_id))

    def snapshots(self) -> Sequence[str]:
        """See Provider."""
        return self.call("snapshots", "", Moment.snapshots)

    def delete_snapshot(self, snapshot_id: str) -> None:
        """See Provider."""
        self.call("delete_snapshot", snapshot_id, lambda it: it.things.remove("shots", checked_id(snapshot_id)))

    # images

    def build_image(self, image_id: str, recipe: Recipe, version: str) -> Built:
        """See Provider. The recipe is carried out, for real; of what it makes only the checksum is kept."""
        there = self.call("build_image", image_id, lambda it: it.things.get("pictures", checked_id(image_id)))
        if there is None:
            there = self._build(image_id, recipe, version)
        return Built(cloud_image_id=f"image-{image_id}", checksum=there.checksum)

    def _build(self, image_id: str, recipe: Recipe, version: str) -> Picture:
        with tempfile.TemporaryDirectory(prefix="puddle-image-") as folder:
            log = Path(folder, "log")
            draft = Picture(id=image_id, path=str(log))
            self._at_once(lambda it: it.things.put("drafts", image_id, draft))
            files = Path(folder, "files")
            files.mkdir()
            try:
                done = replace(draft, checksum=recipe.build(version, str(files), str(log)), path="")
            finally:
                draft = replace(draft, log=_text(log), path="")
                self._at_once(lambda it: it.things.put("drafts", image_id, draft))
        return self._at_once(lambda it: _keep_first(it, replace(done, log=draft.log)))

    def build_log(self, image_id: str) -> str:
        """See Provider."""
        picture = self.call("build_log", image_id, lambda it: it.picture(checked_id(image_id)))
        if picture is None:
            return ""
        return picture.log or (_text(Path(picture.path)) if picture.path else "")

    def delete_image(self, image_id: str) -> None:
        """See Provider."""

        def do(it: Moment) -> None:
            it.things.remove("pictures", checked_id(image_id))
            it.things.remove("drafts", image_id)

        self.call("delete_image", image_id, do)

    # for tests

    def contents(self) -> Contents:
        """Return what exists, whatever faults are planned."""

        def do(it: Moment) -> Contents:
            there = [node for node in it.nodes() if node.power is not Power.GONE]
            return Contents(
                machines=frozenset(node.order.system_id for node in there),
                running=frozenset(node.order.system_id for node in there if node.power is Power.RUNNING),
                snapshots=frozenset(key for key, _ in it.things.all("shots")),
                images=frozenset(key for key, _ in it.things.all("pictures")),
            )

        return self._at_once(do)

    def tags(self, system_id: str) -> tuple[tuple[str, str], ...]:
        """Return the tags of a system's machine. Raises StepFailed where it has none."""

        def do(it: Moment) -> tuple[tuple[str, str], ...]:
            node = it.of_system(system_id)
            if node is None or node.power is Power.GONE:
                raise StepFailed("NOT_FOUND", f"the system {system_id} has no machine")
            return node.order.tags

        return self._at_once(do)

    def uptimes(self) -> tuple[Uptime, ...]:
        """Return when machines were up, those that are gone included: the truth a ledger is compared with."""
        return self._at_once(lambda it: tuple(uptime for node in it.nodes() for uptime in node.all_uptimes()))


def _keep_first(it: Moment, picture: Picture) -> Picture:
    there: Picture | None = it.things.get("pictures", picture.id)
    if there is None:
        it.things.put("pictures", picture.id, picture)
        return picture
    return there


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
