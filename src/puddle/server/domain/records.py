"""What Puddle remembers: frozen records, as the store keeps them and the decisions read them.

Times are unix seconds, prices millionths of the currency per hour. `0`, `""` and `()` mean "none" so that a record has
one shape; nothing here is ever changed in place (`dataclasses.replace`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from puddle.server.domain.states import Config, Product, Status, Vm, Wish

NEVER = -1
"""An idle interval that never ends."""

Tags = tuple[tuple[str, str], ...]


class Role(StrEnum):
    """There are exactly two."""

    USER = "user"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A product on a machine, and what its owner wishes of it.

    `generation` counts the wishes taken; it names every step towards one, so that a step done twice is recognised.
    `came_from` is where a snapshot was asked for; `target_*` what scaling leads to; `snapshot_id` the snapshot being
    taken. `secret` is the product's password, encrypted. A session is open while `session_id` is set.
    """

    id: str
    name: str
    owner_id: str
    cloud: str
    product: str
    version: str
    image_id: str
    instance_type_id: str
    disk_gb: int
    created: int
    updated: int
    idle_minutes: int = NEVER
    tags: Tags = ()
    source_snapshot_id: str = ""
    config: str = ""
    config_status: Config = Config.OK
    username: str = ""
    secret: str = ""
    status: Status = Status.INITIALIZING
    vm_status: Vm = Vm.WAITING
    product_status: Product = Product.WAITING_FOR_VM
    wish: Wish = Wish.START
    generation: int = 1
    deadline: int = 0
    provisioned: bool = False
    machine_id: str = ""
    private_ip: str = ""
    public_ip: str = ""
    url: str = ""
    session_id: str = ""
    session_started: int = 0
    reason: str = ""
    detail: str = ""
    last_activity: int = 0
    started: int = 0
    extended: int = 0
    warned: int = 0
    missed_probes: int = 0
    target_type_id: str = ""
    target_disk_gb: int = 0
    snapshot_id: str = ""

    def idle_deadline(self) -> int:
        """When it is stopped if nobody uses it until then; 0 where it never is."""
        if self.idle_minutes == NEVER or self.status is not Status.STARTED:
            return 0
        return max(self.last_activity + 60 * self.idle_minutes, self.started + 60 * self.idle_minutes, self.extended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A machine was up from `start` to `end` (0: still is), at the price it had when it came up."""

    id: str
    system_id: str
    owner_id: str
    instance_type_id: str
    price_micros: int
    start: int
    end: int = 0


class Meter(StrEnum):
    """What costs."""

    VM = "VM"
    DISK = "DISK"
    SNAPSHOT = "SNAPSHOT"
    IMAGE_BUILD = "IMAGE_BUILD"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A span of a meter, written once and never changed. `session_id` names what the meter measures."""

    id: str
    meter: Meter
    system_id: str
    owner_id: str
    session_id: str
    price_micros: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """A size of machine an administrator offers."""

    id: str
    text: str
    cloud: str
    cloud_name: str
    price_micros: int
    vcpus: float = 1.0
    memory_gb: float = 1.0
    gpu_count: int = 0
    gpu_type: str = ""
    cu: int = 1
    enabled: bool = True
    allowed_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one user or group may have; 0 is no limit. The budget is in millionths per calendar month (UTC)."""

    systems: int = 0
    running: int = 0
    cu: int = 0
    budget_micros: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may log in."""

    id: str
    name: str
    role: Role
    email: str = ""
    display_name: str = ""
    groups: tuple[str, ...] = ()
    limits: Limits = Limits()
    active: bool = True
    created: int = 0
    last_login: int = 0
