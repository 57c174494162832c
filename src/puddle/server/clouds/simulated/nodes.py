"""What a simulated machine, snapshot and image are, and what becomes of them with time. Pure.

Nothing runs in the background: a machine remembers what it is becoming and when, and `settled` says what it is by now.
So one that nobody looks at changes at the right second all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from puddle.server.clouds.base import Order, Service, Serving, Shape
from puddle.server.domain.facts import Copy, CopyState, Machine, Power

Disk = Mapping[str, bytes]
"""Files by path; never changed in place, so that a copy costs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """A machine was up from `start` until `end` (None: still is), by its cloud's clock: what a bill would say."""

    system_id: str
    machine_id: str
    cloud_type: str
    start: int
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine. `becomes` is its next power, due `at`; `up_since`: since when it is up, rebooting or not.

    `holds`: it has its place in the capacity of its type. `growing`: the shape it will have once resized. `served`:
    when its service was told to run.
    """

    id: str
    order: Order
    shape: Shape
    power: Power
    since: float
    becomes: Power | None = None
    at: float = 0.0
    up_since: float | None = None
    uptimes: tuple[Uptime, ...] = ()
    holds: bool = False
    growing: Shape | None = None
    token: str = ""
    failure: str = ""
    disk: Disk = field(default_factory=dict)
    service: Service | None = None
    served: float = 0.0
    exit_code: int | None = None
    number: int = 0

    def becoming(self, power: Power, meanwhile: Power, now: float, delay: float) -> Node:
        """Return it on its way to another power."""
        return settled(replace(self, power=meanwhile, since=now, becomes=power, at=now + delay), now)

    def down(self, power: Power, at: float) -> Node:
        """Return it stopped or gone since `at`."""
        ended = self.uptimes
        if self.up_since is not None:
            ended = (*ended, replace(self._uptime(self.up_since), end=int(at)))
        return replace(self, power=power, since=at, becomes=None, up_since=None, uptimes=ended)

    def up(self, at: float) -> Node:
        """Return it running since `at`."""
        up_since = at if self.up_since is None else self.up_since
        return replace(self, power=Power.RUNNING, since=at, becomes=None, up_since=up_since, exit_code=None)

    def all_uptimes(self) -> tuple[Uptime, ...]:
        """When it was up, the present time included."""
        return self.uptimes if self.up_since is None else (*self.uptimes, self._uptime(self.up_since))

    def _uptime(self, start: float) -> Uptime:
        return Uptime(
            system_id=self.order.system_id, machine_id=self.id, cloud_type=self.shape.cloud_type, start=int(start)
        )

    def seen(self) -> Machine:
        """Return it as its owner sees it."""
        up = self.power is Power.RUNNING
        return Machine(
            id="" if self.power is Power.GONE else self.id,
            power=self.power,
            cloud_type=self.shape.cloud_type,
            disk_gb=self.shape.disk_gb,
            since=int(self.since),
            private_ip=f"10.{self.number >> 16 & 255}.{self.number >> 8 & 255}.{self.number & 255}" if up else "",
            token=self.token,
            failure=self.failure,
        )

    def serving(self) -> Serving | None:
        """Return how its service stands."""
        if self.service is None:
            return None
        return Serving(token=self.service.token, running=self.exit_code is None, exit_code=self.exit_code)

    def served_since(self) -> float:
        """Since when its service runs: told to, and the machine up."""
        return max(self.served, self.since)


def settled(node: Node, now: float) -> Node:
    """Return what a machine is by `now`."""
    if node.becomes is not None and now >= node.at:
        node = node.up(node.at) if node.becomes is Power.RUNNING else node.down(node.becomes, node.at)
    elif node.growing is not None and now >= node.at:
        node = replace(node, shape=node.growing, growing=None)
    return node


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A snapshot: the disk as it was when it was ordered, there `at`. It never is where `failure` says why."""

    id: str
    system_id: str
    disk: Disk
    at: float
    failure: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def seen(self, now: float) -> Copy:
        """Return it as its owner sees it."""
        if now < self.at:
            return Copy(id=f"shot-{self.id}", state=CopyState.CREATING)
        state = CopyState.FAILED if self.failure else CopyState.AVAILABLE
        return Copy(id=f"shot-{self.id}", state=state, failure=self.failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image, and what its building printed. While that lasts, `path` is where it prints."""

    id: str
    checksum: str = ""
    log: str = ""
    path: str = ""
