"""Which calls to a simulated cloud go wrong, and how. Kept in the world: one process may plan what another meets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from puddle.server.clouds.base import StepFailed
from puddle.server.clouds.simulated.world import Things, World, counted

ALWAYS = -1
"""As `Fault.times`: until `Faults.clear`."""


class When(StrEnum):
    """When a call fails: before it has done anything, or after it has done all, its answer being lost."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Calls that fail. `method` "*": any; `subject` (the id of a system, machine, snapshot or image) "": whichever."""

    method: str = "*"
    subject: str = ""
    when: When = When.BEFORE
    times: int = 1
    reason: str = "UNREACHABLE"
    sentence: str = "the cloud does not answer"
    for_ever: bool = False

    def error(self) -> StepFailed:
        """Return what the caller gets."""
        return StepFailed(self.reason, self.sentence, for_ever=self.for_ever)

    def meets(self, method: str, subject: str, things: Things) -> bool:
        """Whether a call is one of them. A machine is also met by the id of its system."""
        if self.method not in {"*", method}:
            return False
        if self.subject in {"", subject}:
            return True
        node = things.get("nodes", subject)
        return node is not None and bool(node.order.system_id == self.subject)


class Faults:
    """The faults that are planned for a world, met in the order in which they were planned."""

    def __init__(self, world: World) -> None:
        self._world = world

    def plan(self, *faults: Fault) -> None:
        """Let these happen, each as often as it says."""
        with self._world.open() as things:
            for fault in faults:
                things.put("faults", str(counted(things, "faults")), fault)

    def cut_off(self) -> None:
        """Let no call come through until `clear`."""
        self.plan(Fault(times=ALWAYS))

    def clear(self) -> None:
        """Let nothing more go wrong."""
        with self._world.open() as things:
            for key, _ in things.all("faults"):
                things.remove("faults", key)

    def left(self) -> list[Fault]:
        """Return those that have not been met as often as planned."""
        with self._world.open() as things:
            return [fault for _, fault in things.all("faults")]

    def met(self, method: str, subject: str) -> Fault | None:
        """Return the fault a call meets, which is then used up once; None where it goes well."""
        with self._world.open() as things:
            planned: list[tuple[str, Fault]] = things.all("faults")
            for key, fault in planned:
                if fault.meets(method, subject, things):
                    _use_up(things, key, fault)
                    return fault
        return None


def _use_up(things: Things, key: str, fault: Fault) -> None:
    if fault.times == 1:
        things.remove("faults", key)
    elif fault.times != ALWAYS:
        things.put("faults", key, replace(fault, times=fault.times - 1))
