"""What a cloud promises about itself and its machines."""

# ruff: noqa: S105, S106 -- tokens that name steps are no secrets

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from puddle.server.clouds.base import Provider
from puddle.server.domain.facts import CopyState, Power
from puddle.testing.clouds.suite import LARGE, SMALL, TAGS, CloudSuite, TinyRecipe, refused

NO_IDS = ("", "../up", "a/b", "Upper", "a.b", "-x", "a" * 200)


class OwnershipTests(CloudSuite):
    """Whose a cloud is."""

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


class MachineTests(CloudSuite):
    """Machines are ordered, stopped, started, rebooted, resized and destroyed, each as often as one likes."""

    # nothing there

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
                partial(cloud.create, replace(order, system_id=given)),
                partial(cloud.machine, given),
                partial(cloud.destroy, given),
                partial(cloud.take_snapshot, "sys-1", given),
                partial(cloud.delete_snapshot, given),
                partial(cloud.build_image, given, TinyRecipe(), "1"),
                partial(cloud.delete_image, given),
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
        for wrong in (replace(order, cloud_image_id="no-image"), replace(order, source_snapshot_id="no-snapshot")):
            error = refused(partial(cloud.create, wrong))
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
