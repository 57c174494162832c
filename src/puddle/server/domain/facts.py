"""Facts: the observed state, as clouds and products report it.

A provider is asked by the system's id, which every machine and snapshot carries as a tag, so what was made before a
crash is found again. What it cannot be asked about is `None` at the field of `Facts`, and that is never taken for
"gone".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Power(StrEnum):
    """What a machine is doing."""

    PENDING = "pending"  # being made, or coming up
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine as its cloud sees it.

    `since`: unix seconds of the last change of power, by the cloud's clock. `token`: the step it was last rebooted
    for. `failure`: why it cannot come up, in the cloud's words.
    """

    id: str
    power: Power
    cloud_type: str
    disk_gb: int
    since: int
    private_ip: str = ""
    public_ip: str = ""
    token: str = ""
    failure: str = ""


NO_MACHINE = Machine(id="", power=Power.GONE, cloud_type="", disk_gb=0, since=0)
"""The cloud was asked, and there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idleness:
    """What a product says of its use. `last_activity`: unix seconds; `busy`: it is at work now, whoever watches."""

    last_activity: int
    busy: bool
    signals: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFacts:
    """What a product says. `idleness` is None where it could not be told; `token`: the step it was restarted for.

    `ended`: its machine says that its program has ended, and does not run: that is known, and no missing answer.
    """

    ready: bool
    url: str = ""
    token: str = ""
    idleness: Idleness | None = None
    config: str | None = None
    failure: str = ""
    ended: bool = False


class CopyState(StrEnum):
    """How far a snapshot is."""

    CREATING = "creating"
    AVAILABLE = "available"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A snapshot as its cloud sees it."""

    id: str
    state: CopyState
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one system now; None where nobody could be asked, or nobody had to be."""

    machine: Machine | None = None
    product: ProductFacts | None = None
    snapshot: Copy | None = None  # the one being taken
    source: Copy | None = None  # the one it is made from
