"""Thousands of files at once: the broken ones get a sentence each, the others a table, and nothing hangs.

Here with a hundred; `benchmarks/ingest.py` does it with ten thousand and prints the rate.
"""

from __future__ import annotations

import os
import queue
import re
import threading
from functools import partial
from pathlib import Path

import pytest

import scannerpy as sp
from scannerpy._client import readers, watching
from scannerpy._engine import counting, pool
from scannerpy._store.local import LocalObjects
from scannerpy._words.heartbeat import Heartbeat
from scannerpy.errors import ConfigError, IngestError, StorageError
from scannerpy.storage import NamedVideoStorage
from scannerpy.testing.broken import KINDS
from tests.clips import write_clip

from . import troubled

NEXT_STEP = re.compile(
    r"(check|name|copy|save|store|see what|re-encode|give a file|leave it out|download)", re.IGNORECASE
)
SAID = {
    "missing": "does not exist",
    "directory": "is a directory",
    "empty": "0 bytes",
    "text": "404 Not Found",
    "sound only": "only audio",
    "without moov": "moov",
    "garbage moov": "headers are damaged",
    "unknown codec": "no decoder",
    "no frames": "without a single frame",
    "picture": "is a picture",
    "endless link": "symbolic links",
    "pipe": "not a regular file",
}


@pytest.mark.parametrize("in_processes", [False, True])
def test_broken_files_among_many_get_a_sentence_each_and_the_others_a_table(
    cl, workers, copies, tmp_path, monkeypatch, in_processes
):
    monkeypatch.setattr(readers, "MANY", 10)
    monkeypatch.setattr(readers.sizing, "machine_cpus", lambda: 2)
    client = workers if in_processes else cl
    videos = copies(88)
    for place, (kind, make) in enumerate(KINDS.items()):
        path = tmp_path / f"{kind}.mp4"
        make(path)
        videos.insert(place * 7, (kind, str(path)))
    tables, failures = client.ingest_videos(videos, show_progress=False)
    assert [table.name() for table in tables] == [name for name, _ in videos if name not in KINDS]
    assert all(table.committed() and table.num_rows() == 8 for table in tables)
    assert [path for path, _ in failures] == [path for name, path in videos if name in KINDS]
    for (path, reason), kind in zip(failures, KINDS, strict=True):
        assert path in reason
        assert SAID[kind] in reason
        assert NEXT_STEP.search(reason.replace(path, ""))


@pytest.fixture
def two_processes(monkeypatch):
    """Files are read in two processes, however few there are."""
    monkeypatch.setattr(readers, "MANY", 2)
    monkeypatch.setattr(readers.sizing, "machine_cpus", lambda: 2)


def test_a_file_that_crashes_ffmpeg_takes_no_other_with_it(workers, copies, tmp_path, monkeypatch, two_processes):
    """The crash is a stand-in: a process that ends when it sees the name."""
    monkeypatch.setattr(readers, "_serve", troubled.serve_and_crash)
    videos = copies(14)
    bad = tmp_path / "crash.mp4"
    bad.write_bytes(b"x")
    videos.insert(5, ("bad", str(bad)))
    tables, failures = workers.ingest_videos(videos, show_progress=False)
    assert [table.name() for table in tables] == [name for name, _ in videos if name != "bad"]
    [(path, reason)] = failures
    assert path == str(bad)
    assert "makes FFmpeg crash" in reason


def test_a_file_whose_process_died_once_is_read_again(workers, copies, tmp_path, monkeypatch, two_processes):
    """The process may have been killed for its memory, or by hand: that is not the file's fault."""
    monkeypatch.setattr(readers, "_serve", troubled.serve_and_crash)
    once = write_clip(tmp_path / "crash once.mp4", 9)
    tables, failures = workers.ingest_videos([*copies(4), ("once", str(once))], show_progress=False)
    assert [table.num_rows() for table in tables] == [8, 8, 8, 8, 9]
    assert failures == []


@pytest.fixture
def hanging(tmp_path, monkeypatch):
    """Return a function that makes files whose reading never ends; afterwards, they are let go."""
    monkeypatch.setattr("scannerpy._video.ingest._checked", troubled.looked_at)
    monkeypatch.setattr(readers, "_serve", troubled.serve_and_hang)
    made = []

    def make(count):
        for number in range(count):
            made.append(tmp_path / f"stuck {number}.mp4")
            os.mkfifo(made[-1])
        return [(f"stuck {number}", str(path)) for number, path in enumerate(made)]

    yield make
    for path in made:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))  # wakes up whoever waits to open it
    for thread in threading.enumerate():
        if thread.name == "scanner-ingest":
            thread.join(60)


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on only where nothing but hanging files is being read."""
    clock = troubled.Clock((readers._InThisProcess, readers._InOwnProcess), monkeypatch)
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(readers, "WatchedThreads", partial(watching.WatchedThreads, now=clock))
    return clock


@pytest.mark.parametrize("in_processes", [False, True])
def test_files_that_hang_are_given_up_and_all_others_become_tables(
    cl, workers, copies, hanging, clock, two_processes, in_processes
):
    """More of them than there are threads; a pipe stands for a disk that does not answer."""
    client = workers if in_processes else cl
    good, stuck = copies(6), hanging(3)
    videos = [good[0], *stuck, *good[1:]]
    tables, failures = client.ingest_videos(videos, show_progress=False)
    assert [table.name() for table in tables] == [name for name, _ in good]
    assert [path for path, _ in failures] == [path for _, path in stuck]
    for path, reason in failures:
        assert path in reason
        assert "for 60 s nothing more could be read of it" in reason
        assert NEXT_STEP.search(reason.replace(path, ""))
    assert not pool._context.active_children()


def test_a_single_file_that_hangs_is_given_up_too(cl, hanging, clock):
    [(_, path)] = hanging(1)
    with pytest.raises(IngestError, match="for 5 s nothing more could be read of it"):
        cl.ingest_videos([("stuck", path)], file_timeout=5)


def test_a_hanging_input_of_a_run_fails_it_by_the_configured_time(config, hanging, clock, tmp_path):
    [(_, path)] = hanging(1)
    with Path(config.config_path).open("a") as file:
        file.write("[ingest]\nfile_timeout = 7\n")
    with sp.Client(config=sp.Config(config.config_path), debug=True) as client:
        video = sp.NamedVideoStream(client, "stuck", path=path)
        with pytest.raises(IngestError, match=r"stream 'stuck'.* for 7 s nothing more"):
            video.len()


def test_without_a_limit_a_slow_file_is_waited_for(cl, copies, hanging, clock):
    """It comes to its end when somebody writes to the pipe: then it is read, and refused for what it is."""
    [slow] = hanging(1)
    writer = threading.Thread(target=lambda: Path(slow[1]).write_bytes(b"at last"))
    writer.start()
    _, failures = cl.ingest_videos([slow, *copies(1)], file_timeout=0, show_progress=False)
    writer.join()
    assert "is empty" in failures[0][1]


@pytest.mark.parametrize("wrong", [-1, "60", float("nan"), float("inf"), True])
def test_a_limit_that_is_none_is_refused(cl, clip, wrong):
    with pytest.raises(ConfigError, match=r"file_timeout is .*give seconds, or 0 for no limit"):
        cl.ingest_videos([("a", clip())], file_timeout=wrong)


def test_what_reading_raises_in_a_process_reaches_the_program(workers, copies, two_processes, tmp_path):
    """A database whose disk is full, for one, is not the file's fault: no reason is made of it, it is raised."""
    (tmp_path / "db" / "data").parent.mkdir(exist_ok=True)
    (tmp_path / "db" / "data").write_bytes(b"in the way of a folder")
    with pytest.raises(StorageError, match="data"):
        workers.ingest_videos(copies(4), show_progress=False)
    assert not pool._context.active_children()


def test_an_interrupted_ingest_leaves_no_thread_at_work():
    """What was raised while others were being read ends those too, at their next sign of life."""
    assert not _alive_after_an_interrupt(queue.SimpleQueue())


def test_an_interrupted_ingest_ends_a_thread_that_is_just_taking_a_file():
    class Slow(queue.SimpleQueue):
        def get(self, *args):
            taken = super().get(*args)
            if taken and taken[1][0] == "for ever":
                begun.set()
                threading.Event().wait(0.2)  # the thread does not know yet what it has
            return taken

    begun = threading.Event()
    assert not _alive_after_an_interrupt(Slow(), begun)


def test_an_interrupted_ingest_does_not_wait_for_a_file_that_a_thread_has_taken_meanwhile():
    class Contested(queue.SimpleQueue):
        def empty(self):
            nothing = super().empty()
            while not super().empty():
                self.get()  # as threads do, just after it was seen to be there
            return nothing

    assert not _alive_after_an_interrupt(Contested())


def _alive_after_an_interrupt(files, begun=None):
    threads = watching.WatchedThreads(partial(_Beating, begun), 2, 0, str)
    threads._queues = watching._Queues(files, queue.SimpleQueue())
    with pytest.raises(KeyboardInterrupt), threads:
        list(threads.each([(name, False) for name in ("for ever", "interrupts", "for ever", "never begun")]))
    return [each for each in threads._threads if each.thread.is_alive()]


@pytest.mark.parametrize(("given_up", "left"), [(0, [(1, ("for ever", False))]), (1, [])])
def test_a_thread_given_up_when_it_is_at_its_next_file_already_hands_that_back(given_up, left):
    files, answers = queue.SimpleQueue(), queue.SimpleQueue()
    for task in ((0, ("interrupts", False)), (1, ("for ever", False))):
        files.put(task)
    thread = watching._WatchedThread(_Beating(), watching._Queues(files, answers), 0.0)
    assert answers.get(timeout=60)[0] == 0
    while thread.at is None or thread.at[0] != 1:
        pass
    thread.give_up(given_up)
    thread.thread.join(60)
    assert [files.get_nowait() for _ in range(files.qsize())] == left


class _Beating:
    """Reads a file that has no end, until it is given up; the other interrupts the program."""

    def __init__(self, begun=None):
        self.heartbeat = Heartbeat()
        self.counters = self.heartbeat.counters
        self.begun = begun

    def read(self, file):
        if file[0] == "interrupts":
            if self.begun:
                self.begun.wait()
            raise KeyboardInterrupt
        with self.heartbeat.reading():
            while True:
                self.heartbeat.beat()

    def end(self):
        """A thread cannot be ended."""


def test_processes_end_with_the_ingest_and_never_import_the_program(workers, copies, two_processes):
    workers.ingest_videos(copies(4), show_progress=False)
    assert not pool._context.active_children()


def test_tables_enter_the_catalog_in_batches_after_their_bytes_are_safe(cl, copies, monkeypatch):
    """One flush and one entry for each five hundred; here, for each ten."""
    from scannerpy._client import ingesting

    happened = []
    monkeypatch.setattr(ingesting, "BATCH", 10)
    monkeypatch.setattr(LocalObjects, "sync", lambda self: happened.append("sync"))
    enter = ingesting.Ingest._enter
    monkeypatch.setattr(
        ingesting.Ingest, "_enter", lambda self, read, token: happened.append(len(read)) or enter(self, read, token)
    )
    cl.ingest_videos(copies(25), show_progress=False)
    assert happened == ["sync", 10, "sync", 10, "sync", 5]


def test_streams_are_ingested_in_the_batches_asked_for(cl, copies, monkeypatch):
    from scannerpy._client import ingesting

    entered = []
    enter = ingesting.Ingest._enter
    monkeypatch.setattr(
        ingesting.Ingest, "_enter", lambda self, read, token: entered.append(len(read)) or enter(self, read, token)
    )
    streams = [sp.NamedVideoStream(cl, name, path=path) for name, path in copies(7)]
    NamedVideoStorage().ingest(cl, streams, batch=3)
    assert entered == [3, 3, 1]
    assert [stream.len() for stream in streams] == [8] * 7
    assert len(entered) == 3  # once per handle


def test_when_all_fail_that_is_an_error(cl, tmp_path):
    with pytest.raises(IngestError, match=r"all 3 videos failed.*does not exist"):
        cl.ingest_videos([(f"v{k}", str(tmp_path / f"{k}.mp4")) for k in range(3)])


def test_what_is_put_unsynced_is_flushed_by_sync(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(os, "fsync", lambda fd: calls.append("fsync"))
    monkeypatch.setattr("scannerpy._store.local._sync_file_system", lambda fd: calls.append("whole"))
    objects = LocalObjects(tmp_path)
    objects.unsynced().put("a/b", b"x")
    assert calls == []
    objects.sync()
    assert calls == ["whole"]
    assert objects.get("a/b") == b"x"
    LocalObjects(tmp_path, durable=False).sync()
    assert calls == ["whole"]


def test_the_file_system_can_be_flushed(tmp_path):
    LocalObjects(tmp_path).sync()


def test_progress_is_told_now_and_then_where_there_is_no_terminal(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(counting.time, "monotonic", lambda: now[0])
    with counting.counter(True, 100, "files") as count:
        for done in range(1, 101):
            now[0] += 1.0
            count(done, done // 50)
    assert capsys.readouterr().err.splitlines() == [
        "30 of 100 files, 1 files/s",
        "60 of 100 files, 1 files/s, 1 failed",
        "90 of 100 files, 1 files/s, 1 failed",
        "100 of 100 files, 1 files/s, 2 failed",
    ]


@pytest.mark.parametrize(("show", "total"), [(False, 1000), (True, 5)])
def test_nothing_is_drawn_for_few_or_where_it_is_not_wanted(capsys, show, total):
    with counting.counter(show, total, "files") as count:
        count(total, 0)
    assert capsys.readouterr().err == ""


def test_a_bar_is_drawn_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(counting, "in_notebook", lambda: True)
    with counting.counter(True, 40, "files") as count:
        count(40, 3)
    assert "3 failed" in capsys.readouterr().err
