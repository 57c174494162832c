"""What a cloud provider must be able to do, and how it says that it cannot.

Every machine, disk and snapshot carries the id of its system (or snapshot) as a tag, and is found by it: that is what
makes each call repeatable. A call returns as soon as the cloud has taken the order; how it stands is asked with
`machine` and `snapshot`. Calls may be made by several servers at once, and again after any failure.

`puddle.testing.clouds` has the conformance suite that every provider passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from puddle.server.domain.facts import Copy, Machine


class StepFailed(Exception):
    """A step cannot be done now (`for_ever` False: it is tried again until the deadline), or ever.

    `reason` is a stable word (CAPACITY, QUOTA, NOT_FOUND, REFUSED, UNREACHABLE, DISK_FULL…), the sentence is for the
    owner.
    """

    def __init__(self, reason: str, sentence: str, *, for_ever: bool = False) -> None:
        """See the class."""
        super().__init__(sentence)
        self.reason = reason
        self.for_ever = for_ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A machine to be made.

    `cloud_image_id`: the cloud's id of the image; `cloud_type`: the cloud's word for the instance type; `token` names
    the step, so that a repeated order gives the same machine; `tags` go on everything that is made.
    """

    system_id: str
    name: str
    cloud_image_id: str
    cloud_type: str
    disk_gb: int
    token: str
    cloud_snapshot_id: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    user_data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How the server reaches a product on a machine: a host, the port of each name, and a folder or shell if any.

    `folder` is the machine's disk where the server can see it (the `local` cloud); empty elsewhere.
    """

    host: str
    ports: Mapping[str, int]
    folder: str = ""


class Provider(Protocol):
    """A cloud. All methods may raise StepFailed; none waits for the cloud to finish."""

    id: str
    display_name: str

    def create(self, order: Order) -> str:
        """Order a machine; return its id. The same machine where `order.system_id` has one already."""

    def machine(self, system_id: str) -> Machine:
        """Return how the system's machine stands; `NO_MACHINE` (power GONE) where the cloud says there is none."""

    def machines(self) -> Sequence[tuple[str, Machine]]:
        """Return (system id, machine) for everything here that carries our tag: the sweep looks for orphans in it."""

    def start(self, machine_id: str) -> None:
        """Let a stopped machine come up; nothing where it does already."""

    def stop(self, machine_id: str) -> None:
        """Let it stop, its disk kept; nothing where it does already."""

    def reboot(self, machine_id: str, token: str) -> None:
        """Let it go down and come up, and remember `token` with it; nothing where that token is remembered."""

    def resize(self, machine_id: str, cloud_type: str, disk_gb: int) -> None:
        """Give a stopped machine another type and at least so large a disk; nothing where it has them."""

    def destroy(self, system_id: str) -> None:
        """Remove the machine, its disk, and all else that carries the tag; nothing where nothing is left."""

    def endpoint(self, machine_id: str, ports: Mapping[str, int]) -> Endpoint:
        """Return how to reach a running machine; `ports` are the product's names and usual numbers."""

    def take_snapshot(self, system_id: str, snapshot_id: str) -> None:
        """Begin to copy the disk of a system's machine; nothing where that snapshot exists."""

    def snapshot(self, snapshot_id: str) -> Copy:
        """Return how a snapshot stands; state GONE where there is none."""

    def delete_snapshot(self, snapshot_id: str) -> None:
        """Remove a snapshot; nothing where there is none."""

    def console(self, machine_id: str, lines: int = 200) -> str:
        """Return the last lines of what the machine has printed, for its owner; empty where the cloud has none."""
