"""Deciding, on a hand-turned clock: a small world obeys or does not, steps are lost, servers stop in between."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puddle.server.domain.facts import NO_MACHINE, Copy, CopyState, Facts, Idleness, Machine, Power, ProductFacts
from puddle.server.domain.records import System
from puddle.server.domain.states import SETTLED, TABLE, Product, Status, Vm, Wish, refusal
from puddle.server.reconcile import actions as a
from puddle.server.reconcile.decide import AT, broken, decide
from puddle.server.reconcile.decision import AlertKind, CloseSession, OpenSession, SnapshotEnded, Terms

TERMS = Terms(price_micros=900_000, cloud_type="small", target_cloud_type="large")


def system(**given_) -> System:
    base = {
        "id": "sys-1", "name": "ada", "owner_id": "u", "cloud": "simulated", "product": "h2o3", "version": "3",
        "image_id": "img", "instance_type_id": "t-small", "disk_gb": 10, "created": 1000, "updated": 1000,
        "deadline": 4600,
    }  # fmt: skip
    return System(**{**base, **given_})


def machine(power: Power, since: int = 1010, **more) -> Machine:
    return Machine(id="m-1", power=power, cloud_type="small", disk_gb=10, since=since, private_ip="10.0.0.1", **more)


def running(**product) -> Facts:
    return Facts(machine=machine(Power.RUNNING), product=ProductFacts(**{"ready": True, "url": "http://x", **product}))


def test_every_status_has_something_to_look_at():
    assert set(AT) == set(Status)


def test_a_new_system_gets_a_machine_then_its_product_and_is_metered_from_when_the_machine_ran():
    first = decide(system(), Facts(machine=NO_MACHINE), 1001, TERMS)
    assert isinstance(first.action, a.CreateMachine)
    assert first.action.token == "sys-1.1"
    assert first.system.vm_status is Vm.PROVISIONING
    second = decide(first.system, Facts(machine=machine(Power.PENDING)), 1005, TERMS)
    assert second.action is None
    assert second.system.machine_id == "m-1"
    facts = Facts(machine=machine(Power.RUNNING), product=ProductFacts(ready=False))
    third = decide(second.system, facts, 1020, TERMS)
    assert isinstance(third.action, a.SetUpProduct)
    assert third.consequences == (OpenSession(session_id="sys-1.0.1010", price_micros=900_000, start=1010),)
    fourth = decide(third.system, running(), 1040, TERMS)
    assert fourth.system.status is Status.STARTED
    assert fourth.system.provisioned
    assert fourth.system.product_status is Product.READY
    assert fourth.system.url == "http://x"
    assert fourth.consequences == ()


def test_nobody_asked_means_nothing_is_concluded():
    """A cloud that does not answer is no machine that is gone."""
    for status in set(Status) - {Status.FAILING}:
        it = system(status=status, machine_id="m-1", deadline=0)
        made = decide(it, Facts(), 2000, TERMS)
        assert made.action is None
        assert made.system.status is status


def test_a_source_snapshot_is_waited_for_and_its_loss_is_told():
    it = system(source_snapshot_id="snap")
    waiting = decide(it, Facts(machine=NO_MACHINE, source=Copy(id="c", state=CopyState.CREATING)), 1001, TERMS)
    assert waiting.system.vm_status is Vm.WAITING_FOR_SOURCE_SNAPSHOT
    assert waiting.action is None
    made = decide(it, Facts(machine=NO_MACHINE, source=Copy(id="c", state=CopyState.AVAILABLE)), 1001, TERMS)
    assert made.action.source_snapshot_id == "snap"
    lost = decide(it, Facts(machine=NO_MACHINE, source=Copy(id="c", state=CopyState.GONE)), 1001, TERMS)
    assert (lost.system.status, lost.system.reason) == (Status.FAILING, "SNAPSHOT_LOST")


def started(**given_) -> System:
    up = {"status": Status.STARTED, "machine_id": "m-1", "session_id": "s", "session_started": 1010, "deadline": 0,
          "started": 2000, "last_activity": 2000, "idle_minutes": 60, "provisioned": True}  # fmt: skip
    return system(**{**up, **given_})


def used(at: int, *, busy: bool = False) -> Facts:
    return running(idleness=Idleness(last_activity=at, busy=busy))


def test_it_is_stopped_when_nobody_used_it_for_its_interval_and_warned_before():
    it = decide(started(), used(2000), 2060, TERMS).system
    warned = decide(it, used(2000), 5100, TERMS)
    assert [c.kind for c in warned.consequences] == [AlertKind.IDLE_WARNING]
    assert decide(warned.system, used(2000), 5160, TERMS).consequences == ()
    last = decide(warned.system, used(2000), 5590, TERMS)
    assert last.system.status is Status.STARTED
    assert last.look_again == 5600  # not a minute later
    idle = decide(last.system, used(2000), 5600, TERMS)
    assert (idle.system.status, idle.system.reason) == (Status.STOPPING, "IDLE")


def test_one_that_works_is_not_stopped_and_one_that_cannot_be_asked_is_not_either_but_is_told_of():
    assert decide(started(), used(2000, busy=True), 99_999, TERMS).system.status is Status.STARTED
    it, told = started(), []
    for tick in range(1, 6):
        made = decide(it, running(), 2000 + 9000 * tick, TERMS)
        told += [c.kind for c in made.consequences]
        it = made.system
        assert it.status is Status.STARTED
    assert told == [AlertKind.PROBE]


def test_an_extension_moves_the_deadline_and_never_means_never():
    assert decide(started(extended=20_000), used(2000), 19_999, TERMS).system.status is Status.STARTED
    assert decide(started(extended=20_000), used(2000), 20_000, TERMS).system.status is Status.STOPPING
    assert decide(started(idle_minutes=-1), used(2000), 10**9, TERMS).system.status is Status.STARTED


def test_a_machine_stopped_by_others_ends_the_session_when_it_stopped():
    made = decide(started(), Facts(machine=machine(Power.STOPPED, since=3000)), 3500, TERMS)
    assert made.system.status is Status.STOPPED
    assert made.consequences[0] == CloseSession(session_id="s", end=3000)


def test_a_machine_started_by_others_is_metered():
    it = system(status=Status.STOPPED, machine_id="m-1", deadline=0)
    made = decide(it, Facts(machine=machine(Power.RUNNING, since=3000)), 3500, TERMS)
    assert made.system.status is Status.STARTING
    again = decide(made.system, Facts(machine=machine(Power.RUNNING, since=3000)), 3501, TERMS)
    assert again.consequences[0].start == 3000


NOT_MISSED = {Status.UNKNOWN, Status.FAILED, Status.TERMINATING, Status.TERMINATED}


@pytest.mark.parametrize("status", sorted(set(Status) - NOT_MISSED))
def test_a_machine_that_disappears_fails_the_system(status):
    made = decide(started(status=status, deadline=0), Facts(machine=replace(NO_MACHINE, since=2500)), 3000, TERMS)
    assert (made.system.status, made.system.reason) == (Status.FAILED, "VM_LOST")
    assert CloseSession(session_id="s", end=2500) in made.consequences


@pytest.mark.parametrize("status", sorted(set(Status) - NOT_MISSED))
def test_a_machine_that_is_not_found_is_unknown_until_it_was_missing_for_a_while(status):
    """It is gone since it was first missed."""
    made = decide(started(status=status, deadline=0), Facts(machine=NO_MACHINE), 3000, TERMS)
    assert (made.system.status, made.system.missing, made.system.reason) == (status, 3000, "MISSING")
    assert (made.action, made.system.machine_id) == (None, "m-1")
    again = decide(made.system, Facts(machine=NO_MACHINE), 3299, TERMS)
    assert (again.system.status, again.system.missing, again.action) == (status, 3000, None)
    lost = decide(again.system, Facts(machine=NO_MACHINE), 3300, TERMS)
    assert (lost.system.status, lost.system.reason, lost.system.missing) == (Status.FAILED, "VM_LOST", 0)
    assert CloseSession(session_id="s", end=3000) in lost.consequences


def test_a_machine_that_is_found_again_was_never_lost():
    missed = decide(started(), Facts(machine=NO_MACHINE), 3000, TERMS).system
    found = decide(missed, used(3100), 3100, TERMS)
    assert (found.system.status, found.system.missing, found.system.reason) == (Status.STARTED, 0, "")
    assert found.system.session_id == "s"
    later = decide(found.system, Facts(machine=NO_MACHINE), 9000, TERMS).system
    assert (later.status, later.missing) == (Status.STARTED, 9000), "each time anew"


def test_a_machine_is_missing_from_now_on_where_the_clock_was_put_back():
    made = decide(started(missing=9000), Facts(machine=NO_MACHINE), 3000, TERMS)
    assert (made.system.status, made.system.missing) == (Status.STARTED, 3000)


def test_an_exhausted_budget_stops_it():
    made = decide(started(), used(3000), 3000, replace(TERMS, budget_left=False))
    assert (made.system.status, made.system.reason) == (Status.STOPPING, "BUDGET")


def test_a_failed_snapshot_does_not_fail_the_system():
    it = started(status=Status.SNAPSHOTTING, snapshot_id="snap", deadline=9000)
    made = decide(it, Facts(snapshot=Copy(id="c", state=CopyState.FAILED, failure="quota")), 3000, TERMS)
    assert made.system.status is Status.STARTED
    assert made.consequences == (SnapshotEnded(snapshot_id="snap", cloud_snapshot_id="c", failure="quota"),)


@pytest.mark.parametrize("session", ["s", ""])
@pytest.mark.parametrize("copy", [None, Copy(id="", state=CopyState.GONE), Copy(id="c", state=CopyState.CREATING)])
def test_a_snapshot_that_is_late_does_not_fail_the_system(copy, session):
    it = started(status=Status.SNAPSHOTTING, snapshot_id="snap", deadline=3000, session_id=session)
    made = decide(it, Facts(snapshot=copy), 3000, TERMS)
    assert made.system.status is (Status.STARTED if session else Status.STOPPED)
    assert (made.system.snapshot_id, made.system.deadline, made.action) == ("", 0, None)
    (ended,) = made.consequences
    assert isinstance(ended, SnapshotEnded)
    assert ended.failure == "it was not done within its time"


def test_a_snapshot_that_is_there_at_the_deadline_is_there():
    it = started(status=Status.SNAPSHOTTING, snapshot_id="snap", deadline=3000)
    made = decide(it, Facts(snapshot=Copy(id="c", state=CopyState.AVAILABLE)), 3000, TERMS)
    assert made.consequences == (SnapshotEnded(snapshot_id="snap", cloud_snapshot_id="c", failure=""),)


def test_a_size_that_cannot_be_had_leaves_the_old_one():
    it = system(status=Status.SCALING, machine_id="m-1", target_type_id="t-large", target_disk_gb=20)
    made = broken(it, "CAPACITY", "there is no large machine left", 3000, TERMS)
    assert (made.system.status, made.system.instance_type_id) == (Status.STOPPED, "t-small")
    assert made.system.detail == "there is no large machine left"


@dataclass
class World:
    """A machine that does what it is told a little later, or never; and what has been written down of it."""

    power: Power = Power.GONE
    cloud_type: str = "small"
    disk_gb: int = 10
    since: int = 0
    token: str = ""
    product_token: str = ""
    ready: bool = False
    copies: dict[str, CopyState] = field(default_factory=dict)
    up: list[tuple[int, int]] = field(default_factory=list)
    open: dict[str, int] = field(default_factory=dict)
    closed: list[tuple[int, int]] = field(default_factory=list)

    def facts(self, it: System) -> Facts:
        there = Machine(id="m-1", power=self.power, cloud_type=self.cloud_type, disk_gb=self.disk_gb, since=self.since,
                        token=self.token)  # fmt: skip
        product = ProductFacts(ready=self.ready, token=self.product_token) if self.power is Power.RUNNING else None
        copy = Copy(id="c", state=self.copies.get(it.snapshot_id, CopyState.GONE)) if it.snapshot_id else None
        return Facts(machine=there if self.power is not Power.GONE else replace(NO_MACHINE, since=self.since),
                     product=product, snapshot=copy)  # fmt: skip

    def turn(self, power: Power, now: int) -> None:
        if self.power is not power:
            self.power, self.since = power, now
            self.ready = False

    def obey(self, action: a.Action, now: int) -> None:
        match action:
            case a.CreateMachine() | a.StartMachine():
                self.turn(Power.RUNNING, now)
            case a.StopMachine():
                self.turn(Power.STOPPED, now)
            case a.DestroyMachine():
                self.turn(Power.GONE, now)
            case a.RebootMachine(token=token):
                self.token, self.ready = token, False
            case a.RestartProduct(token=token):
                self.product_token, self.ready = token, False
            case a.SetUpProduct():
                self.ready = True
            case a.ResizeMachine(disk_gb=disk):
                self.cloud_type, self.disk_gb = "large", max(self.disk_gb, disk)
            case a.TakeSnapshot(snapshot_id=snapshot):
                self.copies[snapshot] = CopyState.AVAILABLE


STEPS = st.one_of(
    st.sampled_from(["look", "look", "look", "lose the step", "lose the answer", "long wait", "crash the machine"]),
    st.sampled_from(list(Wish)),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_any_history_keeps_to_the_table_and_comes_to_rest_with_every_second_metered_once(steps):
    it, world, now = system(), World(), 1000
    for step in [*steps, *["look"] * 12, "long wait", *["look"] * 4]:
        now += 4000 if step == "long wait" else 7
        if step == "crash the machine":
            world.turn(Power.STOPPED if world.power is Power.RUNNING else world.power, now)
        elif isinstance(step, Wish):
            it = wished(it, step, now)
        else:
            it = looked(it, world, now, step)
    assert it.status in SETTLED
    assert not (it.session_id and world.power is not Power.RUNNING)
    assert sorted(world.closed) == sorted(set(world.closed))
    assert all(a_end <= b_start for (_, a_end), (b_start, _) in itertools.pairwise(sorted(world.closed)))


def wished(it: System, wish: Wish, now: int) -> System:
    """What the API writes."""
    if refusal(it.status, wish, provisioned=it.provisioned) is not None:
        return it
    status = TABLE[it.status, wish]
    size = {"target_type_id": "t-large", "target_disk_gb": 20}
    more = {Wish.SNAPSHOT: {"snapshot_id": f"snap-{now}"}, Wish.SCALE: size}.get(wish, {})
    deadline = 0 if status in SETTLED else now + 1800
    return replace(it, status=status, generation=it.generation + 1, deadline=deadline, **more)


def looked(it: System, world: World, now: int, step: str) -> System:
    made = decide(it, world.facts(it), now, replace(TERMS, cloud_type=world.cloud_type))
    if it.status != made.system.status:
        assert made.system.status in {to for (at, _), to in TABLE.items() if at is it.status}
    if made.action is not None and step != "lose the step":
        world.obey(made.action, now)
        if step == "lose the answer":
            return it  # the server died before it could write: the next one decides again
    for each in made.consequences:
        if isinstance(each, OpenSession):
            assert not world.open
            world.open[each.session_id] = each.start
        elif isinstance(each, CloseSession):
            world.closed.append((world.open.pop(each.session_id), each.end))
    assert bool(made.system.session_id) == bool(world.open)
    return made.system
