"""What happens to a simulated cloud behind Puddle's back: drift, full data centres, broken hardware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from puddle.server.clouds.names import not_found
from puddle.server.clouds.simulated.moment import Delays, Moment
from puddle.server.clouds.simulated.nodes import Node
from puddle.server.clouds.simulated.world import World
from puddle.server.domain.facts import Power


class Outside:
    """Somebody with other keys to the same cloud. Everything happens at once, and to any process' view of the world."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self._world = world
        self._clock = clock

    def capacity(self, cloud_type: str, machines: int | None) -> None:
        """Let at most so many machines of a type be up, or on their way up; None: as many as are asked for."""
        with self._world.open() as things:
            if machines is None:
                things.remove("capacity", cloud_type)
            else:
                things.put("capacity", cloud_type, machines)

    def break_machine(self, system_id: str, sentence: str) -> None:
        """Let the machine of a system never come up again, for this reason, until `mend_machine`."""
        with self._world.open() as things:
            things.put("broken", system_id, sentence)

    def mend_machine(self, system_id: str) -> None:
        """Let it come up when it is started next."""
        with self._world.open() as things:
            things.remove("broken", system_id)

    def break_snapshot(self, snapshot_id: str = "*", sentence: str = "the disk could not be read") -> None:
        """Let a snapshot that is still to be taken (or each) fail."""
        with self._world.open() as things:
            things.put("broken shots", snapshot_id, sentence)

    def hide(self, *ids: str) -> None:
        """Let machines (by their systems) or snapshots not be listed, nor found, until `show`: as a list that lags."""
        with self._world.open() as things:
            for each in ids:
                things.put("hidden", each, True)

    def show(self, *ids: str) -> None:
        """Let these be found again; all where none is named."""
        with self._world.open() as things:
            for each in ids or [key for key, _ in things.all("hidden")]:
                things.remove("hidden", each)

    def lose_snapshot(self, snapshot_id: str) -> None:
        """Remove a snapshot."""
        with self._world.open() as things:
            things.remove("shots", snapshot_id)

    def vanish(self, system_id: str) -> None:
        """Remove a machine and its disk."""
        self._down(system_id, Power.GONE)

    def stop(self, system_id: str) -> None:
        """Stop a machine."""
        self._down(system_id, Power.STOPPED)

    def start(self, system_id: str) -> None:
        """Start a stopped machine, whatever the capacity."""

        def do(node: Node, now: float) -> Node:
            return node if node.power is Power.RUNNING else replace(node.up(now), failure="", growing=None)

        self._change(system_id, do, held=True)

    def crash(self, system_id: str, exit_code: int = 1) -> None:
        """End the service of a machine with this exit code."""
        self._change(system_id, lambda node, _now: replace(node, exit_code=exit_code))

    def _down(self, system_id: str, power: Power) -> None:
        def do(node: Node, now: float) -> Node:
            return node if node.power in {power, Power.GONE} else node.down(power, now)

        self._change(system_id, do, held=False)

    def _change(self, system_id: str, do: Callable[[Node, float], Node], *, held: bool | None = None) -> None:
        now = self._clock()
        with self._world.open() as things:
            moment = Moment(things, now, Delays())
            node = moment.of_system(system_id)
            if node is None or node.power is Power.GONE:
                raise not_found("machine of the system", system_id)
            node = do(node, now)
            if held is not None and node.holds is not held:
                count = int(things.get("held", node.shape.cloud_type) or 0)
                things.put("held", node.shape.cloud_type, count + (1 if held else -1))
                node = replace(node, holds=held)
            moment.keep(node)
