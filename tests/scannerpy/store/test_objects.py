"""What every object store promises: the same for a folder and for obstore."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scannerpy._store.chunk import find_chunks
from scannerpy._store.local import STAGING
from scannerpy._store.objects import ObjectMissing, Objects, check_path, memory, open_config, open_local, storage_errors
from scannerpy._store.remote import RemoteObjects
from scannerpy._words.owner import STRANGE_SECONDS, owner
from scannerpy.errors import ConfigError, StorageError, StorageFull
from tests.owners import dead_owner


def test_what_is_put_is_got(objects: Objects) -> None:
    assert objects.put("a/b", b"hello")
    assert objects.get("a/b") == b"hello"
    assert objects.size("a/b") == 5
    assert objects.exists("a/b")


def test_parts_are_joined(objects: Objects) -> None:
    objects.put("a", [b"he", memoryview(b"ll"), bytearray(b"o"), b""])
    assert objects.get("a") == b"hello"


def test_an_empty_object_is_an_object(objects: Objects) -> None:
    objects.put("a", b"")
    objects.put("b", [])
    assert objects.get("a") == objects.get("b") == b""
    assert objects.size("a") == 0


def test_a_second_put_replaces(objects: Objects) -> None:
    objects.put("a", b"1")
    assert objects.put("a", b"22")
    assert objects.get("a") == b"22"


def test_create_leaves_what_is_there(objects: Objects) -> None:
    assert objects.put("a", b"1", create=True)
    assert not objects.put("a", b"2", create=True)
    assert objects.get("a") == b"1"


def test_of_many_creators_one_wins(objects: Objects) -> None:
    barrier = threading.Barrier(12)
    won: list[bytes] = []

    def race(k: int) -> None:
        barrier.wait()
        if objects.put("log/1", b"%d" % k, create=True):
            won.append(b"%d" % k)

    threads = [threading.Thread(target=race, args=(k,)) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [objects.get("log/1")]


def test_ranges_come_in_the_order_asked(objects: Objects) -> None:
    objects.put("a", b"0123456789")
    assert objects.get_range("a", 2, 5) == b"234"
    assert objects.get_ranges("a", [0, 8, 4, 3], [1, 10, 4, 9]) == [b"0", b"89", b"", b"345678"]
    assert objects.get_ranges("a", [], []) == []


def test_the_tail_comes_with_the_size(objects: Objects) -> None:
    objects.put("a", b"0123456789")
    assert objects.get_tail("a", 3) == (b"789", 10)
    assert objects.get_tail("a", 30) == (b"0123456789", 10)


def test_a_missing_object_is_said_to_be_missing(objects: Objects) -> None:
    assert objects.size("no/such") is None
    assert not objects.exists("no/such")
    for read in (
        lambda: objects.get("no/such"),
        lambda: objects.get_range("no/such", 0, 3),
        lambda: objects.get_tail("no/such", 3),
    ):
        with pytest.raises(ObjectMissing, match="no/such"):
            read()
    assert not ObjectMissing.retry


def test_several_are_got_at_once(objects: Objects) -> None:
    objects.put("a", b"1")
    objects.put("c", b"3")
    assert list(objects.get_each(["a", "b", "c"])) == [b"1", None, b"3"]
    assert list(objects.get_each([])) == []


def test_listing_goes_down_folders_not_prefixes(objects: Objects) -> None:
    for path in ("a/2", "a/1", "a/b/3", "ab/4", "c"):
        objects.put(path, path.encode())
    assert objects.list("a") == [("a/1", 3), ("a/2", 3), ("a/b/3", 5)]
    assert [path for path, _ in objects.list("")] == ["a/1", "a/2", "a/b/3", "ab/4", "c"]
    assert objects.list("none") == []


def test_deleting_passes_over_what_is_not_there(objects: Objects) -> None:
    objects.put("a/b/c", b"1")
    objects.delete(["a/b/c", "a/x"])
    objects.delete([])
    assert objects.list("") == []
    objects.put("a/b/c", b"2")
    assert objects.get("a/b/c") == b"2"


def test_a_staged_file_moves_in(objects: Objects) -> None:
    with objects.staging() as file:
        file.write_bytes(b"big")
        assert objects.put_file("a/big", file, create=True)
        assert not file.exists()
    with objects.staging() as file:
        file.write_bytes(b"other")
        assert not objects.put_file("a/big", file, create=True)
        assert not file.exists()
    assert objects.get("a/big") == b"big"
    with objects.staging() as file:
        assert objects.put_file("a/big", file)
    assert objects.get("a/big") == b""


def test_an_unused_staged_file_is_removed(objects: Objects) -> None:
    with pytest.raises(KeyError), objects.staging() as file:
        raise KeyError
    assert not file.exists()


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "a/./b", "a/\0"])
def test_a_path_cannot_leave_the_store(path: str, objects: Objects) -> None:
    with pytest.raises(ValueError, match="object path"):
        check_path(path)
    with pytest.raises(ValueError, match="object path"):
        objects.put(path, b"")


def test_a_folder_goes_to_another_process(folder: Objects) -> None:
    folder.put("a", b"1")
    copy = pickle.loads(pickle.dumps(folder))
    assert copy.get("a") == b"1"
    assert copy.put("b/c", b"2")
    assert folder.get("b/c") == b"2"


def test_memory_does_not_go_to_another_process() -> None:
    with pytest.raises(StorageError, match="another process"):
        pickle.dumps(memory())


def test_a_bucket_is_opened_anew_in_another_process() -> None:
    bucket = open_config({"type": "s3", "bucket": "films", "db_path": "/db/", "endpoint": "http://127.0.0.1:9"})
    assert pickle.loads(pickle.dumps(bucket)).where == "s3://films/db"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"type": "tape"}, "tape"),
        ({"type": "posix"}, "db_path"),
        ({"type": "s3", "db_path": "x"}, "bucket"),
        ({"type": "gcs"}, "bucket"),
    ],
)
def test_a_wrong_configuration_is_named(config: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        open_config(config)


def test_posix_is_the_default_and_its_folder_is_made(tmp_path: Path) -> None:
    open_config({"db_path": str(tmp_path / "new" / "db")}).put("a", b"1")
    assert (tmp_path / "new" / "db" / "a").read_bytes() == b"1"


def test_a_file_where_the_database_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    with pytest.raises(ConfigError, match=r"film\.mp4.*another db_path"):
        open_local(tmp_path / "film.mp4")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_to_be_full(folder: Objects, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def full(fd: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull, match=r"data/x.*free space"):
        folder.put("data/x", b"1" * 100)
    monkeypatch.undo()
    assert folder.list("") == []
    assert list(folder.staging_folder().iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_really_full_device_is_said_to_be_full(folder: Objects) -> None:
    with pytest.raises(StorageFull), storage_errors("/dev/full", "write"):
        Path("/dev/full").write_bytes(b"1")


def test_other_trouble_of_the_disk_is_told(folder: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(fd: int, count: int, at: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    folder.put("a", b"1")
    monkeypatch.setattr(os, "pread", broken)
    with pytest.raises(StorageError, match=r"read .*/a: Input/output error"):
        folder.get_range("a", 0, 1)


def test_no_permission_is_told(folder: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(StorageError, match=r"No permission to read .*owner"):
        folder.get_tail("a", 1)


def test_a_disk_without_hard_links_is_named(folder: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(StorageError, match="no hard links"):
        folder.put("a", b"1", create=True)
    assert folder.put("a", b"1")


def test_bytes_are_synced_before_the_name_shows(folder: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    sync, link = os.fsync, os.link

    def fsync(fd: int) -> None:
        seen.append("folder" if Path(f"/proc/self/fd/{fd}").is_dir() else "file")
        sync(fd)

    def name(a: str, b: str) -> None:
        seen.append("name")
        link(a, b)

    folder.put("a/0", b"1")
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "link", name)
    folder.put("a/1", b"1", create=True)
    assert seen == ["file", "name", "folder"]
    seen.clear()
    folder.put("new/deep/1", b"1", create=True)
    assert seen == ["file", "folder", "folder", "name", "folder"]


def test_what_a_killed_process_left_is_swept_when_the_folder_is_next_opened(tmp_path: Path) -> None:
    """Never what a living process has there, nor, before long, what nobody here can tell about."""
    staging = open_local(tmp_path).staging_folder()
    dead = staging / f"scanner-{dead_owner()}-abc"
    ours = staging / f"scanner-{owner()}-abc"
    another = staging / f"scanner-m{'f' * 12}{owner()[13:]}-abc"  # of another machine
    old, fresh = staging / "old", staging / "fresh"
    for file in (dead, ours, another, old, fresh):
        file.write_bytes(b"1")
    os.utime(old, (time.time() - STRANGE_SECONDS - 60,) * 2)
    objects = open_local(tmp_path)
    assert sorted(staging.iterdir()) == sorted([ours, another, fresh])
    assert objects.list("") == []


def test_what_a_killed_process_left_on_the_way_to_a_bucket_is_swept(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, ours, users = (
        tmp_path / name for name in (f"scanner-{dead_owner()}-a.mp4", f"scanner-{owner()}-a", "scanner-x")
    )
    for file in (dead, ours, users):
        file.write_bytes(b"1")
    os.utime(users, (0, 0))
    RemoteObjects.bucket("s3", "db", "", {})
    assert sorted(tmp_path.iterdir()) == sorted([ours, users])


def test_an_object_tells_when_it_was_stored(objects: Objects) -> None:
    before = time.time() - 2
    objects.put("a/1", b"1")
    assert before < objects.written("a/1") < time.time() + 2
    with pytest.raises(ObjectMissing):
        objects.written("a/2")


def test_a_database_without_room_for_new_files_is_told_as_one(tmp_path: Path) -> None:
    """Before anything is written, too: on a read-only disk, making the folder is what fails."""
    (tmp_path / STAGING).write_text("in the way")
    with pytest.raises(StorageError, match=rf"Cannot make {tmp_path}.*Check the disk"), open_local(tmp_path).staging():
        pass


def test_a_folder_pruned_by_another_comes_back(tmp_path: Path) -> None:
    """Two processes share a database: one deletes the last object of a folder the other writes to."""
    mine, theirs = open_local(tmp_path), open_local(tmp_path)
    mine.put("a/b/1", b"1")
    theirs.delete(["a/b/1"])
    assert not (tmp_path / "a").exists()
    assert mine.put("a/b/2", b"2", create=True)
    assert theirs.get("a/b/2") == b"2"


def test_creating_and_pruning_race_harmlessly(tmp_path: Path) -> None:
    a, b = open_local(tmp_path, durable=False), open_local(tmp_path, durable=False)

    def work(objects: Objects, name: str) -> bool:
        for _ in range(150):
            objects.put(f"deep/er/{name}", b"1", create=True)
            objects.delete([f"deep/er/{name}"])
        return True

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(work, (a, b), "xy"))


KILLED = """
import os, sys
from scannerpy._store.chunk import ChunkWriter
from scannerpy._store.objects import open_local
objects = open_local(sys.argv[1])
print("ready", flush=True)
for k in range(100_000):
    writer = ChunkWriter("blob", start=k)
    writer.add(os.urandom(50_000))
    writer.to(objects, f"data/k/c-x/{int(sys.argv[2]):02d}-{k:06d}")
"""


def test_a_killed_process_leaves_whole_objects_only(tmp_path: Path) -> None:
    objects = open_local(tmp_path)
    for attempt in range(4):
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(attempt)]
        before = len(objects.list("data"))
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            while len(objects.list("data")) < before + 3:
                assert process.poll() is None
            process.kill()
    found, damaged = find_chunks(objects, "data/k/c-x")
    assert not damaged
    assert len(found) >= 12
