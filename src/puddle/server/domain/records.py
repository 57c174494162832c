"""The records of systems, sessions and snapshots: frozen, as the store keeps them and decisions read them.

`catalog` has what systems are made from, `people` their users, `trail` audit events, alerts and reports.

Times are unix seconds, prices millionths of the currency per hour. `0`, `""` and `()` mean "none" so that a record has
one shape; nothing here is ever changed in place (`dataclasses.replace`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from puddle.server.domain.states import Config, Product, Status, Vm, Wish

NEVER = -1
"""An idle interval that never ends."""

Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A product on a machine, and what its owner wishes of it.

    `generation` counts the wishes taken; it names every step towards one, so that a step done twice is recognised.
    `revision` counts the writes; a write that has not seen the last one is refused. `target_*` is what scaling leads
    to; `snapshot_id` the snapshot being taken. `secret` is the product's password, encrypted. `cu`: the compute units
    it holds now. `busy` and `signals` are what its product last said of its use. A session is open while `session_id`
    is set; `spent` is what all earlier ones cost, in millionths × seconds (see `cost`). `missing`: since when its cloud
    has not found its machine; 0: it does.
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
    revision: int = 0
    cu: int = 0
    deadline: int = 0
    provisioned: bool = False
    machine_id: str = ""
    private_ip: str = ""
    public_ip: str = ""
    url: str = ""
    session_id: str = ""
    session_started: int = 0
    session_price_micros: int = 0
    spent: int = 0
    reason: str = ""
    detail: str = ""
    last_activity: int = 0
    started: int = 0
    extended: int = 0
    warned: int = 0
    missed_probes: int = 0
    busy: bool = False
    signals: Tags = ()
    target_type_id: str = ""
    target_disk_gb: int = 0
    snapshot_id: str = ""
    missing: int = 0

    def has_idle_disk(self) -> bool:
        """Whether its disk is what costs: it has a machine, which is not metered."""
        return bool(self.machine_id) and not self.session_id

    def idle_deadline(self) -> int:
        """When it is stopped if nobody uses it until then; 0 where it never is."""
        if self.idle_minutes == NEVER or self.status is not Status.STARTED:
            return 0
        return max(self.last_activity + 60 * self.idle_minutes, self.started + 60 * self.idle_minutes, self.extended)


class Meter(StrEnum):
    """What costs."""

    VM = "VM"
    DISK = "DISK"
    SNAPSHOT = "SNAPSHOT"
    IMAGE_BUILD = "IMAGE_BUILD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A meter that ran from `start` to `end` (0: still runs), at the price it had when it began.

    For a VM that is a session of the system: its machine was up. `subject_id` is the system, snapshot or image that is
    metered, `text` what a report calls its size. `booked` is up to when the ledger has it.
    """

    id: str
    meter: Meter
    subject_id: str
    system_id: str
    owner_id: str
    text: str
    price_micros: int
    start: int
    booked: int
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A span of a session, written once and never changed; the spans of a session follow one another without a gap."""

    id: str
    session_id: str
    meter: Meter
    system_id: str
    owner_id: str
    price_micros: int
    start: int
    end: int


class SnapshotStatus(IntEnum):
    """Where a snapshot stands; the numbers are those of the wire."""

    UNKNOWN = 0
    CREATING = 1
    AVAILABLE = 2
    FAILED = 3
    DELETING = 4
    DELETED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A copy of a system's disk. `lost`: since when its cloud has not had it; 0: it has, as far as is known."""

    id: str
    name: str
    description: str
    system_id: str
    owner_id: str
    cloud: str
    product: str
    version: str
    image_id: str
    disk_gb: int
    created: int
    updated: int
    status: SnapshotStatus = SnapshotStatus.CREATING
    cloud_snapshot_id: str = ""
    failure: str = ""
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """Something that should not be so at a cloud, and since when it was seen so.

    `kind`: a "machine" or a "snapshot" that belongs to nothing, or a snapshot that is "lost". `told`: people know.
    """

    cloud: str
    kind: str
    id: str
    since: int
    told: bool = False
