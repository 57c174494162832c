"""What a cloud provider must be able to do, and how it says that it cannot.

Every machine, disk and snapshot carries the id of its system (or snapshot) as a tag, and is found by it: that is what
makes each call repeatable. A call returns as soon as the cloud has taken the order; how it stands is asked with
`machine` and `snapshot`. Calls may be made by several servers at once, and again after any failure.

`puddle.testing.clouds` has the conformance suite that every provider passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
        self.sentence = sentence
        self.for_ever = for_ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The size of a machine. `cloud_type`: the cloud's word for the instance type, whose numbers the others are."""

    cloud_type: str
    vcpus: float
    memory_gb: float
    disk_gb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A machine to be made.

    `cloud_image_id`: the cloud's id of the image; `token` names the step, so that a repeated order gives the same
    machine; `ports`: the names and usual numbers of what its product listens on; `tags` go on everything that is made.
    """

    system_id: str
    name: str
    cloud_image_id: str
    shape: Shape
    ports: Mapping[str, int]
    token: str
    source_snapshot_id: str = ""
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A program a machine keeps running: started with it, and again with another `token`.

    `{disk}` in a word of the command or a value of the environment is the folder of the data disk, `{image}` that of
    the image. Its output goes to the machine's console.
    """

    command: tuple[str, ...]
    token: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How a service stands. `exit_code` is None while it runs, and where it has never run."""

    token: str
    running: bool
    exit_code: int | None = None


class Shell(Protocol):
    """A running machine from the inside. Paths are relative to its data disk. All methods may raise StepFailed."""

    def read(self, path: str) -> bytes | None:
        """Return a file, or None where there is none."""

    def write(self, path: str, content: bytes) -> None:
        """Put a file there, whole or not at all, readable by the machine's user alone."""

    def serve(self, service: Service) -> None:
        """Keep the product running as `service` says; nothing where it runs with that token already."""

    def serving(self) -> Serving | None:
        """Return how the product's program stands; None where none was ever given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How the server reaches a running machine: a host, the real port of each name in `Order.ports`, and its inside.

    `memory_gb`, `vcpus`: what the machine has. `shell` is None on clouds whose machines are set up by their image.
    """

    host: str
    ports: Mapping[str, int]
    memory_gb: float
    vcpus: float
    shell: Shell | None = None


class Recipe(Protocol):
    """How an image of a product's version is made; given by the product, carried out by a cloud."""

    def build(self, version: str, folder: str, log: str) -> str:
        """Fill `folder` with what systems need, writing to the file `log`; return a checksum. Raises StepFailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image that is there."""

    cloud_image_id: str
    checksum: str


class Provider(Protocol):
    """A cloud. All methods may raise StepFailed; none but `build_image` waits for the cloud to finish.

    NOT_FOUND is the reason where the machine of an order is not there, and, `for_ever`, where an image or snapshot that
    one is to be made from is not; UNREACHABLE where the cloud or the inside of a machine cannot be asked now.
    """

    id: str
    display_name: str

    def owner(self) -> str:
        """Return the id of the installation that owns this cloud; empty where none does yet."""

    def take(self, installation: str) -> str:
        """Make an installation the owner if there is none yet; return the owner."""

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

    def resize(self, machine_id: str, shape: Shape) -> None:
        """Give a stopped machine another type and at least so large a disk; nothing where it has them."""

    def destroy(self, system_id: str) -> None:
        """Remove the machine, its disk, and all else of it but snapshots; nothing where nothing is left."""

    def endpoint(self, machine_id: str) -> Endpoint:
        """Return how to reach a running machine."""

    def take_snapshot(self, system_id: str, snapshot_id: str) -> None:
        """Begin to copy the disk of a system's machine; nothing where that snapshot exists."""

    def snapshot(self, snapshot_id: str) -> Copy:
        """Return how a snapshot stands; state GONE where there is none."""

    def snapshots(self) -> Sequence[str]:
        """Return the ids of all snapshots here that carry our tag: for the sweep."""

    def delete_snapshot(self, snapshot_id: str) -> None:
        """Remove a snapshot; nothing where there is none."""

    def build_image(self, image_id: str, recipe: Recipe, version: str) -> Built:
        """Make an image, which may take an hour; the same one where it exists."""

    def build_log(self, image_id: str) -> str:
        """Return what the building of an image has printed so far; empty where nothing was."""

    def delete_image(self, image_id: str) -> None:
        """Remove an image; nothing where there is none."""

    def console(self, machine_id: str, lines: int = 200) -> str:
        """Return the last lines of what the machine has printed, for its owner; empty where the cloud has none."""
