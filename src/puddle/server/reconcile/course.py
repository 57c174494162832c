"""The builder of a decision: the record as it becomes, and the operations that `decide` and `idle` are written in."""

from __future__ import annotations

from dataclasses import replace

from puddle.server.domain.cost import Span
from puddle.server.domain.facts import Facts, Machine, Power
from puddle.server.domain.records import System
from puddle.server.domain.states import HOLDING, SETTLED, Fact, Product, Status, Vm, after
from puddle.server.reconcile import actions as a
from puddle.server.reconcile.decision import (
    AlertKind,
    CloseSession,
    Consequence,
    Decision,
    OpenSession,
    RaiseAlert,
    SnapshotEnded,
    Terms,
)

MISSING = "MISSING"
"""Why nothing happens just now: a cloud does not find the machine."""
SILENT = "SILENT"
"""Or does not answer."""
_PASSING = frozenset({MISSING, SILENT})


class Course:
    """One decision being made: the record as it becomes, and what is collected on the way."""

    def __init__(self, system: System, facts: Facts, now: int, terms: Terms) -> None:
        self.before = self.system = system
        self.facts = facts
        self.now = now
        self.terms = terms
        self.action: a.Action | None = None
        self.consequences: list[Consequence] = []
        self.look_in = terms.look_every if system.status in SETTLED else terms.soon

    def decision(self) -> Decision:
        """Return the decision."""
        if self.system != self.before:
            self.system = replace(self.system, updated=self.now)
        return Decision(
            system=self.system,
            action=self.action,
            consequences=tuple(self.consequences),
            look_again=self.now + self.look_in,
        )

    # words

    @property
    def token(self) -> str:
        """The name of the steps towards the present wish."""
        return f"{self.system.id}.{self.system.generation}"

    def set(self, **changes: object) -> None:
        """Change the record."""
        self.system = replace(self.system, **changes)  # type: ignore[arg-type]  # mypy cannot match names to fields

    def say(self, reason: str, sentence: str) -> None:
        """Keep why the system is as it is, for its owner."""
        self.set(reason=reason, detail=sentence)

    def tell(self, kind: AlertKind, sentence: str) -> None:
        """Let people know."""
        self.consequences.append(RaiseAlert(kind=kind, sentence=sentence))

    def move(self, fact: Fact) -> None:
        """Go where the table says."""
        status = after(self.system.status, fact)
        patience = 0 if status in SETTLED else self.terms.patience
        self.set(status=status, deadline=self.now + patience if patience else 0)
        self.set(cu=self.system.cu if status in HOLDING else 0)
        self.set(target_type_id="", target_disk_gb=0, missing=0)  # scaling has ended, whichever way
        self.look_in = 0 if status not in SETTLED else self.terms.look_every

    def fail(self, fact: Fact, reason: str, sentence: str) -> None:
        """Give the wish up; cleaning up comes next."""
        self.say(reason, sentence)
        self.move(fact)
        self.tell(AlertKind.FAILED, f"{self.system.name}: {sentence}")

    def late(self) -> bool:
        """Whether the deadline has passed."""
        return 0 < self.system.deadline <= self.now

    # machines

    def lost(self) -> bool:
        """Whether the machine it had is gone, though nobody asked for that."""
        gone = self.facts.machine is not None and self.facts.machine.power is Power.GONE
        expected = self.system.status in {Status.TERMINATING, Status.TERMINATED, Status.FAILED, Status.UNKNOWN}
        return gone and bool(self.system.machine_id) and not expected

    def look_for_machine(self) -> None:
        """Take a machine that is not found for unknown, until it has been missing for a while: lists may lag.

        One of which the cloud says since when it is gone is gone.
        """
        machine = self.facts.machine
        if machine is None:
            self._wait_for_answer()
        elif self.lost() and not machine.since:
            self._miss(min(self.system.missing or self.now, self.now))
        else:
            self.set(missing=0)
            if self.system.reason in _PASSING:
                self.say("", "")

    def _wait_for_answer(self) -> None:
        """Tell who waits for a system on its way why nothing happens."""
        if self.system.status not in SETTLED and not self.system.reason:
            self.say(SILENT, "its cloud does not answer just now; it is asked again")

    def _miss(self, since: int) -> None:
        self.set(missing=since)
        if self.now - since >= self.terms.missing:
            return
        self.facts = replace(self.facts, machine=None)
        if not self.system.reason:
            self.say(MISSING, "its cloud does not find its machine just now; it is looked for again")

    def lose(self) -> None:
        """The cloud says there is no such machine any more."""
        self.close_session((self.facts.machine and self.facts.machine.since) or self.system.missing or self.now)
        self.end_pending_copy("the machine is gone")
        self.say("VM_LOST", "the machine has disappeared from its cloud; it was not Puddle that removed it")
        self.move(Fact.MACHINE_LOST)
        self.set(vm_status=Vm.TERMINATED, product_status=Product.VM_UNAVAILABLE, machine_id="")
        self.tell(AlertKind.DRIFT, f"{self.system.name}: the machine has disappeared from its cloud")

    def note(self, machine: Machine) -> None:
        """Keep what the cloud says of a machine."""
        disk = max(self.system.disk_gb, machine.disk_gb)
        self.set(machine_id=machine.id, private_ip=machine.private_ip, public_ip=machine.public_ip, disk_gb=disk)

    def open_session(self, machine: Machine) -> None:
        """Meter a machine from when it came up."""
        if self.system.session_id:
            return
        start = min(max(machine.since, self.system.created), self.now)
        session = f"{self.system.id}.{self.system.revision}.{start}"
        price = self.terms.price_micros
        self.set(session_id=session, session_started=start, session_price_micros=price)
        self.consequences.append(OpenSession(session_id=session, price_micros=price, start=start))

    def close_session(self, at: int) -> None:
        """End the metering, at the time the machine went down by its cloud's clock."""
        if not self.system.session_id:
            return
        end = min(max(at, self.system.session_started), self.now)
        self.consequences.append(CloseSession(session_id=self.system.session_id, end=end))
        cost = Span(self.system.session_price_micros, self.system.session_started, end).amount
        self.set(session_id="", session_started=0, session_price_micros=0, spent=self.system.spent + cost)

    # snapshots

    def end_copy(self, cloud_snapshot_id: str, failure: str) -> None:
        """A snapshot has ended, well or not; the system goes back to where it came from."""
        self.end_pending_copy(failure, cloud_snapshot_id)
        running = bool(self.system.session_id)
        self.move(Fact.COPIED_RUNNING if running else Fact.COPIED_STOPPED)

    def end_pending_copy(self, failure: str, cloud_snapshot_id: str = "") -> None:
        """Write how the snapshot that was being taken has ended."""
        if self.system.snapshot_id:
            ended = SnapshotEnded(
                snapshot_id=self.system.snapshot_id, cloud_snapshot_id=cloud_snapshot_id, failure=failure
            )
            self.consequences.append(ended)
            self.set(snapshot_id="")
