"""The local cloud's folders: ports, links that lead elsewhere, snapshots and images that were cut short."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from puddle.server.clouds.base import Shape
from puddle.server.clouds.local import LocalCloud, cloud, snapshots
from puddle.server.clouds.local.files import MAX_READ, read_json, write_json
from puddle.server.clouds.local.limits import ControlGroup, Watch, own_group, share_cpus
from puddle.server.clouds.local.spec import Spec, Status
from puddle.server.clouds.local.trees import copy_tree, throw_away, used
from puddle.server.domain.facts import CopyState, Power
from puddle.testing import HandClock
from puddle.testing.clouds import TinyRecipe, refused
from tests.puddle.clouds.machines import until


@pytest.fixture
def asleep(local, monkeypatch):
    """A local cloud whose supervisors and copiers do not start: its server is always killed before."""
    monkeypatch.setattr(cloud, "launch", lambda module, folder: None)
    monkeypatch.setattr(snapshots, "launch", lambda module, folder: None)
    return local


def awake(monkeypatch):
    monkeypatch.undo()


# ports


def test_no_port_is_given_twice_whoever_asks(asleep):
    """Two servers at once, each machine two ports; those of others are left alone."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        first = taken.getsockname()[1]
        clouds = [LocalCloud(asleep.root, ports=range(first, first - 100, -1)) for _ in range(2)]
        orders = [asleep.order(f"sys-{number}", ports={"a": 1, "b": 2}) for number in range(6)]
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda number: clouds[number % 2].create(orders[number]), range(6)))
    ports = [port for number in range(6) for port in Spec.read(asleep.folder(f"sys-{number}")).ports.values()]
    assert len(set(ports)) == 12
    assert first not in ports


def test_where_no_port_is_left_no_machine_is_made_until_one_is(asleep, monkeypatch):
    """It is tried again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        small = LocalCloud(asleep.root, ports=range(port, port + 1))
        error = refused(lambda: small.create(asleep.order()))
    assert (error.reason, error.for_ever) == ("CAPACITY", False)
    assert small.machine("sys-1").power is Power.GONE
    monkeypatch.setattr(cloud, "is_free", lambda _port: True)  # whoever else here may have taken it meanwhile
    small.create(asleep.order())
    refused(lambda: small.create(asleep.order("sys-2")))
    small.destroy("sys-1")
    small.create(asleep.order("sys-2"))


# links


def test_a_machine_that_is_a_link_is_refused_and_where_it_leads_to_stays(asleep, tmp_path):
    """Nothing outside is removed, listed or written."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    asleep.folder().symlink_to(outside)
    for call in (asleep.cloud.destroy, asleep.cloud.machine, lambda name: asleep.cloud.create(asleep.order(name))):
        assert refused(lambda call=call: call("sys-1")).for_ever
    assert asleep.cloud.machines() == []
    (asleep.root / "snapshots" / "snap-1").symlink_to(outside)
    assert refused(lambda: asleep.cloud.delete_snapshot("snap-1")).for_ever
    with pytest.raises(OSError, match="is a link"):
        throw_away(asleep.folder(), asleep.root / "trash")
    assert [path.name for path in outside.iterdir()] == ["file"]
    asleep.folder().unlink()


def test_links_on_a_disk_are_neither_followed_nor_copied_as_what_they_lead_to(local, tmp_path):
    """Not by reading, writing, a snapshot, or the end of the machine."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s3cret")
    shell = local.up()
    (local.disk() / "file").symlink_to(outside / "secret")
    (local.disk() / "folder").symlink_to(outside)
    for path in ("file", "folder/secret"):
        assert refused(lambda path=path: shell.read(path)).reason == "REFUSED"
    refused(lambda: shell.write("folder/new", b"x"))
    local.cloud.take_snapshot("sys-1", "snap-1")
    until(lambda: local.cloud.snapshot("snap-1").state is CopyState.AVAILABLE)
    copy = local.root / "snapshots" / "snap-1" / "disk"
    assert (copy / "folder").is_symlink()
    assert (copy / "file").is_symlink()
    shell.write("file", b"mine")
    assert shell.read("file") == b"mine"
    local.cloud.destroy("sys-1")
    local.become(Power.GONE)
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "s3cret"


def test_only_plain_files_of_a_sensible_size_are_read(local):
    """A pipe would hang the server, a huge file fill it."""
    shell = local.up()
    os.mkfifo(local.disk() / "pipe")
    with (local.disk() / "huge").open("wb") as file:
        file.truncate(MAX_READ + 1)
    (local.disk() / "plain").write_text("x")
    for path in ("pipe", "huge", "plain/below"):
        assert refused(lambda path=path: shell.read(path)).reason == "REFUSED"
    assert refused(lambda: shell.write("plain/below", b"x")).reason == "REFUSED"


# the end of machines


def test_what_a_program_locked_is_removed_too(local):
    """Folders it may not enter itself any more."""
    local.up()
    (local.disk() / "a" / "b").mkdir(parents=True)
    (local.disk() / "a" / "b").chmod(0)
    (local.disk() / "a").chmod(0)
    local.cloud.destroy("sys-1")
    local.become(Power.GONE)
    until(lambda: not list((local.root / "trash").iterdir()))


def test_what_a_killed_supervisor_did_not_remove_is_removed_by_the_next_order(local):
    """The order to destroy was written, but nobody was left to carry it out."""
    local.up()
    os.kill(local.supervisor(), signal.SIGSTOP)
    local.cloud.destroy("sys-1")
    assert local.cloud.machine("sys-1").power is Power.STOPPING
    assert refused(lambda: local.cloud.create(local.order())).reason == "NOT_READY"
    os.kill(local.supervisor(), signal.SIGKILL)
    until(lambda: not Status.read(local.folder()).who.alive())
    assert local.cloud.machine("sys-1").power is Power.STOPPING
    refused(lambda: local.cloud.start("sys-1"))
    local.cloud.destroy("sys-1")
    assert local.cloud.machine("sys-1").power is Power.GONE
    assert list((local.root / "machines").iterdir()) == []


def test_a_machine_whose_server_died_while_making_it_is_stopped_and_can_be_started(asleep, monkeypatch):
    """The card was written; its supervisor was not launched."""
    asleep.cloud.create(asleep.order())
    assert asleep.cloud.machine("sys-1").power is Power.STOPPED
    assert asleep.cloud.create(asleep.order()) == "sys-1"
    awake(monkeypatch)
    asleep.cloud.start("sys-1")
    asleep.become(Power.RUNNING)


def test_a_half_made_machine_does_not_count_and_is_not_in_the_way(asleep):
    """The server was killed before the card was in its place."""
    draft = asleep.root / "machines" / ".new-sys-1"
    draft.mkdir()
    (draft / "junk").write_text("x")
    assert asleep.cloud.machines() == []
    asleep.cloud.create(asleep.order())
    assert not (asleep.folder() / "junk").exists()


# snapshots


def taken(local, content="x" * 100_000):
    """Order a snapshot of a stopped machine with something on its disk."""
    local.cloud.create(local.order())
    (local.disk() / "folder").mkdir(parents=True)
    (local.disk() / "folder" / "file").write_text(content)
    local.cloud.take_snapshot("sys-1", "snap-1")


def test_a_snapshot_whose_server_died_before_copying_is_copied_when_it_is_looked_at(asleep, monkeypatch):
    """It was ordered; no copier was launched."""
    taken(asleep)
    assert asleep.cloud.snapshot("snap-1").state is CopyState.CREATING
    awake(monkeypatch)
    until(lambda: asleep.cloud.snapshot("snap-1").state is CopyState.AVAILABLE)
    assert (asleep.root / "snapshots" / "snap-1" / "disk" / "folder" / "file").read_text() == "x" * 100_000


HALTED = """
import sys, time
from pathlib import Path
from puddle.server.clouds.local import trees
copied = trees._copy_file
def halt(*arguments):
    copied(*arguments)
    Path(sys.argv[1], "halted").touch()
    time.sleep(1000)
trees._copy_file = halt
from puddle.server.clouds.local import copier
copier.main(Path(sys.argv[1]))
"""


def test_a_copier_that_is_killed_halfway_leaves_nothing_that_counts_and_is_started_again(asleep, monkeypatch):
    """The snapshot is whole in the end."""
    taken(asleep)
    folder = asleep.root / "snapshots" / "snap-1"
    subprocess.run([sys.executable, "-c", HALTED, str(folder)], check=True)
    until((folder / "halted").exists)
    assert asleep.cloud.snapshot("snap-1").state is CopyState.CREATING
    assert (folder / "disk.part" / "folder" / "file").exists()
    who = Status.read(folder).who
    awake(monkeypatch)
    assert asleep.cloud.snapshot("snap-1").state is CopyState.CREATING
    assert Status.read(folder).who == who
    os.kill(who.pid, signal.SIGKILL)
    until(lambda: asleep.cloud.snapshot("snap-1").state is CopyState.AVAILABLE)
    assert (folder / "disk" / "folder" / "file").read_text() == "x" * 100_000
    assert not (folder / "disk.part").exists()


def test_a_snapshot_that_is_cut_short_again_and_again_fails(asleep, monkeypatch):
    """It does not stay under way for ever."""
    taken(asleep)
    order = asleep.root / "snapshots" / "snap-1" / "order.json"
    write_json(order, {**read_json(order), "tries": 3})
    awake(monkeypatch)
    until(lambda: asleep.cloud.snapshot("snap-1").state is CopyState.FAILED)
    assert "cut short" in asleep.cloud.snapshot("snap-1").failure
    assert refused(lambda: asleep.cloud.create(asleep.order("sys-2", source_snapshot_id="snap-1"))).for_ever


def test_a_snapshot_of_a_machine_that_is_gone_meanwhile_fails(asleep, monkeypatch):
    """With a sentence."""
    taken(asleep)
    asleep.cloud.destroy("sys-1")
    awake(monkeypatch)
    until(lambda: asleep.cloud.snapshot("snap-1").state is CopyState.FAILED)
    assert "could not be copied" in asleep.cloud.snapshot("snap-1").failure


def test_a_disk_that_is_made_from_a_snapshot_is_whole_however_often_that_is_cut_short(asleep, monkeypatch):
    """What was copied before does not count."""
    taken(asleep, "whole")
    awake(monkeypatch)
    until(lambda: asleep.cloud.snapshot("snap-1").state is CopyState.AVAILABLE)
    monkeypatch.setattr(cloud, "launch", lambda module, folder: None)
    asleep.cloud.create(asleep.order("sys-2", source_snapshot_id="snap-1"))
    (asleep.folder("sys-2") / "disk.part").mkdir()
    (asleep.folder("sys-2") / "disk.part" / "junk").write_text("x")
    awake(monkeypatch)
    asleep.cloud.start("sys-2")
    asleep.become(Power.RUNNING, "sys-2")
    assert [path.name for path in asleep.disk("sys-2").iterdir()] == ["folder"]
    assert asleep.content("folder/file", "sys-2") == "whole"


def test_a_machine_whose_snapshot_is_lost_says_so_and_can_be_removed(asleep, monkeypatch):
    """It does not come up, and does not wait in silence."""
    taken(asleep)
    awake(monkeypatch)
    until(lambda: asleep.cloud.snapshot("snap-1").state is CopyState.AVAILABLE)
    monkeypatch.setattr(cloud, "launch", lambda module, folder: None)
    asleep.cloud.create(asleep.order("sys-2", source_snapshot_id="snap-1"))
    asleep.cloud.delete_snapshot("snap-1")
    awake(monkeypatch)
    asleep.cloud.start("sys-2")
    assert "could not be made" in until(lambda: asleep.cloud.machine("sys-2").failure)
    assert asleep.cloud.machine("sys-2").power is Power.PENDING
    asleep.cloud.destroy("sys-2")
    asleep.become(Power.GONE, "sys-2")


def test_a_tree_is_copied_as_it_is_without_what_cannot_be_copied(tmp_path):
    """Files with their right to be run, folders, links as links; no pipes."""
    source = tmp_path / "source"
    (source / "folder").mkdir(parents=True)
    (source / "folder" / "program").write_text("x")
    (source / "folder" / "program").chmod(0o755)
    (source / "link").symlink_to("folder/program")
    os.mkfifo(source / "pipe")
    beats = []
    copy_tree(source, tmp_path / "copy", lambda: beats.append(1), 1 << 20)
    assert sorted(path.name for path in (tmp_path / "copy").rglob("*")) == ["folder", "link", "program"]
    assert (tmp_path / "copy" / "folder" / "program").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "copy" / "link").readlink().name == "program"
    assert beats


# images


def test_a_building_that_was_cut_short_is_begun_anew(asleep):
    """What it left does not count."""
    part = asleep.root / "images" / "img-9.part"
    (part / "files").mkdir(parents=True)
    (part / "files" / "junk").write_text("x")
    built = asleep.cloud.build_image("img-9", TinyRecipe(), "9.0")
    assert built.cloud_image_id == "img-9"
    assert [path.name for path in (asleep.root / "images" / "img-9" / "files").iterdir()] == ["file"]


def test_two_servers_that_build_an_image_at_once_build_it_once(asleep):
    """The second waits for the first."""
    recipe, clouds = TinyRecipe(), [asleep.cloud, LocalCloud(asleep.root)]
    with ThreadPoolExecutor(2) as pool:
        built = list(pool.map(lambda it: it.build_image("img-9", recipe, "9.0"), clouds))
    assert recipe.built == 1
    assert built[0] == built[1]


def test_the_files_of_a_deleted_image_stay_until_no_machine_runs_from_them(asleep):
    """They go with the last one."""
    asleep.cloud.create(asleep.order())
    asleep.cloud.create(asleep.order("sys-2"))
    files = asleep.root / "images" / "img-1" / "files"
    asleep.cloud.delete_image("img-1")
    asleep.cloud.destroy("sys-1")
    assert (files / "file").exists()
    asleep.cloud.destroy("sys-2")
    assert not files.exists()


# limits


def test_the_disk_is_measured_now_and_then_and_not_all_the_time(tmp_path):
    """Every two seconds at most, by a hand-turned clock."""
    asked = Spec(
        system_id="sys-1", name="", image_id="", cloud_type="", vcpus=1, memory_gb=100, disk_gb=0, ports={},
        ordered=0, order_token="", grace=0,
    )  # fmt: skip
    clock = HandClock(0)
    watch = Watch(tmp_path, asked, None, clock)
    assert watch.trouble() == ""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"x" * 10_000)
    assert used(tmp_path) >= 10_000
    clock.turn(1)
    assert watch.trouble() == ""
    clock.turn(1)
    assert watch.trouble().startswith("DISK_FULL")


CARD = Spec(
    system_id="sys-1", name="", image_id="", cloud_type="", vcpus=1.5, memory_gb=2, disk_gb=1, ports={},
    ordered=0, order_token="", grace=0,
)  # fmt: skip


def test_where_control_groups_can_be_made_the_kernel_is_told_the_limits(tmp_path):
    """A folder stands in for the kernel's, which this test could not rely on."""
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids\n")
    group = ControlGroup.make(tmp_path, CARD)
    said = {path.name: path.read_text() for path in (tmp_path / "puddle-sys-1").iterdir()}
    assert said == {
        "memory.max": str(2 << 30),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "cpu.max": "150000 100000",
    }
    group.enter()
    assert (group.folder / "cgroup.procs").read_text() == "0"
    watch = Watch(tmp_path, CARD, group, HandClock(0))
    assert watch.trouble() == ""
    (group.folder / "memory.events").write_text("low 0\noom 1\noom_kill 3\n")
    assert group.killed() == 3
    assert watch.trouble().startswith("OUT_OF_MEMORY")
    assert watch.trouble() == "", "what was killed was told; the next program has its own chance"
    (group.folder / "memory.events").write_text("oom_kill 4\n")
    assert watch.trouble().startswith("OUT_OF_MEMORY")


def test_where_no_control_group_can_be_made_there_is_none(tmp_path):
    """No v2 here, or not ours to give."""
    assert ControlGroup.make(None, CARD) is None
    assert ControlGroup.make(tmp_path, CARD) is None
    assert list(tmp_path.iterdir()) == []


def test_our_own_control_group_is_found_where_it_is_mounted():
    """In mixed set-ups too, where v2 is beside v1."""
    mounts = (
        "30 29 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "40 29 0:36 / /sys/fs/cgroup/unified rw,nosuid shared:1 - cgroup2 cgroup2 rw\n"
    )
    assert str(own_group(mounts, "4:memory:/x\n0::/user/ada\n")) == "/sys/fs/cgroup/unified/user/ada"
    assert own_group(mounts.splitlines()[0], "0::/user\n") is None
    assert own_group(mounts, "4:memory:/x\n") is None


def test_a_shape_without_a_whole_cpu_gets_one_and_is_polite(local):
    """It shares it; where the kernel holds it to its half, there is no need to."""
    local.up(shape=Shape(cloud_type="tiny", vcpus=0.5, memory_gb=1, disk_gb=1))
    if (group := local.group()) is not None:
        assert (group / "cpu.max").read_text() == "50000 100000\n"
    else:
        assert os.getpriority(os.PRIO_PROCESS, local.supervisor()) == max(10, os.getpriority(os.PRIO_PROCESS, 0))
        assert len(os.sched_getaffinity(local.supervisor())) == 1


def test_who_is_politer_already_stays_so(monkeypatch):
    """Only the superuser may become less polite, and a supervisor of anybody else would end with an error."""
    said = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None)
    monkeypatch.setattr(os, "getpriority", lambda *_: 15)
    monkeypatch.setattr(os, "setpriority", lambda *given: said.append(given[-1]))
    share_cpus(replace(CARD, vcpus=0.5))
    assert said == [15]
