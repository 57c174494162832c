"""What programs on a machine may do to the server of the local cloud: hide, heap up, dig deep, take ports."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from puddle.server.clouds.local import ports, processes
from puddle.server.clouds.local.files import tail
from puddle.server.clouds.local.limits import Watch
from puddle.server.clouds.local.spec import Spec
from puddle.server.clouds.local.trees import copy_tree, empty, put_away, throw_away, used
from puddle.testing import HandClock
from puddle.testing.clouds import refused
from tests.puddle.clouds.machines import script, until

MIB = 1 << 20
DEEP = 1200


def dig(folder, depth=DEEP):
    """Make folders within folders, deeper than any path can say."""
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir("deep", dir_fd=here)
        below = os.open("deep", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


@pytest.fixture
def trash(tmp_path):
    folder = tmp_path / "trash"
    folder.mkdir()
    yield folder
    empty(folder)


@pytest.fixture
def source(tmp_path, trash):
    """A data disk."""
    folder = tmp_path / "source"
    folder.mkdir()
    yield folder
    throw_away(folder, trash)


def nothing():
    """No sign of life is wanted."""


# what is removed


def test_a_folder_is_removed_however_deep_it_is(source, trash):
    """Else it would be in the way of everything that is removed after it, whosever that is."""
    dig(source)
    throw_away(source, trash)
    assert not list(trash.iterdir())


def test_folders_that_are_closed_are_removed_too(source, trash):
    """A program may take the rights from itself that removing needs."""
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "b" / "file").touch()
    (source / "a" / "b").chmod(0)
    (source / "a").chmod(0)
    throw_away(source, trash)
    assert not list(trash.iterdir())


def test_what_cannot_be_removed_is_in_nobodys_way(tmp_path, trash, monkeypatch):
    """The others are removed, and it is tried again the next time."""
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").touch()
        put_away(tmp_path / name, trash)
    unlink = Path.unlink

    def refusing(path):
        if path.name == "two.txt":
            raise PermissionError(1, "Operation not permitted", path)
        unlink(path)

    monkeypatch.setattr(Path, "unlink", refusing)
    empty(trash)
    assert [path.name.partition(".")[0] for path in trash.iterdir()] == ["two"]
    monkeypatch.undo()
    empty(trash)
    assert not list(trash.iterdir())


def test_links_are_removed_and_not_where_they_lead_to(source, trash, tmp_path):
    """Also those to folders."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (source / "link").symlink_to(tmp_path / "kept")
    throw_away(source, trash)
    assert (tmp_path / "kept" / "file").exists()


# what is measured


def test_a_disk_that_cannot_be_measured_is_too_much(source):
    """Nothing is hidden by lying deep, and the supervisor goes on."""
    dig(source)
    numbers = {"vcpus": 1, "memory_gb": 1, "disk_gb": 1, "ordered": 0, "grace": 1, "ports": {}}
    texts = dict.fromkeys(("system_id", "name", "image_id", "cloud_type", "order_token"), "x")
    card = Spec(**texts, **numbers)
    assert Watch(source, card, None, HandClock()).disk().startswith("DISK_UNREADABLE: ")


# what is copied


def test_holes_are_copied_as_holes(source, tmp_path):
    """A terabyte of nothing fills no disk."""
    with (source / "holes").open("wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 30)
        file.write(b"data")
        file.seek(1 << 39)
        file.write(b"more")
    copy_tree(source, tmp_path / "copy", nothing, MIB)
    copy = tmp_path / "copy" / "holes"
    assert copy.stat().st_size == 1 << 40
    assert used(tmp_path / "copy") < MIB
    with copy.open("rb") as file:
        for place, content in ((1 << 30, b"data"), (1 << 39, b"more")):
            file.seek(place)
            assert file.read(4) == content


def test_a_file_with_many_names_is_not_copied_for_each_of_them(source, tmp_path):
    """What a machine's disk holds at most is what its copy takes at most."""
    (source / "file").write_bytes(b"x" * MIB)
    for number in range(20):
        (source / f"name-{number}").hardlink_to(source / "file")
    with pytest.raises(OSError, match="more lies on it than its 0 GiB"):
        copy_tree(source, tmp_path / "copy", nothing, 4 * MIB)
    assert used(tmp_path / "copy") <= 5 * MIB


def test_a_snapshot_of_a_disk_that_holds_too_much_fails_with_a_sentence(local):
    """Its owner scales the system to a larger disk, or tidies up."""
    local.up()
    with (local.disk() / "file").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 64 * MIB)
    for number in range(17):
        (local.disk() / f"name-{number}").hardlink_to(local.disk() / "file")
    local.cloud.take_snapshot("sys-1", "snap-1")
    assert "than its 1 GiB" in until(lambda: local.cloud.snapshot("snap-1").failure)
    assert used(local.root / "snapshots" / "snap-1") < MIB, "that was found out before anything was copied"


# what is read


@pytest.mark.parametrize("make", [lambda path, to: path.symlink_to(to), lambda path, _: os.mkfifo(path)])
def test_a_log_that_is_no_file_is_not_read(tmp_path, make):
    """A link could lead to the server's keys, and a pipe would hold it for ever."""
    (tmp_path / "secret").write_text("s3cret")
    make(tmp_path / "log", tmp_path / "secret")
    with pytest.raises(OSError):  # noqa: PT011 -- the words are the system's
        tail(tmp_path / "log", 10)


def test_a_console_that_is_a_link_is_refused(local):
    """In the words of a cloud."""
    local.up()
    console = local.folder() / "console.log"
    console.unlink()
    console.symlink_to("card.json")
    assert refused(lambda: local.cloud.console("sys-1")).reason == "REFUSED"


# processes


def test_a_long_line_of_processes_is_found_to_its_end(tmp_path, monkeypatch):
    """However many generations a program goes through: what is not found would not be ended."""
    for pid in range(1, DEEP):
        (tmp_path / str(pid) / "task" / str(pid)).mkdir(parents=True)
        (tmp_path / str(pid) / "task" / str(pid) / "children").write_text(f"{pid + 1} ")
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    assert list(processes.descendants(1)) == list(range(2, DEEP + 1))


# ports

TABLE = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def row(port, user, state="0A", address="0100007F"):
    """A line of the kernel's."""
    return f"   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  {user} 0 1 1 0\n"


def test_who_listens_is_read_from_the_tables_of_the_kernel():
    """Of both protocols; who is only connected does not listen."""
    four = TABLE + row(23000, 1000) + row(23001, 1001, state="01") + row(23002, 1002)
    six = TABLE + row(23000, 1003, address="0000000000000000FFFF00000100007F")
    assert list(ports.listeners(23000, four, six)) == [1000, 1003]
    assert list(ports.listeners(23001, four, six)) == []


def test_our_own_programs_are_no_strangers():
    """Also where the kernel is really asked."""
    with socket.create_server((ports.HOST, 0)) as ours:
        assert not ports.is_strangers(ours.getsockname()[1])


def test_a_machine_whose_port_somebody_else_has_taken_is_not_spoken_to(local, tmp_path, monkeypatch):
    """They would be told its password, which is sent with every question."""
    local.up().serve(script("exec sleep 1000"))
    port = Spec.read(local.folder()).ports["http"]
    (tmp_path / "tcp").write_text(TABLE + row(port, 4242))
    monkeypatch.setattr(ports, "_TABLES", (tmp_path / "tcp",))
    why = refused(lambda: local.cloud.endpoint("sys-1"))
    assert (why.reason, str(port) in why.sentence) == ("UNREACHABLE", True)
    (tmp_path / "tcp").write_text(TABLE + row(port, os.getuid()) + row(port, 0))
    assert local.cloud.endpoint("sys-1").ports["http"] == port
