"""What `decide` gives back: the record as it should be, and what else follows from it, all of it data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from puddle.server.domain.records import System
from puddle.server.reconcile.actions import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the decision depends on besides the system and the facts: prices, sizes, patience. Times in seconds.

    `price_micros`, `cloud_type`, `cu`: of the system's instance type now; `target_cloud_type`: of the one it is scaled
    to. `budget_left`: False stops it. `idle_warning`: how long before the stop its owner is told. `missing`: for how
    long a machine is not found before it is taken for gone. `unused_after`: when the owner of
    one that is never stopped is told that nobody has used it.
    """

    price_micros: int
    cloud_type: str
    cu: int = 1
    target_cloud_type: str = ""
    budget_left: bool = True
    patience_initializing: int = 3600
    patience: int = 1800
    soon: int = 2
    probe_every: int = 60
    look_every: int = 60
    idle_warning: int = 600
    missed_before_alert: int = 3
    unused_after: int = 24 * 3600
    missing: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A machine has come up: meter it from `start`, at this price."""

    session_id: str
    price_micros: int
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSession:
    """It went down at `end`."""

    session_id: str
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotEnded:
    """A snapshot is there (`failure` empty) or is not."""

    snapshot_id: str
    cloud_snapshot_id: str
    failure: str = ""


class AlertKind(StrEnum):
    """What administrators (and, for a warning, owners) are told."""

    FAILED = "failed"
    DRIFT = "drift"
    PROBE = "probe"
    ENDED = "ended"
    IDLE_WARNING = "idle_warning"
    UNUSED = "unused"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlert:
    """Tell administrators and the owner."""

    kind: AlertKind
    sentence: str


Consequence = OpenSession | CloseSession | SnapshotEnded | RaiseAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The system as it should be written, at most one step to take, what else to write, and when to look again."""

    system: System
    action: Action | None = None
    consequences: tuple[Consequence, ...] = field(default=())
    look_again: int = 0
