"""Any history of wishes, faults, crashes and drift keeps to the table and comes to rest with the books exact.

The real loops run over a real store in memory and the simulated cloud, on a hand-turned clock. Two of them work side by
side; either may crash at any fault point and is followed by another, or is interrupted there by a wish or by the
other. A history ends with quiet time: faults are cleared, both loops turn until nothing moves. Then the cloud, the
rows, the ledger and the true times of the machines are compared.

``PUDDLE_EXAMPLES=5000`` runs as many histories.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from puddle.server.domain.cost import Span
from puddle.server.domain.facts import Machine, Power
from puddle.server.domain.records import Meter, Session, SnapshotStatus, System
from puddle.server.domain.states import SETTLED, TABLE, Status, Wish, refusal
from puddle.server.errors import Exceeded, Refused
from puddle.server.faults import IN_TRANSACTION, Crash, Point, armed, crash_at
from puddle.server.reconcile.chores import SWEEP_EVERY_S
from puddle.server.reconcile.loop import Loop
from puddle.server.store import Store
from puddle.testing import Delays, Fault, When
from tests.puddle.installations import installation, wanted
from tests.puddle.reconcile.places import PRICES

EXAMPLES = int(os.environ.get("PUDDLE_EXAMPLES", "60"))
LEASE_S = 60
PRICE = {"small": 900_000, "large": 3_600_000}
MOVES = {(at, to) for (at, _), to in TABLE.items()}
POINTS = sorted(set(Point) - IN_TRANSACTION)
METHODS = ("create", "machine", "start", "stop", "reboot", "resize", "destroy", "endpoint", "take_snapshot", "snapshot",
           "delete_snapshot", "serve", "write", "serving", "machines")  # fmt: skip
NOTE_MOVES = (
    "CREATE TABLE moves (id INTEGER PRIMARY KEY, system TEXT, was INTEGER, became INTEGER)",
    """CREATE TRIGGER moved AFTER UPDATE OF status ON systems WHEN old.status <> new.status
    BEGIN INSERT INTO moves (system, was, became) VALUES (new.id, old.status, new.status); END""",
)


def _template() -> bytes:
    """A migrated store that notes every change of a status."""
    store = Store("sqlite://")
    store.migrate()
    with store.engine.begin() as connection:
        for statement in NOTE_MOVES:
            connection.execute(sa.text(statement))
    with store.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        content: bytes = driver.serialize()
    store.close()
    return content


TEMPLATE = _template()


def fresh_store() -> Store:
    """A store in memory, without the cost of migrating it."""
    store = Store("sqlite://")
    connection = store.engine.raw_connection()
    driver: Any = connection.driver_connection
    driver.deserialize(TEMPLATE)
    connection.close()
    return store


which = st.integers(0, 3)
all_due = st.sampled_from([2, 61])  # in a minute even what is at rest is looked at
seconds = st.sampled_from([0, 1, 2, 2, 5, 5, 30, 61, 300])
wishes = st.sampled_from(
    [
        Wish.START,
        Wish.START,
        Wish.STOP,
        Wish.STOP,
        Wish.REBOOT,
        Wish.RESTART,
        Wish.SCALE,
        Wish.SNAPSHOT,
        Wish.TERMINATE,
        Wish.FAIL,
        Wish.EXTEND,
        Wish.SET_IDLE,
        Wish.CONFIGURE,
    ]
)


USES = (Wish.START, Wish.STOP, Wish.REBOOT, Wish.RESTART, Wish.SCALE, Wish.SNAPSHOT, Wish.CONFIGURE, Wish.STOP,
        Wish.EXTEND)  # fmt: skip


class History(RuleBasedStateMachine):
    """One history. `stalled`: a loop went on after its lease had ended, as a process does that was suspended."""

    def __init__(self) -> None:
        super().__init__()
        self.store = fresh_store()
        self.at = installation(
            self.store, prices=PRICES, patience_s=600, patience_initializing_s=900, cu_pool=6, look_every_s=60
        )
        self.at.cloud.delays = Delays.of(3)
        self.births = 0
        self.loops = [self.born(), self.born()]
        self.last_wish: dict[str, Wish] = {}
        self.taken: Counter[str] = Counter()
        self.cut_off = self.stalled = self.drifted = False
        self.moves_seen = 0

    def born(self) -> Loop:
        """A loop of a new process."""
        self.births += 1
        return Loop(self.at.backend, f"loop-{self.births}", workers=0, lease_s=LEASE_S)

    @property
    def now(self) -> int:
        """The time."""
        return self.at.backend.now()

    def systems(self) -> list[System]:
        """All systems there ever were."""
        with self.store.reading() as tx:
            return sorted(tx.systems.all(), key=lambda it: (it.created, it.name))

    def chosen(self, number: int) -> System | None:
        """One of the systems that are not terminated; every now and then one that is."""
        found = [it for it in self.systems() if it.status is not Status.TERMINATED] or self.systems()
        return found[number % len(found)] if found else None

    # wishes

    @initialize(up=st.sampled_from([0, 1, 2, 2, 2]))
    def begin(self, up: int) -> None:
        """Most histories begin with systems that are up."""
        for _ in range(up):
            self.create("t-1", -1, source=False)
        for _ in range(5 * up):
            self.at.clock.turn(3)
            self.turned(0)

    @rule(number=which, wish=st.sampled_from(USES), loop=st.integers(0, 1))
    def use(self, number: int, wish: Wish, loop: int) -> None:
        """Somebody wishes something that is possible, as near to `wish` as can be, and lets it mostly come true."""
        self.sensible(number, wish)
        self.settle_a_little(loop, 3)

    @rule(number=which, wish=st.sampled_from(USES), loop=st.integers(0, 1))
    def use_again(self, number: int, wish: Wish, loop: int) -> None:
        """The same: it is what happens most."""
        self.use(number, wish, loop)

    @rule(number=which, wish=wishes, passing=seconds)
    def hurry(self, number: int, wish: Wish, passing: int) -> None:
        """Somebody wishes something that is possible and does not wait for it."""
        self.sensible(number, wish)
        self.turn(number % 2, passing)

    def sensible(self, number: int, wish: Wish) -> None:
        """Wish for what is asked, or else for what is possible."""
        system = self.chosen(number)
        if system is not None:
            taken = [it for it in Wish if not refusal(system.status, it, **about(system))]
            kept = [it for it in taken if it in USES] or taken
            if kept:
                self.wish(number, wish if wish in taken else kept[number % len(kept)])

    @rule(size=st.sampled_from(["t-1", "t-1", "t-2"]), idle=st.sampled_from([30, -1]), source=st.booleans())
    def create(self, size: str, idle: int, source: bool) -> None:
        """Somebody creates a system, perhaps from a snapshot."""
        living = [it for it in self.systems() if it.status is not Status.TERMINATED]
        if len(living) >= 4:
            return
        with self.store.reading() as tx:
            there = [
                it for it in tx.snapshots.all() if it.status in {SnapshotStatus.AVAILABLE, SnapshotStatus.CREATING}
            ]
        given: dict[str, Any] = {"source_snapshot_id": there[-1].id, "disk_gb": 40} if source and there else {}
        self.births += 1
        name = f"s{self.births}"
        try:
            self.at.api.creating.create(
                self.at.ann, wanted(name=name, instance_type_id=size, idle_minutes=idle, **given)
            )
        except Exceeded as refused:
            assert refused.reason == "out_of_cu"  # noqa: PT017 -- a history may or may not be refused

    @rule(number=which, wish=wishes)
    def wish(self, number: int, wish: Wish) -> None:
        """Somebody wishes something: taken exactly where the table says so, and enough is left."""
        system = self.chosen(number)
        if system is None:
            return
        refused = refusal(system.status, wish, **about(system))
        try:
            self.ask(system, wish)
        except Exceeded:
            assert wish in {Wish.START, Wish.EXTEND}
        except Refused:
            assert refused is not None
        else:
            assert refused is None
            self.last_wish[system.id] = wish
            self.taken[system.id] += 1

    def ask(self, system: System, wish: Wish) -> None:
        """Make the call."""
        api, caller, one = self.at.api.wishes, self.at.ada, system.id
        other_type = "t-2" if system.instance_type_id == "t-1" else "t-1"
        calls = {
            Wish.START: lambda: api.start(caller, one),
            Wish.STOP: lambda: api.stop(caller, one),
            Wish.REBOOT: lambda: api.reboot(caller, one),
            Wish.RESTART: lambda: api.restart(caller, one),
            Wish.SCALE: lambda: api.scale(caller, one, other_type, min(system.disk_gb + 1, 40)),
            Wish.SNAPSHOT: lambda: api.snapshot(caller, one, "s"),
            Wish.TERMINATE: lambda: api.terminate(caller, one),
            Wish.FAIL: lambda: api.fail(caller, one),
            Wish.EXTEND: lambda: api.extend_idle(caller, one, 45),
            Wish.SET_IDLE: lambda: api.change_idle(caller, one, 60),
            Wish.CONFIGURE: lambda: api.update_config(caller, one, f"a = {self.now}", restart=self.now % 2 == 0),
        }
        calls[wish]()

    @rule(number=which)
    def delete_snapshot(self, number: int) -> None:
        """Somebody removes a snapshot."""
        with self.store.reading() as tx:
            there = sorted(tx.snapshots.of_owner(""), key=lambda it: it.created)
        if there:
            try:
                self.at.api.snapshots.delete(self.at.ada, there[number % len(there)].id)
            except Refused as refused:
                assert refused.reason == "snapshot_in_use"  # noqa: PT017 -- see `create`

    # time and loops

    @rule(loop=st.integers(0, 1), passing=seconds)
    def turn(self, loop: int, passing: int) -> None:
        """Time passes, and a loop does what is due."""
        self.at.clock.turn(passing)
        self.turned(loop)

    @rule(loop=st.integers(0, 1), passing=st.sampled_from([2, 5]))
    def settle_a_little(self, loop: int, passing: int) -> None:
        """A loop has some time for itself."""
        for _ in range(5):
            self.at.clock.turn(passing)
            self.turned(loop)

    def turned(self, loop: int) -> None:
        """A loop does what is due, and what that makes due."""
        for _ in range(4):
            if not self.loops[loop].turn(self.now):
                break

    @rule(loop=st.integers(0, 1), point=st.sampled_from(sorted(Point)), nth=st.integers(1, 3))
    def crash(self, loop: int, point: Point, nth: int) -> None:
        """A process ends at some point, and another takes its place."""
        try:
            with armed(crash_at(point, nth)):
                self.at.clock.turn(2)
                self.turned(loop)
        except Crash:
            self.loops[loop] = self.born()

    @rule(
        loop=st.integers(0, 1),
        point=st.sampled_from(POINTS),
        number=which,
        wish=st.one_of(st.none(), wishes),
        passing=all_due,
    )
    def interrupt(self, loop: int, point: Point, number: int, wish: Wish | None, passing: int) -> None:
        """While a loop is at some point, somebody wishes something, or the other loop turns."""

        def meanwhile() -> None:
            self.turned(1 - loop) if wish is None else self.sensible(number, wish)

        self.interrupted(loop, point, passing, meanwhile)

    @rule(loop=st.integers(0, 1), point=st.sampled_from(POINTS), number=which, wish=wishes, passing=all_due)
    def stall(self, loop: int, point: Point, number: int, wish: Wish, passing: int) -> None:
        """A process is suspended at some point until its lease has ended and the world has gone on."""

        def meanwhile() -> None:
            self.stalled = True
            for _ in range(3):
                self.at.clock.turn(LEASE_S + 1)
                self.turned(1 - loop)
            self.sensible(number, wish)
            self.turned(1 - loop)

        self.interrupted(loop, point, passing, meanwhile)

    def interrupted(self, loop: int, point: Point, passing: int, meanwhile: Any) -> None:
        """Turn a loop, and let something happen at its first passage of a point."""
        left = [meanwhile]

        def hook(passed: Point) -> None:
            if passed is point and left:
                left.pop()()

        with armed(hook):
            self.at.clock.turn(passing)
            self.turned(loop)

    # what goes wrong

    @rule(
        method=st.sampled_from(METHODS),
        when=st.sampled_from(When),
        times=st.integers(1, 3),
        for_ever=st.sampled_from([False, False, False, True]),
    )
    def fault(self, method: str, when: When, times: int, for_ever: bool) -> None:
        """Calls will fail, or their answers be lost."""
        self.at.cloud.faults.plan(
            Fault(method=method, when=when, times=times, for_ever=for_ever and when is When.BEFORE)
        )

    @precondition(lambda self: not self.cut_off)
    @rule()
    def lose_the_cloud(self) -> None:
        """Nothing comes through any more."""
        self.cut_off = True
        self.at.cloud.faults.cut_off()

    @precondition(lambda self: self.cut_off)
    @rule()
    def find_the_cloud(self) -> None:
        """The cloud is back."""
        self.cut_off = False
        self.at.cloud.faults.clear()

    @rule(size=st.sampled_from(["small", "large"]), places=st.sampled_from([0, 1, 2, None]))
    def capacity(self, size: str, places: int | None) -> None:
        """The cloud has few machines left."""
        self.at.cloud.outside.capacity(size, places)

    @rule(number=which, what=st.sampled_from(["stop", "start", "vanish", "break", "crash", "snapshots"]))
    def drift(self, number: int, what: str) -> None:
        """Others do something to the cloud, where that can be seen afterwards (see `quiet_enough`)."""
        system = self.chosen(number)
        if system is None:
            return
        outside = self.at.cloud.outside
        running, there = self.power(system) is Power.RUNNING, self.power(system) is not Power.GONE
        if what == "break":
            outside.break_machine(system.id, "its hardware is broken")
        elif what == "snapshots":
            outside.break_snapshot()
        elif what == "stop" and running and system.status is Status.STARTED:
            outside.stop(system.id)
        elif what == "start" and system.status is Status.STOPPED and self.has_its_size(system):
            self.drifted = True
            outside.start(system.id)
        elif what == "vanish" and there and system.status is (Status.STARTED if running else Status.STOPPED):
            outside.vanish(system.id)
        elif what == "crash" and running:
            outside.crash(system.id)

    @rule(number=which, loop=st.integers(0, 1), passing=st.sampled_from([2, 61, 200]))
    def lag(self, number: int, loop: int, passing: int) -> None:
        """The cloud does not list a machine for a moment, where that is not just what is waited for."""
        system = self.chosen(number)
        if system is not None and system.status not in {Status.TERMINATING, Status.FAILED}:
            self.at.cloud.outside.hide(system.id)
            self.turn(loop, passing)
            self.at.cloud.outside.show()

    @rule(number=which, busy=st.booleans(), hidden=st.booleans())
    def play(self, number: int, busy: bool, hidden: bool) -> None:
        """A product is at work, or does not tell."""
        system = self.chosen(number)
        if system is not None:
            self.at.product.play(system.id, busy=busy, hidden=hidden)

    def power(self, system: System) -> Power:
        """What a machine truly does."""
        return self.machine(system).power

    def has_its_size(self, system: System) -> bool:
        """Whether a machine is stopped and has the size its row says."""
        machine = self.machine(system)
        size = "small" if system.instance_type_id == "t-1" else "large"
        return machine.power is Power.STOPPED and machine.cloud_type == size

    def machine(self, system: System) -> Machine:
        """What a machine truly is."""
        faults = self.at.cloud.faults.left()
        self.at.cloud.faults.clear()
        try:
            return self.at.cloud.machine(system.id)
        finally:
            self.at.cloud.faults.plan(*faults)

    # what always holds

    @invariant()
    def statuses_change_along_the_table(self) -> None:
        """No other way leads from one status to another."""
        with self.store.reading() as tx:
            query = sa.text("SELECT id, was, became FROM moves WHERE id > :seen ORDER BY id")
            moves = tx.connection.execute(query, {"seen": self.moves_seen}).all()
        for number, was, became in moves:
            self.moves_seen = number
            assert (Status(was), Status(became)) in MOVES, f"{Status(was).name} → {Status(became).name}"

    @invariant()
    def no_wish_is_overwritten(self) -> None:
        """Each that was taken is counted in the row, whatever the loops have written meanwhile."""
        for system in self.systems():
            assert system.generation == 1 + self.taken[system.id]

    @invariant()
    def compute_units_are_never_oversold(self) -> None:
        """Where nobody starts machines behind our back."""
        with self.store.reading() as tx:
            assert self.drifted or tx.systems.consumed() <= 6

    @invariant()
    def what_a_system_has_spent_is_what_its_ledger_says(self) -> None:
        """At every moment."""
        with self.store.reading() as tx:
            closed, opened = _spent(tx.sessions.all())
            entries = tx.ledger.all()
        for system in self.systems():
            assert system.spent == closed.get(system.id, 0)
            assert [it.id for it in opened.get(system.id, [])] == ([system.session_id] if system.session_id else [])
        assert all(entry.end > entry.start for entry in entries)

    # what holds at rest

    def teardown(self) -> None:
        """Quiet time; then all accounts are settled."""
        self.be_kind()
        self.come_to_rest()
        for _ in range(3):
            self.at.clock.turn(SWEEP_EVERY_S + 1)
            self.come_to_rest()
        self.statuses_change_along_the_table()
        self.what_a_system_has_spent_is_what_its_ledger_says()
        self.check_machines()
        self.check_snapshots()
        self.check_books()
        self.check_what_has_ended()
        self.store.close()

    def be_kind(self) -> None:
        """Let nothing more go wrong."""
        cloud = self.at.cloud
        cloud.faults.clear()
        for size in PRICE:
            cloud.outside.capacity(size, None)
        for system in self.systems():
            cloud.outside.mend_machine(system.id)
            self.at.product.play(system.id, busy=False, hidden=False)
        self.at.clock.turn(LEASE_S + 1)

    def come_to_rest(self) -> None:
        """Turn both loops until nothing is on its way."""
        for _ in range(300):
            for loop in (0, 1):
                self.turned(loop)
            if all(it.status in SETTLED and self.is_told(it) for it in self.systems()):
                return
            self.at.clock.turn(10)
        raise AssertionError(f"not at rest: {[(it.id, it.status.name, it.reason) for it in self.systems()]}")

    def is_told(self, system: System) -> bool:
        """Whether a failed system's machine is known to be down."""
        return system.status is not Status.FAILED or not system.session_id

    def check_machines(self) -> None:
        """No machine without a row, no row without its machine, and no wish forgotten."""
        contents = self.at.cloud.contents()
        systems = {it.id: it for it in self.systems()}
        assert all(systems[it].status is not Status.TERMINATED for it in contents.machines)
        for system in systems.values():
            expected = {
                Status.STARTED: system.id in contents.running,
                Status.STOPPED: system.id in contents.machines - contents.running,
                Status.FAILED: system.id not in contents.running,
                Status.TERMINATED: system.id not in contents.machines,
            }
            assert expected[system.status], (system.status.name, system.reason)
            if self.last_wish.get(system.id) is Wish.TERMINATE:
                assert system.status is Status.TERMINATED
            assert system.cu == (0 if system.status is not Status.STARTED else system.cu)

    def check_what_has_ended(self) -> None:
        """A program that has ended is not in use: its system is stopped at its deadline, and does not cost for ever."""
        ended = {it.id for it in self.systems() if it.status is Status.STARTED and it.idle_minutes > 0}
        for system_id in ended:
            self.at.cloud.outside.crash(system_id)
        for _ in range(70 if ended else 0):  # minutes: longer than any interval and extension here
            self.at.clock.turn(61)
            self.turned(0)
        assert not {it.id for it in self.systems() if it.status is Status.STARTED} & ended

    def check_snapshots(self) -> None:
        """What the rows say is there is there, and nothing else."""
        with self.store.reading() as tx:
            snapshots = tx.snapshots.all()
            open_ones = {it.subject_id for it in tx.sessions.all() if it.meter is Meter.SNAPSHOT and not it.end}
        there = {it.id for it in snapshots if it.status is SnapshotStatus.AVAILABLE}
        assert not [it for it in snapshots if it.status in {SnapshotStatus.CREATING, SnapshotStatus.DELETING}]
        assert self.at.cloud.contents().snapshots == there == open_ones

    def check_books(self) -> None:
        """Each second of each machine was metered once at its price, in the ledger as far as it is booked."""
        now = self.now
        metered: Counter[str] = Counter()
        true: Counter[str] = Counter()
        with self.store.reading() as tx:
            sessions = tx.sessions.all()
            for session in sessions:
                entries = tx.ledger.of_session(session.id)
                assert (
                    sum(Span(it.price_micros, it.start, it.end).amount for it in entries)
                    == Span(session.price_micros, session.start, session.booked).amount
                )
        for session in sessions:
            if session.meter is Meter.VM:
                cost = Span(session.price_micros, session.start, session.end or now).amount
                metered[session.system_id] += cost
        for up in self.at.cloud.uptimes():
            cost = Span(PRICE[up.cloud_type], up.start, up.end or now).amount
            true[up.system_id] += cost
        disks = {it.system_id for it in sessions if it.meter is Meter.DISK and not it.end}
        assert disks == {it.id for it in self.systems() if it.has_idle_disk()}
        if not self.stalled:
            wrong = {it for it in metered | true if metered[it] != true[it]}
            assert not wrong, self.story(wrong)

    def story(self, system_ids: set[str]) -> str:
        """What was metered and what was true of some systems, for whoever reads a failure."""
        with self.store.reading() as tx:
            told = [str(it) for it in tx.sessions.all() if it.system_id in system_ids and it.meter is Meter.VM]
            moves = tx.connection.execute(sa.text("SELECT system, was, became FROM moves ORDER BY id")).all()
        told += [str(it) for it in self.at.cloud.uptimes() if it.system_id in system_ids]
        told += [f"{Status(was).name} → {Status(became).name}" for one, was, became in moves if one in system_ids]
        return "\n".join(told)


def about(system: System) -> dict[str, bool]:
    """What the table of states has to know of a system besides its status."""
    return {"provisioned": system.provisioned, "machine": bool(system.machine_id)}


def _spent(sessions: list[Session]) -> tuple[dict[str, int], dict[str, list[Session]]]:
    """What closed VM sessions cost, and those that are open, by system."""
    closed: dict[str, int] = {}
    opened: dict[str, list[Session]] = {}
    for it in sessions:
        if it.meter is Meter.VM and it.end:
            closed[it.system_id] = closed.get(it.system_id, 0) + Span(it.price_micros, it.start, it.end).amount
        elif it.meter is Meter.VM:
            opened.setdefault(it.system_id, []).append(it)
    return closed, opened


History.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    deadline=None,
    derandomize=EXAMPLES <= 60,
    suppress_health_check=list(HealthCheck),
)
TestHistories = pytest.mark.timeout(900)(History.TestCase)  # half a minute where nothing else runs
if EXAMPLES > 1000:
    TestHistories = pytest.mark.slow(TestHistories)


def test_a_store_from_the_template_is_empty_and_whole() -> None:
    store = fresh_store()
    with store.reading() as tx:
        assert tx.systems.all() == []
    assert replace(wanted(), name="x").name == "x"
    store.close()
