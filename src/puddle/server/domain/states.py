"""The life of a system, as one table: status × what happens → next status.

What happens is either a *wish* (a person or the API asks for it) or a *fact* (the reconciler has seen it). Every pair
that is not in `TABLE` is refused for a wish, and a bug for a fact. The API reads the table to accept or
refuse, `decide` to move on, the docs to draw it, and the tests to walk all of it.

The numbers are those of the wire (`puddle.v2`); they never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Status(IntEnum):
    """Where a system stands."""

    UNKNOWN = 0
    INITIALIZING = 1
    STARTING = 2
    STARTED = 3
    STOPPING = 4
    STOPPED = 5
    REBOOTING = 6
    RESTARTING_DAI = 7
    SCALING = 8
    SNAPSHOTTING = 9
    FAILING = 10
    FAILED = 11
    TERMINATING = 12
    TERMINATED = 13


class Vm(IntEnum):
    """Where its machine stands."""

    UNKNOWN = 0
    WAITING = 1
    WAITING_FOR_SOURCE_SNAPSHOT = 2
    PROVISIONING = 3
    RUNNING = 4
    DEALLOCATING = 5
    DEALLOCATED = 6
    STARTING = 7
    TERMINATING = 8
    TERMINATED = 9


class Product(IntEnum):
    """Where the product on it stands."""

    UNKNOWN = 0
    VM_UNAVAILABLE = 1
    WAITING_FOR_VM = 2
    WAITING_FOR_PRODUCT = 3
    READY = 4


class Config(IntEnum):
    """Whether the configuration on the machine is the one that runs."""

    UNKNOWN = 0
    OK = 1
    UPLOADING = 2
    UPLOADED = 3
    FAILED = 4


TO_BE_BROUGHT = frozenset({Config.UPLOADING, Config.UPLOADED})
"""Where the record, and perhaps not the machine, has a configuration that counts from the next start."""


class Wish(StrEnum):
    """What people ask of a system."""

    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    RESTART = "restart_dai"
    SCALE = "scale"
    SNAPSHOT = "snapshot"
    TERMINATE = "terminate"
    FAIL = "fail"
    CONFIGURE = "update_config"
    SET_IDLE = "change_idle_timeout"
    EXTEND = "extend_idle_timeout"


class Fact(StrEnum):
    """What the reconciler has seen."""

    READY = "the product is ready"
    MACHINE_STOPPED = "the machine has stopped"
    MACHINE_RUNS = "the machine runs"
    MACHINE_LOST = "the machine is gone"
    SCALED = "the machine has its new size"
    SCALING_REFUSED = "the machine kept its old size"
    COPIED_STOPPED = "the snapshot has ended, and the machine is stopped"
    COPIED_RUNNING = "the snapshot has ended, and the machine runs"
    IDLE = "nobody has used it for its interval"
    OVER_LIMIT = "its owner's budget is used up"
    TOO_LATE = "the deadline has passed"
    BROKEN = "a step cannot be done"
    CLEANED_UP = "what had to be finished is finished"
    NOTHING_LEFT = "nothing of it is left"


Happening = Wish | Fact

S, W, F = Status, Wish, Fact

SETTLED = frozenset({S.STARTED, S.STOPPED, S.FAILED, S.TERMINATED})
"""Where a system rests; everywhere else it is in transition, and has a deadline."""

MAY_BE_FAILED = frozenset(Status) - SETTLED - {S.UNKNOWN, S.FAILING}
"""Where an administrator may give a system up: wherever it could hang."""

HOLDING = frozenset(Status) - {S.UNKNOWN, S.STOPPED, S.SCALING, S.FAILED, S.TERMINATED}
"""Where a system holds its compute units: wherever its machine is up, or may be."""

FROM_REST = frozenset({S.SNAPSHOTTING, S.FAILING, S.TERMINATING})
"""Where a system may also come from rest: then its machine is down, and it holds nothing."""

_BECOMING_READY = (S.INITIALIZING, S.STARTING, S.REBOOTING, S.RESTARTING_DAI)

TABLE: Mapping[tuple[Status, Happening], Status] = {
    # People
    (S.STOPPED, W.START): S.STARTING,
    (S.FAILED, W.START): S.STARTING,  # only if it was provisioned once: see `refusal`
    (S.STARTED, W.STOP): S.STOPPING,
    (S.STARTED, W.REBOOT): S.REBOOTING,
    (S.STARTED, W.RESTART): S.RESTARTING_DAI,
    (S.STOPPED, W.SCALE): S.SCALING,
    (S.STOPPED, W.SNAPSHOT): S.SNAPSHOTTING,
    (S.STARTED, W.SNAPSHOT): S.SNAPSHOTTING,
    (S.INITIALIZING, W.TERMINATE): S.TERMINATING,
    (S.STARTED, W.TERMINATE): S.TERMINATING,
    (S.STOPPED, W.TERMINATE): S.TERMINATING,
    (S.FAILED, W.TERMINATE): S.TERMINATING,
    **{(status, W.FAIL): S.FAILING for status in sorted(MAY_BE_FAILED)},
    (S.STARTED, W.CONFIGURE): S.STARTED,
    (S.STOPPED, W.CONFIGURE): S.STOPPED,
    (S.STARTED, W.SET_IDLE): S.STARTED,
    (S.STOPPED, W.SET_IDLE): S.STOPPED,
    (S.STARTED, W.EXTEND): S.STARTED,
    # Becoming ready
    **{(status, F.READY): S.STARTED for status in _BECOMING_READY},
    **{(status, F.TOO_LATE): S.FAILING for status in _BECOMING_READY},
    **{(status, F.BROKEN): S.FAILING for status in _BECOMING_READY},
    # Stopping, scaling, copying
    (S.STOPPING, F.MACHINE_STOPPED): S.STOPPED,
    (S.STOPPING, F.TOO_LATE): S.FAILING,
    (S.STOPPING, F.BROKEN): S.FAILING,
    (S.SCALING, F.SCALED): S.STOPPED,
    (S.SCALING, F.SCALING_REFUSED): S.STOPPED,
    (S.SCALING, F.TOO_LATE): S.FAILING,
    (S.SCALING, F.BROKEN): S.FAILING,
    (S.SNAPSHOTTING, F.COPIED_STOPPED): S.STOPPED,  # also where the copy failed, or was not done in time: that does
    (S.SNAPSHOTTING, F.COPIED_RUNNING): S.STARTED,  # not fail the system
    # The end
    (S.FAILING, F.CLEANED_UP): S.FAILED,
    (S.TERMINATING, F.NOTHING_LEFT): S.TERMINATED,
    # What happens by itself
    (S.STARTED, F.IDLE): S.STOPPING,
    (S.STARTED, F.OVER_LIMIT): S.STOPPING,
    (S.STARTED, F.MACHINE_STOPPED): S.STOPPED,
    (S.STOPPED, F.MACHINE_RUNS): S.STARTING,
    **{
        (status, F.MACHINE_LOST): S.FAILED
        for status in Status
        if status not in {S.UNKNOWN, S.FAILED, S.TERMINATING, S.TERMINATED}
    },
}


class IllegalTransition(Exception):
    """The reconciler saw a fact that has no transition from the system's status: a bug, never a user's mistake."""


def after(status: Status, happening: Happening) -> Status:
    """Return the next status. Raises IllegalTransition where the table has none."""
    try:
        return TABLE[status, happening]
    except KeyError:
        raise IllegalTransition(f"{happening.name} has no place in {status.name}") from None


def in_transition(status: Status) -> bool:
    """Whether the system is on its way: neither started, stopped, terminated nor failed."""
    return status not in SETTLED


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a wish is not taken: a stable word for programs, a sentence for people."""

    reason: str
    sentence: str


def refusal(
    status: Status, wish: Wish, *, provisioned: bool, restartable: bool = True, machine: bool = True
) -> Refusal | None:
    """Return why `wish` is refused to a system that stands at `status`, or None where it is taken.

    `provisioned`: it was ready once. `restartable`: its product can be restarted without its machine. `machine`: it
    has one.
    """
    if wish is Wish.RESTART and not restartable:
        return Refusal("not_restartable", "this product cannot be restarted by itself; reboot the system")
    if (status, wish) in TABLE:
        if status is Status.FAILED and wish is Wish.START and not provisioned:
            return Refusal("never_provisioned", "the system never came up, so it can only be terminated")
        if status is Status.FAILED and wish is Wish.START and not machine:
            return Refusal("machine_gone", "the system's machine is gone, so it can only be terminated")
        return None
    wanted = [at.name.lower() for (at, what) in TABLE if what is wish]
    return Refusal(_REASONS[wish], f"the system is {words(status)}; it must be {_either(wanted)}")


_REASONS = {
    Wish.START: "not_stopped",
    Wish.STOP: "not_started",
    Wish.REBOOT: "not_started",
    Wish.RESTART: "not_started",
    Wish.SCALE: "not_stopped",
    Wish.SNAPSHOT: "in_transition",
    Wish.TERMINATE: "in_transition",
    Wish.FAIL: "not_in_transition",
    Wish.CONFIGURE: "in_transition",
    Wish.SET_IDLE: "in_transition",
    Wish.EXTEND: "not_started",
}


def words(status: Status) -> str:
    """Return a status as people read it."""
    return "restarting Driverless AI" if status is Status.RESTARTING_DAI else status.name.lower()


def _either(statuses: list[str]) -> str:
    names = [name.replace("_dai", "") for name in statuses]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def as_markdown() -> str:
    """Return the table for the docs: one line per status and what happens there."""
    lines = ["| at | what happens | next |", "|---|---|---|"]
    for (status, what), following in sorted(TABLE.items(), key=lambda item: (item[0][0], isinstance(item[0][1], Fact))):
        kind = f"**{what.value}**" if isinstance(what, Wish) else what.value
        lines.append(f"| {status.name} | {kind} | {following.name} |")
    return "\n".join(lines) + "\n"
