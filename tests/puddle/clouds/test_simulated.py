"""The simulated cloud: it keeps a cloud's promises, passes time by its clock only, and goes wrong as it is told."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puddle.server.clouds.base import Order, Shape, StepFailed
from puddle.server.domain.facts import CopyState, Power
from puddle.testing import (
    ALWAYS,
    Delays,
    Fault,
    FileWorld,
    HandClock,
    MemoryWorld,
    SimulatedCloud,
    Uptime,
    When,
    WorldClock,
)
from puddle.testing.clouds import CloudConformance, refused
from tests.effort import lines

START = 1_800_000_000
SMALL = Shape(cloud_type="small", vcpus=1, memory_gb=1, disk_gb=1)


class TestInMemory(CloudConformance):
    @pytest.fixture(autouse=True)
    def _clean_slate(self):
        self.clock, self.worlds = HandClock(), {}

    def open(self, place):
        world = self.worlds.setdefault(place, MemoryWorld())
        return SimulatedCloud(world, self.clock, delays=Delays.of(2.5), strict_images=True)

    def pause(self):
        self.clock.turn(1)

    def tags(self, cloud, system_id):
        return cloud.tags(system_id)


class TestInAFile(TestInMemory):
    @pytest.fixture(autouse=True)
    def _files(self):
        self.files = []
        yield
        for world in self.files:
            world.close()

    def open(self, place):
        self.files.append(FileWorld(place / "world.db"))
        return SimulatedCloud(self.files[-1], self.clock, delays=Delays.of(2.5), strict_images=True)


@pytest.fixture
def clock():
    return HandClock(START)


@pytest.fixture
def cloud(clock):
    delays = Delays(create=60, start=30, stop=20, reboot=10, resize=5, destroy=15, snapshot=100)
    return SimulatedCloud(MemoryWorld(), clock, delays=delays)


def order(system_id="sys-1", **changes):
    base = {"name": "ada", "cloud_image_id": "image-1", "shape": SMALL, "ports": {"http": 80}, "token": "t"}
    return Order(**{"system_id": system_id, **base, **changes})


def stands(cloud, system_id="sys-1"):
    machine = cloud.machine(system_id)
    return machine.power, machine.since - START


# time


def test_orders_take_as_long_as_they_are_said_to_and_changes_are_dated_exactly(cloud, clock):
    machine_id = cloud.create(order())
    assert stands(cloud) == (Power.PENDING, 0)
    clock.turn(59)
    assert stands(cloud) == (Power.PENDING, 0)
    clock.turn(1000)
    assert stands(cloud) == (Power.RUNNING, 60)
    cloud.stop(machine_id)
    assert stands(cloud) == (Power.STOPPING, 1059)
    clock.turn(1000)
    assert stands(cloud) == (Power.STOPPED, 1079)
    cloud.resize(machine_id, Shape(cloud_type="large", vcpus=1, memory_gb=1, disk_gb=1))
    assert refused(lambda: cloud.start(machine_id)).reason == "NOT_READY"
    assert cloud.machine("sys-1").cloud_type == "small"
    clock.turn(5)
    assert cloud.machine("sys-1").cloud_type == "large"
    cloud.destroy("sys-1")
    clock.turn(50)
    assert stands(cloud) == (Power.GONE, 2079)


def test_when_machines_were_up_is_known_to_the_second_whatever_became_of_them(cloud, clock):
    first = cloud.create(order())
    clock.turn(100)
    cloud.reboot(first, "t")
    clock.turn(100)
    cloud.stop(first)
    clock.turn(100)
    cloud.start(first)
    clock.turn(100)
    cloud.outside.vanish("sys-1")
    second = cloud.create(order("sys-2"))
    clock.turn(100)
    assert cloud.uptimes() == (
        Uptime(system_id="sys-1", machine_id=first, cloud_type="small", start=START + 60, end=START + 220),
        Uptime(system_id="sys-1", machine_id=first, cloud_type="small", start=START + 330, end=START + 400),
        Uptime(system_id="sys-2", machine_id=second, cloud_type="small", start=START + 460, end=None),
    )


def test_a_machine_that_never_came_up_was_never_up(cloud, clock):
    machine_id = cloud.create(order())
    clock.turn(30)
    cloud.stop(machine_id)
    clock.turn(100)
    assert stands(cloud) == (Power.STOPPED, 50)
    assert cloud.uptimes() == ()


def test_a_call_costs_as_much_among_ten_thousand_machines_as_among_ten():
    def effort(machines):
        cloud = SimulatedCloud(MemoryWorld(), HandClock())
        cloud.outside.capacity("small", machines + 1)
        for number in range(machines):
            cloud.create(order(f"sys-{number}"))

        def calls():
            cloud.create(order("one-more"))
            machine = cloud.machine("sys-5")
            cloud.reboot(machine.id, "t")
            cloud.endpoint(machine.id).shell.write("file", b"x")
            cloud.take_snapshot("sys-5", "snap-1")
            cloud.stop(machine.id)
            cloud.start(machine.id)
            cloud.destroy("sys-5")

        return lines(calls)

    few = effort(10)
    assert effort(10_000) == few
    assert few < 5000


# capacity


def test_a_full_cloud_takes_no_more_until_somebody_stops(cloud, clock):
    cloud.outside.capacity("small", 1)
    first = cloud.create(order())
    error = refused(lambda: cloud.create(order("sys-2")))
    assert (error.reason, error.for_ever) == ("CAPACITY", False)
    assert cloud.machine("sys-2").power is Power.GONE
    clock.turn(60)
    cloud.stop(first)
    second = cloud.create(order("sys-2"))
    clock.turn(60)
    assert refused(lambda: cloud.start(first)).reason == "CAPACITY"
    cloud.outside.capacity("small", None)
    cloud.start(first)
    cloud.outside.capacity("small", 2)
    cloud.destroy("sys-2")
    assert second
    cloud.create(order("sys-3"))
    assert refused(lambda: cloud.create(order("sys-4"))).reason == "CAPACITY"


# faults


def test_a_call_that_fails_before_has_done_nothing_and_one_that_fails_after_has_done_all(cloud):
    cloud.faults.plan(
        Fault(method="create", reason="QUOTA", sentence="no quota", for_ever=True), Fault(when=When.AFTER)
    )
    error = refused(lambda: cloud.create(order()))
    assert (error.reason, error.sentence, error.for_ever) == ("QUOTA", "no quota", True)
    assert cloud.contents().machines == frozenset()
    assert refused(lambda: cloud.create(order())).reason == "UNREACHABLE"
    assert cloud.contents().machines == {"sys-1"}
    assert cloud.create(order()) == "vm-1"
    assert cloud.faults.left() == []


def test_a_fault_meets_its_method_and_subject_as_often_as_it_is_planned(cloud, clock):
    cloud.create(order())
    cloud.create(order("sys-2"))
    clock.turn(60)
    cloud.faults.plan(Fault(method="stop", subject="sys-2", times=2))
    cloud.stop("vm-1")
    for _ in range(2):
        refused(lambda: cloud.stop("vm-2"))
    cloud.stop("vm-2")
    assert cloud.calls["stop"] == 4


def test_a_cloud_that_is_cut_off_answers_nothing_until_it_is_back(cloud):
    cloud.faults.cut_off()
    for call in (lambda: cloud.machine("sys-1"), cloud.machines, cloud.snapshots, lambda: cloud.create(order())):
        assert refused(call).reason == "UNREACHABLE"
    assert cloud.faults.left() == [Fault(times=ALWAYS)]
    cloud.faults.clear()
    assert cloud.machine("sys-1").power is Power.GONE


def test_dice_add_faults(clock):
    thrown = []

    def dice(method, subject):
        thrown.append((method, subject))
        return Fault(when=When.AFTER) if method == "create" else None

    cloud = SimulatedCloud(MemoryWorld(), clock, dice=dice)
    refused(lambda: cloud.create(order()))
    assert cloud.machine("sys-1").power is Power.RUNNING
    assert thrown == [("create", "sys-1"), ("machine", "sys-1")]


def test_the_inside_of_a_machine_meets_faults_too(cloud, clock):
    machine_id = cloud.create(order())
    clock.turn(60)
    shell = cloud.endpoint(machine_id).shell
    cloud.faults.plan(Fault(method="write", subject="sys-1", when=When.AFTER))
    refused(lambda: shell.write("file", b"x"))
    assert shell.read("file") == b"x"


# behind Puddle's back


def test_machines_stop_start_and_vanish_by_themselves(cloud, clock):
    cloud.create(order())
    clock.turn(100)
    cloud.outside.stop("sys-1")
    assert stands(cloud) == (Power.STOPPED, 100)
    clock.turn(100)
    cloud.outside.start("sys-1")
    assert stands(cloud) == (Power.RUNNING, 200)
    clock.turn(100)
    cloud.outside.vanish("sys-1")
    assert stands(cloud) == (Power.GONE, 300)
    assert cloud.contents().machines == frozenset()
    assert refused(lambda: cloud.outside.stop("sys-1")).reason == "NOT_FOUND"


def test_a_broken_machine_says_why_it_does_not_come_up(cloud, clock):
    cloud.outside.break_machine("sys-1", "no such kernel")
    machine_id = cloud.create(order())
    clock.turn(10_000)
    assert cloud.machine("sys-1").power is Power.PENDING
    assert cloud.machine("sys-1").failure == "no such kernel"
    cloud.stop(machine_id)
    clock.turn(20)
    cloud.outside.mend_machine("sys-1")
    cloud.start(machine_id)
    clock.turn(30)
    assert cloud.machine("sys-1").power is Power.RUNNING
    assert cloud.machine("sys-1").failure == ""


def test_a_snapshot_fails_when_it_would_be_done(cloud, clock):
    cloud.create(order())
    cloud.outside.break_snapshot("snap-1", "the disk could not be read")
    for snapshot_id in ("snap-1", "snap-2"):
        cloud.take_snapshot("sys-1", snapshot_id)
    assert cloud.snapshot("snap-1").state is CopyState.CREATING
    clock.turn(100)
    assert cloud.snapshot("snap-1").state is CopyState.FAILED
    assert cloud.snapshot("snap-1").failure == "the disk could not be read"
    assert cloud.snapshot("snap-2").state is CopyState.AVAILABLE
    cloud.outside.lose_snapshot("snap-2")
    assert cloud.snapshot("snap-2").state is CopyState.GONE


OPERATIONS = ("create", "stop", "start", "reboot", "destroy", "gone", "down", "up", "wait")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(OPERATIONS), st.sampled_from(["sys-1", "sys-2", "sys-3"])), max_size=40))
def test_whatever_happens_places_and_uptimes_add_up(story):
    """The truth a ledger is compared with is itself sound: no overlap, open exactly where a machine is up."""
    clock = HandClock(START)
    cloud = SimulatedCloud(MemoryWorld(), clock, delays=Delays.of(7))
    cloud.outside.capacity("small", 2)
    does = {
        "create": lambda name: cloud.create(order(name)),
        "stop": lambda name: cloud.stop(cloud.machine(name).id),
        "start": lambda name: cloud.start(cloud.machine(name).id),
        "reboot": lambda name: cloud.reboot(cloud.machine(name).id, str(clock())),
        "destroy": cloud.destroy,
        "gone": cloud.outside.vanish,
        "down": cloud.outside.stop,
        "wait": lambda _name: clock.turn(5),
        "up": lambda _name: clock.turn(50),
    }
    for what, name in story:
        try:
            does[what](name)
        except StepFailed as error:
            assert error.reason in {"NOT_FOUND", "CAPACITY", "NOT_READY"}  # noqa: PT017 - one of many calls
        clock.turn(1)
        up = [machine for _, machine in cloud.machines() if machine.power in {Power.PENDING, Power.RUNNING}]
        assert len(up) <= 2
    spans = sorted((it.system_id, it.start, it.end or int(clock())) for it in cloud.uptimes())
    for (one, _, end), (other, start, _) in pairwise(spans):
        assert one != other or end <= start
    open_now = {uptime.system_id for uptime in cloud.uptimes() if uptime.end is None}
    assert cloud.contents().running <= open_now <= cloud.contents().machines


# a world in a file

WRITER = """
import sys
from puddle.testing import Delays, FileWorld, SimulatedCloud, WorldClock
from puddle.server.clouds.base import Order, Shape
world = FileWorld(sys.argv[1])
cloud = SimulatedCloud(world, WorldClock(world), delays=Delays())
shape = Shape(cloud_type="small", vcpus=1, memory_gb=1, disk_gb=1)
for number in range(1_000_000):
    order = Order(system_id=f"sys-{number}", name="n", cloud_image_id="i", shape=shape, ports={}, token="t")
    machine_id = cloud.create(order)
    if number % 2:
        cloud.stop(machine_id)
    print(number, flush=True)
"""


def test_a_world_in_a_file_is_whole_after_its_process_was_killed(tmp_path):
    path = tmp_path / "world.db"
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    with child:
        for line in child.stdout:
            if int(line) >= 20:
                break
        child.kill()
    world = FileWorld(path)
    cloud = SimulatedCloud(world, WorldClock(world))
    contents = cloud.contents()
    with world.open() as things:
        assert {key for key, _ in things.all("systems")} == contents.machines
        held = things.get("held", "small")
        assert held == sum(node.holds for _, node in things.all("nodes"))
        assert things.get("counts", "machines") == len(contents.machines)
    assert len(contents.machines) >= 21
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    world.close()
    assert child.returncode == -signal.SIGKILL


def test_processes_that_share_a_world_share_its_time_faults_and_machines(tmp_path):
    worlds = [FileWorld(tmp_path / "world.db") for _ in range(2)]
    clocks = [WorldClock(world, START) for world in worlds]
    one, other = (
        SimulatedCloud(world, clock, delays=Delays.of(10)) for world, clock in zip(worlds, clocks, strict=True)
    )
    one.create(order())
    clocks[1].turn(10)
    assert clocks[0]() == START + 10
    assert other.machine("sys-1").power is Power.RUNNING
    other.faults.plan(Fault(method="machine"))
    refused(lambda: one.machine("sys-1"))
    assert one.machine("sys-1") == other.machine("sys-1")
    for world in worlds:
        world.close()


def test_what_is_put_into_a_file_before_an_error_does_not_count(tmp_path):
    world = FileWorld(tmp_path / "world.db")
    with pytest.raises(ZeroDivisionError), world.open() as things:  # noqa: PT012 - the error comes after the change
        things.put("kind", "key", 1)
        _ = 1 / 0
    with world.open() as things:
        assert things.get("kind", "key") is None
    world.close()
