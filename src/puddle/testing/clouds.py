"""What a cloud promises, as tests to subclass: `CloudConformance`.

Say how a cloud is opened and how a moment passes; the tests are inherited by pytest::

    from puddle.testing.clouds import CloudConformance

    class TestMyCloud(CloudConformance):
        def open(self, place):
            return MyCloud(place)

        def pause(self):
            time.sleep(0.05)

        def tags(self, cloud, system_id):
            return cloud.tags_of(system_id)

Opening the same place again gives another server's view of the same cloud. The clouds that come with Puddle pass the
same tests.
"""

# Tests to subclass: they name steps by tokens that are no secrets.
# ruff: noqa: S105, S106

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from puddle.server.clouds.base import Order, Provider, Service, Shape, Shell, StepFailed
from puddle.server.domain.facts import CopyState, Machine, Power

T = TypeVar("T")

SMALL = Shape(cloud_type="small", vcpus=1.0, memory_gb=1.0, disk_gb=1)
LARGE = Shape(cloud_type="large", vcpus=2.0, memory_gb=2.0, disk_gb=2)
TAGS = (("team", "vision"), ("cost center", "4711"))
LEADING_OUT = ("../machine", "/etc/passwd", "a/../../b", "", "\0")
NO_IDS = ("", "../up", "a/b", "Upper", "a.b", "-x", "a" * 200)
MAX_PAUSES = 2000


class TinyRecipe:
    """See Recipe: a file, and a log; it counts how often it was carried out, and fails while `refusal` says why."""

    def __init__(self) -> None:
        self.built = 0
        self.refusal = ""

    def build(self, version: str, folder: str, log: str) -> str:
        """See Recipe."""
        self.built += 1
        Path(log).write_text(f"building {version}\n")
        if self.refusal:
            raise StepFailed("REFUSED", self.refusal)
        Path(folder, "file").write_text(version)
        return f"checksum of {version}"


def refused(do: Callable[[], object]) -> StepFailed:
    """Return the StepFailed that `do` raises."""
    with pytest.raises(StepFailed) as caught:
        do()
    assert caught.value.sentence
    return caught.value


class CloudConformance(ABC):
    """The promises of `Provider`, and of `Shell` where machines have one."""

    has_shell = True

    @abstractmethod
    def open(self, place: Path) -> Provider:
        """Return the cloud at an empty folder; for the same folder again, another view of the same cloud."""

    @abstractmethod
    def pause(self) -> None:
        """Let a moment pass for the cloud."""

    @abstractmethod
    def tags(self, cloud: Provider, system_id: str) -> tuple[tuple[str, str], ...]:
        """Return what a system's machine is tagged with, in the order of the tags' labels or of the order."""

    def service(self, token: str) -> Service:
        """Return a program that runs until it is ended."""
        return Service(command=("sleep", "1000"), token=token, environment={"WHERE": "{disk}"})

    @pytest.fixture
    def cloud(self, tmp_path: Path) -> Iterator[Provider]:
        """Give an empty cloud, and leave it empty."""
        cloud = self.open(tmp_path)
        yield cloud
        for system_id, _ in cloud.machines():
            cloud.destroy(system_id)
        self.until(lambda: not cloud.machines())
        for snapshot_id in cloud.snapshots():
            cloud.delete_snapshot(snapshot_id)

    # words of the tests

    def until(self, condition: Callable[[], T]) -> T:
        """Let time pass until something holds; return it."""
        for _ in range(MAX_PAUSES):
            found = condition()
            if found:
                return found
            self.pause()
        raise AssertionError("the cloud never got there")

    def order(self, cloud: Provider, system_id: str = "sys-1") -> Order:
        """Return the order of a small machine."""
        return Order(
            system_id=system_id,
            name=f"puddle-{system_id}",
            cloud_image_id=cloud.build_image("img-1", TinyRecipe(), "1.0").cloud_image_id,
            shape=SMALL,
            ports={"http": 8080, "ssh": 22},
            token=f"{system_id}.1",
            tags=TAGS,
        )

    def become(self, cloud: Provider, power: Power, system_id: str = "sys-1") -> Machine:
        """Wait until a machine has a power, and return it."""
        self.until(lambda: cloud.machine(system_id).power is power)
        return cloud.machine(system_id)

    def up(self, cloud: Provider, system_id: str = "sys-1") -> str:
        """Make a machine, wait until it runs, and return its id."""
        machine_id = cloud.create(self.order(cloud, system_id))
        self.become(cloud, Power.RUNNING, system_id)
        return machine_id

    def down(self, cloud: Provider) -> str:
        """Make a machine, wait until it has stopped, and return its id."""
        machine_id = self.up(cloud)
        cloud.stop(machine_id)
        self.become(cloud, Power.STOPPED)
        return machine_id

    def shell(self, cloud: Provider, machine_id: str) -> Shell:
        """Return the inside of a running machine; skips the test where this cloud's machines have none."""
        shell = cloud.endpoint(machine_id).shell
        if shell is None:
            assert not self.has_shell
            pytest.skip("the machines of this cloud are set up by their image, and have no shell")
        return shell

    def available(self, cloud: Provider, snapshot_id: str) -> None:
        """Wait until a snapshot is there."""
        self.until(lambda: cloud.snapshot(snapshot_id).state is not CopyState.CREATING)
        assert cloud.snapshot(snapshot_id).state is CopyState.AVAILABLE, cloud.snapshot(snapshot_id)

    # nothing there

    def test_it_says_what_it_is(self, cloud: Provider) -> None:
        """It has an id for programs and a name for people."""
        assert cloud.id
        assert cloud.display_name

    def test_it_is_one_installations_alone(self, cloud: Provider, tmp_path: Path) -> None:
        """It is nobody's until it is taken, for good, and other servers see whose it is."""
        assert cloud.owner() == ""
        assert (cloud.take("ours"), cloud.take("ours")) == ("ours", "ours")
        assert self.open(tmp_path).owner() == "ours"
        assert (cloud.take("others"), cloud.owner()) == ("ours", "ours")

    def test_of_two_that_take_it_one_has_it(self, cloud: Provider, tmp_path: Path) -> None:
        """However many installations take it at once, all are told the same owner."""
        clouds = [self.open(tmp_path) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            owners = set(pool.map(lambda cloud, name: cloud.take(name), clouds, ["a", "b", "c", "d"]))
        assert owners == {cloud.owner()}

    def test_where_nothing_is_that_is_said_and_nothing_is_removed(self, cloud: Provider) -> None:
        """An empty cloud answers by GONE and by empty lists; removing what is not there does nothing."""
        assert cloud.machine("sys-1").power is Power.GONE
        assert cloud.machine("sys-1").id == ""
        assert list(cloud.machines()) == []
        assert cloud.snapshot("snap-1").state is CopyState.GONE
        assert list(cloud.snapshots()) == []
        assert cloud.build_log("img-1") == ""
        cloud.destroy("sys-1")
        cloud.delete_snapshot("snap-1")
        cloud.delete_image("img-1")

    def test_orders_to_a_machine_that_is_not_there_fail(self, cloud: Provider) -> None:
        """They say NOT_FOUND."""
        calls: list[Callable[[], object]] = [
            lambda: cloud.start("nobody"),
            lambda: cloud.stop("nobody"),
            lambda: cloud.reboot("nobody", "t"),
            lambda: cloud.resize("nobody", LARGE),
            lambda: cloud.endpoint("nobody"),
            lambda: cloud.console("nobody"),
            lambda: cloud.take_snapshot("nobody", "snap-1"),
        ]
        assert {refused(call).reason for call in calls} == {"NOT_FOUND"}
        assert cloud.snapshot("snap-1").state is CopyState.GONE

    def test_what_is_no_id_is_refused_for_ever(self, cloud: Provider) -> None:
        """Ids become folders, tags and names; nothing but lower-case letters, digits and hyphens is taken for one."""
        order = self.order(cloud)
        for given in NO_IDS:
            calls: list[Callable[[], object]] = [
                lambda given=given: cloud.create(replace(order, system_id=given)),  # type: ignore[misc]
                lambda given=given: cloud.machine(given),  # type: ignore[misc]
                lambda given=given: cloud.destroy(given),  # type: ignore[misc]
                lambda given=given: cloud.take_snapshot("sys-1", given),  # type: ignore[misc]
                lambda given=given: cloud.delete_snapshot(given),  # type: ignore[misc]
                lambda given=given: cloud.build_image(given, TinyRecipe(), "1"),  # type: ignore[misc]
                lambda given=given: cloud.delete_image(given),  # type: ignore[misc]
            ]
            assert all(refused(call).for_ever for call in calls)

    # making

    def test_a_machine_that_is_ordered_comes_up(self, cloud: Provider) -> None:
        """It is there at once, and runs after a while; the cloud tells its type, its disk and since when."""
        machine_id = cloud.create(self.order(cloud))
        assert cloud.machine("sys-1").power in {Power.PENDING, Power.RUNNING}
        machine = self.become(cloud, Power.RUNNING)
        assert (machine.id, machine.cloud_type, machine.disk_gb) == (machine_id, "small", 1)
        assert machine.since > 0
        assert (machine.token, machine.failure) == ("", "")
        assert cloud.machine("sys-1") == machine
        assert list(cloud.machines()) == [("sys-1", machine)]

    def test_the_same_order_again_gives_the_same_machine(self, cloud: Provider, tmp_path: Path) -> None:
        """Whichever server repeats it, and whenever."""
        order = self.order(cloud)
        machine_id = cloud.create(order)
        other = self.open(tmp_path)
        assert cloud.create(order) == machine_id
        assert other.create(replace(order, token="sys-1.2")) == machine_id
        self.become(other, Power.RUNNING)
        assert other.create(order) == machine_id
        assert len(cloud.machines()) == 1

    def test_servers_that_order_the_same_at_once_get_the_same(self, cloud: Provider, tmp_path: Path) -> None:
        """Two servers, each many times; one machine comes of it."""
        order, clouds = self.order(cloud), [cloud, self.open(tmp_path)]
        with ThreadPoolExecutor(4) as pool:
            ids = set(pool.map(lambda number: clouds[number % 2].create(order), range(8)))
        assert len(ids) == 1
        self.become(cloud, Power.RUNNING)
        assert [system_id for system_id, _ in cloud.machines()] == ["sys-1"]

    def test_machines_ordered_at_once_do_not_get_in_each_others_way(self, cloud: Provider, tmp_path: Path) -> None:
        """Each has its own endpoint, and its own disk."""
        orders, clouds = [self.order(cloud, f"sys-{number}") for number in range(4)], [cloud, self.open(tmp_path)]
        with ThreadPoolExecutor(4) as pool:
            ids = list(pool.map(lambda number: clouds[number % 2].create(orders[number]), range(4)))
        for order in orders:
            self.become(cloud, Power.RUNNING, order.system_id)
        ends = [cloud.endpoint(machine_id) for machine_id in ids]
        assert len({(end.host, port) for end in ends for port in end.ports.values()}) == 8

    def test_what_a_machine_is_made_from_must_be_there(self, cloud: Provider) -> None:
        """An image or snapshot that is not there is told for ever, and nothing is made."""
        order = self.order(cloud)
        for wrong in ({"cloud_image_id": "no-image"}, {"source_snapshot_id": "no-snapshot"}):
            error = refused(lambda wrong=wrong: cloud.create(replace(order, **wrong)))  # type: ignore[misc]
            assert (error.reason, error.for_ever) == ("NOT_FOUND", True)
        assert cloud.machine("sys-1").power is Power.GONE

    def test_tags_go_on_the_machine(self, cloud: Provider) -> None:
        """All of them, as they are."""
        self.up(cloud)
        assert set(TAGS) <= set(self.tags(cloud, "sys-1"))

    def test_a_running_machine_can_be_reached(self, cloud: Provider) -> None:
        """By a host, and the real port of each name; it says what the machine has. A stopped one cannot."""
        machine_id = self.up(cloud)
        end = cloud.endpoint(machine_id)
        assert end.host
        assert set(end.ports) == {"http", "ssh"}
        assert (end.memory_gb, end.vcpus) == (1.0, 1.0)
        assert cloud.endpoint(machine_id).ports == end.ports
        assert isinstance(cloud.console(machine_id), str)
        cloud.stop(machine_id)
        self.become(cloud, Power.STOPPED)
        assert refused(lambda: cloud.endpoint(machine_id)).reason == "UNREACHABLE"

    # stopping, starting, rebooting

    def test_a_machine_stops_and_starts_each_as_often_as_it_is_told(self, cloud: Provider) -> None:
        """Telling it twice does nothing more, and does not count as a change."""
        machine_id = self.up(cloud)
        before = cloud.machine("sys-1")
        cloud.start(machine_id)
        assert cloud.machine("sys-1") == before
        cloud.stop(machine_id)
        cloud.stop(machine_id)
        assert cloud.machine("sys-1").power in {Power.STOPPING, Power.STOPPED}
        stopped = self.become(cloud, Power.STOPPED)
        cloud.stop(machine_id)
        self.pause()
        assert cloud.machine("sys-1") == stopped
        assert stopped.since >= before.since
        cloud.start(machine_id)
        cloud.start(machine_id)
        assert self.become(cloud, Power.RUNNING).since >= stopped.since
        assert cloud.machine("sys-1").id == machine_id

    def test_a_reboot_is_done_once_per_token(self, cloud: Provider) -> None:
        """The token is remembered with the machine, also while that is stopped."""
        machine_id = self.up(cloud)
        cloud.reboot(machine_id, "sys-1.2")
        assert cloud.machine("sys-1").token == "sys-1.2"
        rebooted = self.become(cloud, Power.RUNNING)
        cloud.reboot(machine_id, "sys-1.2")
        assert cloud.machine("sys-1") == rebooted
        cloud.reboot(machine_id, "sys-1.3")
        assert self.become(cloud, Power.RUNNING).token == "sys-1.3"
        cloud.stop(machine_id)
        assert self.become(cloud, Power.STOPPED).token == "sys-1.3"
        refused(lambda: cloud.reboot(machine_id, "sys-1.4"))

    # resizing

    def test_a_stopped_machine_gets_another_size(self, cloud: Provider) -> None:
        """Twice is once; its disk only grows; it has the new size when it runs again."""
        machine_id = self.down(cloud)
        cloud.resize(machine_id, LARGE)
        cloud.resize(machine_id, LARGE)
        self.until(lambda: cloud.machine("sys-1").cloud_type == "large")
        assert cloud.machine("sys-1").disk_gb == 2
        cloud.resize(machine_id, SMALL)
        self.until(lambda: cloud.machine("sys-1").cloud_type == "small")
        assert cloud.machine("sys-1").disk_gb == 2
        cloud.resize(machine_id, LARGE)
        self.until(lambda: cloud.machine("sys-1").cloud_type == "large")
        cloud.start(machine_id)
        self.become(cloud, Power.RUNNING)
        assert cloud.endpoint(machine_id).memory_gb == 2.0

    def test_a_running_machine_keeps_its_size(self, cloud: Provider) -> None:
        """Resizing it is refused, unless it has that size."""
        machine_id = self.up(cloud)
        refused(lambda: cloud.resize(machine_id, LARGE))
        cloud.resize(machine_id, SMALL)
        assert cloud.machine("sys-1").cloud_type == "small"

    # the end

    def test_nothing_of_a_machine_is_left_once_it_is_destroyed(self, cloud: Provider) -> None:
        """Running or stopped, told once or twice; the next machine of that system begins anew."""
        machine_id = self.up(cloud)
        shell = self.shell(cloud, machine_id)
        shell.write("file", b"x")
        cloud.destroy("sys-1")
        cloud.destroy("sys-1")
        self.become(cloud, Power.GONE)
        assert cloud.machine("sys-1").id == ""
        assert list(cloud.machines()) == []
        refused(lambda: cloud.start(machine_id))
        refused(lambda: shell.read("file"))
        again = self.down(cloud)
        cloud.start(again)
        self.become(cloud, Power.RUNNING)
        assert self.shell(cloud, again).read("file") is None
        cloud.stop(again)
        self.become(cloud, Power.STOPPED)
        cloud.destroy("sys-1")
        self.become(cloud, Power.GONE)

    # snapshots

    def test_a_machine_made_from_a_snapshot_has_what_was_there(self, cloud: Provider) -> None:
        """As it was when the snapshot was ordered; what it was taken of may be gone."""
        shell = self.shell(cloud, self.up(cloud))
        shell.write("folder/file", b"before")
        cloud.stop(cloud.machine("sys-1").id)
        self.become(cloud, Power.STOPPED)
        cloud.take_snapshot("sys-1", "snap-1")
        cloud.take_snapshot("sys-1", "snap-1")
        self.available(cloud, "snap-1")
        assert cloud.snapshot("snap-1").id
        assert list(cloud.snapshots()) == ["snap-1"]
        cloud.destroy("sys-1")
        self.become(cloud, Power.GONE)
        assert list(cloud.snapshots()) == ["snap-1"]
        machine_id = cloud.create(replace(self.order(cloud, "sys-2"), source_snapshot_id="snap-1"))
        self.become(cloud, Power.RUNNING, "sys-2")
        copy = self.shell(cloud, machine_id)
        assert copy.read("folder/file") == b"before"
        copy.write("folder/file", b"after")
        cloud.take_snapshot("sys-2", "snap-1")
        third = cloud.create(replace(self.order(cloud, "sys-3"), source_snapshot_id="snap-1"))
        self.become(cloud, Power.RUNNING, "sys-3")
        assert self.shell(cloud, third).read("folder/file") == b"before"

    def test_a_running_machine_is_copied_too(self, cloud: Provider) -> None:
        """It goes on running meanwhile."""
        machine_id = self.up(cloud)
        self.shell(cloud, machine_id).write("file", b"x")
        cloud.take_snapshot("sys-1", "snap-1")
        self.available(cloud, "snap-1")
        assert cloud.machine("sys-1").power is Power.RUNNING

    def test_a_snapshot_that_is_deleted_is_gone(self, cloud: Provider) -> None:
        """Told once or twice; no machine can be made from it any more."""
        self.down(cloud)
        for snapshot_id in ("snap-1", "snap-2"):
            cloud.take_snapshot("sys-1", snapshot_id)
            self.available(cloud, snapshot_id)
        assert sorted(cloud.snapshots()) == ["snap-1", "snap-2"]
        cloud.delete_snapshot("snap-1")
        cloud.delete_snapshot("snap-1")
        assert cloud.snapshot("snap-1").state is CopyState.GONE
        assert list(cloud.snapshots()) == ["snap-2"]
        order = replace(self.order(cloud, "sys-2"), source_snapshot_id="snap-1")
        assert refused(lambda: cloud.create(order)).for_ever

    # images

    def test_an_image_is_built_once(self, cloud: Provider, tmp_path: Path) -> None:
        """Asked again, by whomever, it is the same; its log can be read."""
        recipe = TinyRecipe()
        built = cloud.build_image("img-9", recipe, "9.0")
        assert built.checksum == "checksum of 9.0"
        assert cloud.build_image("img-9", recipe, "9.0") == built
        assert self.open(tmp_path).build_image("img-9", recipe, "9.0") == built
        assert recipe.built == 1
        assert "building 9.0" in cloud.build_log("img-9")

    def test_a_building_that_failed_says_so_and_can_be_tried_again(self, cloud: Provider) -> None:
        """The recipe's words come through; what it has printed is kept."""
        recipe = TinyRecipe()
        recipe.refusal = "no such version"
        assert refused(lambda: cloud.build_image("img-9", recipe, "9.0")).sentence == "no such version"
        assert "building 9.0" in cloud.build_log("img-9")
        recipe.refusal = ""
        assert cloud.build_image("img-9", recipe, "9.0").checksum == "checksum of 9.0"

    def test_a_log_is_read_while_it_is_being_written(self, cloud: Provider) -> None:
        """What was printed so far."""
        seen: list[str] = []

        class Watched(TinyRecipe):
            def build(self, version: str, folder: str, log: str) -> str:
                done = super().build(version, folder, log)
                seen.append(cloud.build_log("img-9"))
                return done

        cloud.build_image("img-9", Watched(), "9.0")
        assert "building 9.0" in seen[0]

    def test_a_deleted_image_is_gone(self, cloud: Provider) -> None:
        """Told once or twice; machines made from it before stay, new ones are refused, and it can be built anew."""
        machine_id = self.up(cloud)
        order = self.order(cloud, "sys-2")
        cloud.delete_image("img-1")
        cloud.delete_image("img-1")
        assert refused(lambda: cloud.create(order)).for_ever
        cloud.stop(machine_id)
        self.become(cloud, Power.STOPPED)
        cloud.start(machine_id)
        self.become(cloud, Power.RUNNING)
        assert cloud.build_image("img-1", TinyRecipe(), "1.0").cloud_image_id == order.cloud_image_id
        cloud.create(order)

    # the inside

    def test_files_are_put_on_the_disk_and_stay_there(self, cloud: Provider) -> None:
        """Whole, in folders too, whatever is in them; through stops, starts and reboots."""
        machine_id = self.up(cloud)
        shell = self.shell(cloud, machine_id)
        content = bytes(range(256)) * 100
        assert shell.read("a/b/c") is None
        shell.write("a/b/c", content)
        shell.write("empty", b"")
        shell.write("./twice", b"once")
        shell.write("twice", b"again")
        cloud.reboot(machine_id, "t")
        self.become(cloud, Power.RUNNING)
        cloud.stop(machine_id)
        self.become(cloud, Power.STOPPED)
        for call in (lambda: shell.read("empty"), lambda: shell.write("x", b""), shell.serving):
            assert refused(call).reason == "UNREACHABLE"
        cloud.start(machine_id)
        self.become(cloud, Power.RUNNING)
        assert shell.read("a/b/c") == content
        assert shell.read("empty") == b""
        assert shell.read("twice") == b"again"
        assert shell.read("x") is None

    def test_no_path_leads_out_of_the_disk(self, cloud: Provider) -> None:
        """Neither for reading nor for writing."""
        shell = self.shell(cloud, self.up(cloud))
        for path in LEADING_OUT:
            assert refused(lambda path=path: shell.read(path)).for_ever  # type: ignore[misc]
            assert refused(lambda path=path: shell.write(path, b"x")).for_ever  # type: ignore[misc]

    def test_a_service_is_kept_running(self, cloud: Provider) -> None:
        """From when it was given, through stops, starts and reboots; another token replaces it."""
        machine_id = self.up(cloud)
        shell = self.shell(cloud, machine_id)
        assert shell.serving() is None
        shell.serve(self.service("sys-1.1"))
        self.until(lambda: _runs(shell, "sys-1.1"))
        shell.serve(self.service("sys-1.1"))
        assert _runs(shell, "sys-1.1")
        shell.serve(self.service("sys-1.2"))
        stands = shell.serving()
        assert stands is not None
        assert stands.token == "sys-1.2"
        self.until(lambda: _runs(shell, "sys-1.2"))
        cloud.reboot(machine_id, "t")
        self.become(cloud, Power.RUNNING)
        self.until(lambda: _runs(shell, "sys-1.2"))
        cloud.stop(machine_id)
        self.become(cloud, Power.STOPPED)
        cloud.start(machine_id)
        self.become(cloud, Power.RUNNING)
        self.until(lambda: _runs(shell, "sys-1.2"))


def _runs(shell: Shell, token: str) -> bool:
    stands = shell.serving()
    return stands is not None and stands.running and stands.token == token and stands.exit_code is None
