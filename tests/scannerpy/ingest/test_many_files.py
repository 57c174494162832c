"""Thousands of files at once: the broken ones get a sentence each, the others a table, and nothing hangs.

Here with a hundred; `benchmarks/ingest.py` does it with ten thousand and prints the rate.
"""

from __future__ import annotations

import os
import re

import pytest

import scannerpy as sp
from scannerpy._client import readers
from scannerpy._engine import counting, pool
from scannerpy._store.local import LocalObjects
from scannerpy.errors import IngestError
from scannerpy.storage import NamedVideoStorage
from scannerpy.testing.broken import KINDS

from . import crashing

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


def test_a_file_that_crashes_ffmpeg_takes_no_other_with_it(workers, copies, tmp_path, monkeypatch):
    """The crash is a stand-in: a process that ends when it sees the name."""
    monkeypatch.setattr(readers, "MANY", 10)
    monkeypatch.setattr(readers.sizing, "machine_cpus", lambda: 2)
    monkeypatch.setattr(readers, "_read", crashing.read_or_crash)
    videos = copies(14)
    bad = tmp_path / "crash.mp4"
    bad.write_bytes(b"x")
    videos.insert(5, ("bad", str(bad)))
    tables, failures = workers.ingest_videos(videos, show_progress=False)
    assert [table.name() for table in tables] == [name for name, _ in videos if name != "bad"]
    [(path, reason)] = failures
    assert path == str(bad)
    assert "makes FFmpeg crash" in reason


def test_processes_end_with_the_ingest_and_never_import_the_program(workers, copies, monkeypatch):
    monkeypatch.setattr(readers, "MANY", 2)
    monkeypatch.setattr(readers.sizing, "machine_cpus", lambda: 2)
    workers.ingest_videos(copies(4), show_progress=False)
    assert not pool._context.active_children()


def test_tables_enter_the_catalog_in_batches_after_their_bytes_are_safe(cl, copies, monkeypatch):
    """One flush and one entry for each five hundred; here, for each ten."""
    from scannerpy._client import ingesting

    happened = []
    monkeypatch.setattr(ingesting, "BATCH", 10)
    monkeypatch.setattr(LocalObjects, "sync", lambda self: happened.append("sync"))
    enter = ingesting.Ingest._enter
    monkeypatch.setattr(ingesting.Ingest, "_enter", lambda self, read: happened.append(len(read)) or enter(self, read))
    cl.ingest_videos(copies(25), show_progress=False)
    assert happened == ["sync", 10, "sync", 10, "sync", 5]


def test_streams_are_ingested_in_the_batches_asked_for(cl, copies, monkeypatch):
    from scannerpy._client import ingesting

    entered = []
    enter = ingesting.Ingest._enter
    monkeypatch.setattr(ingesting.Ingest, "_enter", lambda self, read: entered.append(len(read)) or enter(self, read))
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
