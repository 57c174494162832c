"""A machine's spec (what it should be, written by the cloud) and status (what it is, written by its supervisor).

Each is a file in the machine's folder.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from puddle.server.clouds.local.files import read_json, write_json
from puddle.server.clouds.local.processes import NO_PROCESS, ProcessIdentity
from puddle.server.domain.facts import Machine, Power

UP, DOWN, GONE = "up", "down", "gone"
"""What a spec may ask for."""

MAKING, RUNNING, ENDED = "making", "running", "ended"
"""Phases of a supervisor: it makes the disk or reboots; it keeps the service running; everything has ended."""

_SPEC, _STATUS, _HEARTBEAT = "card.json", "state.json", "heartbeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a machine should be. `ordered`: when the spec was last changed; `token`: of the last reboot asked for.

    `grace`: seconds its processes have to end after SIGTERM before they are killed.
    """

    system_id: str
    name: str
    image_id: str
    cloud_type: str
    vcpus: float
    memory_gb: float
    disk_gb: int
    ports: dict[str, int]
    ordered: float
    order_token: str
    grace: float
    source_snapshot_id: str = ""
    tags: list[list[str]] = field(default_factory=list)
    wish: str = UP
    token: str = ""

    def write(self, folder: Path) -> None:
        """Write it into the machine's folder."""
        write_json(folder / _SPEC, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Spec | None:
        """Return the spec in a machine's folder; None where there is none."""
        found = read_json(folder / _SPEC)
        return None if found is None else cls(**found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a machine's supervisor, or a snapshot's copier, reports. `token`: of the last reboot done."""

    who: ProcessIdentity = NO_PROCESS
    phase: str = ENDED
    since: float = 0.0
    token: str = ""
    failure: str = ""

    def write(self, folder: Path) -> None:
        """Write it into the folder."""
        write_json(folder / _STATUS, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Status:
        """Return the status in a folder; that of no process where there is none."""
        found = read_json(folder / _STATUS)
        return cls() if found is None else cls(**{**found, "who": ProcessIdentity(**found["who"])})


def beat(folder: Path) -> None:
    """Write a heartbeat; nothing where the folder is not there (any more)."""
    with suppress(FileNotFoundError):
        (folder / _HEARTBEAT).touch(mode=0o600)


def last_beat(folder: Path) -> float:
    """Return the time of the last heartbeat; 0 where there was none."""
    try:
        return (folder / _HEARTBEAT).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def as_machine(folder: Path, spec: Spec) -> Machine:
    """Return a machine as its cloud sees it: its supervisor's status, if that is alive, against the spec."""
    status = Status.read(folder)
    alive = status.who.alive()
    power, since = _up(spec, status) if alive else _down(spec, status, folder)
    return Machine(
        id=spec.system_id,
        power=power,
        cloud_type=spec.cloud_type,
        disk_gb=spec.disk_gb,
        since=int(since),
        private_ip="127.0.0.1",
        token=spec.token,
        failure=status.failure if alive else "",
    )


def _up(spec: Spec, status: Status) -> tuple[Power, float]:
    if spec.wish != UP or status.phase == ENDED:
        return Power.STOPPING, spec.ordered
    if status.phase == MAKING or status.token != spec.token:
        return Power.PENDING, spec.ordered
    return Power.RUNNING, status.since


def _down(spec: Spec, status: Status, folder: Path) -> tuple[Power, float]:
    power = Power.STOPPING if spec.wish == GONE else Power.STOPPED  # what is left of it is still to be removed
    if status.phase == ENDED and status.since:
        return power, status.since
    return power, max(last_beat(folder), status.since) or spec.ordered  # the heartbeat may be of an earlier run
