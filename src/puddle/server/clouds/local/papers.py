"""The documents in a machine's folder: what is ordered (written by the cloud), what is (written by its supervisor)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from puddle.server.clouds.local.files import read_json, write_json
from puddle.server.clouds.local.processes import NOBODY, Identity
from puddle.server.domain.facts import Machine, Power

UP, DOWN, GONE = "up", "down", "gone"
"""What may be ordered of a machine."""

MAKING, RUNNING, ENDED = "making", "running", "ended"
"""What a supervisor says of itself: it makes the disk or reboots, keeps the service running, has ended all."""

_CARD, _STATE, _BEAT = "card.json", "state.json", "heartbeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is ordered of a machine. `ordered`: when the last order came; `token`: of the last reboot.

    `grace`: for how many seconds its processes are asked to end before they are killed.
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
        """Put it into the machine's folder."""
        write_json(folder / _CARD, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Card | None:
        """Return that of a machine's folder, or None where there is none."""
        found = read_json(folder / _CARD)
        return None if found is None else cls(**found)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a machine's supervisor (or a snapshot's copier) stands. `token`: of the reboot it has done."""

    who: Identity = NOBODY
    phase: str = ENDED
    since: float = 0.0
    token: str = ""
    failure: str = ""

    def write(self, folder: Path) -> None:
        """Put it into the folder."""
        write_json(folder / _STATE, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> State:
        """Return that of a folder; of nobody where there is none."""
        found = read_json(folder / _STATE)
        return cls() if found is None else cls(**{**found, "who": Identity(**found["who"])})


def beat(folder: Path) -> None:
    """Leave a sign of life; nothing where the folder is not there (any more)."""
    with suppress(FileNotFoundError):
        (folder / _BEAT).touch(mode=0o600)


def last_beat(folder: Path) -> float:
    """Return when the last sign of life was left; 0 where none was."""
    try:
        return (folder / _BEAT).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def as_machine(folder: Path, card: Card) -> Machine:
    """Return how a machine stands: what its supervisor says, if that is alive, against what is ordered."""
    state = State.read(folder)
    alive = state.who.alive()
    power, since = _up(card, state) if alive else _down(card, state, folder)
    return Machine(
        id=card.system_id,
        power=power,
        cloud_type=card.cloud_type,
        disk_gb=card.disk_gb,
        since=int(since),
        private_ip="127.0.0.1",
        token=card.token,
        failure=state.failure if alive else "",
    )


def _up(card: Card, state: State) -> tuple[Power, float]:
    if card.wish != UP or state.phase == ENDED:
        return Power.STOPPING, card.ordered
    if state.phase == MAKING or state.token != card.token:
        return Power.PENDING, card.ordered
    return Power.RUNNING, state.since


def _down(card: Card, state: State, folder: Path) -> tuple[Power, float]:
    power = Power.STOPPING if card.wish == GONE else Power.STOPPED  # what is left of it is still to be removed
    if state.phase == ENDED and state.since:
        return power, state.since
    return power, max(last_beat(folder), state.since) or card.ordered  # the beat may be of an earlier run
