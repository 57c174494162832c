"""A file becomes a table: its rows are those a sequential decode shows, it is read once, and bad ones are named."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from scannerpy._store.catalog import Catalog, ColumnRecord, TableRecord, numbered
from scannerpy._store.layout import key_folder
from scannerpy._store.manifest import write_manifest
from scannerpy._store.objects import open_local
from scannerpy._video import ingest as ingest_module
from scannerpy._video.column import FrameColumn
from scannerpy._video.ingest import Known, ingest
from scannerpy.errors import CorruptObject, IngestError, StorageFull, VideoError
from scannerpy.testing import videos

from .conftest import decoded, same

SOME = [
    "h264-mp4",
    "h264-edit-list",
    "h264-rotated-90",
    "hevc-mp4",
    "vp9-webm",
    "mpeg2-ts",
    "mjpeg-avi",
    "h264-odd-size",
]


def numbers(objects, found):
    return [videos.read_number(frame) for frame in FrameColumn(objects, found.refs).read()]


@pytest.fixture
def scans(monkeypatch):
    """The files scanned so far."""
    seen = []
    scan = ingest_module.scan
    monkeypatch.setattr(
        ingest_module, "scan", lambda file, *args, **more: seen.append(file) or scan(file, *args, **more)
    )
    return seen


@pytest.fixture
def clip(fixture, tmp_path):
    """A clip of its own for each test, written some time ago."""
    path = tmp_path / "clip.mp4"
    shutil.copy(fixture("h264-mp4"), path)
    age(path)
    return path


def age(path, seconds=3600):
    os.utime(path, (time.time() - seconds,) * 2)


def entered(objects, found, name="t", now=None):
    """Put a table into the catalog as a client does, at a time of day, and give what the next ingest knows."""
    catalog = Catalog(objects)
    record = TableRecord(
        0, name, (ColumnRecord("frame", is_video=True),), found.rows, True, None, found.key,
        write_manifest(objects, found.key, {"frame": found.refs}), found.source, now or time.time(),
    )  # fmt: skip
    return Known(catalog.transact(lambda state: [numbered(state, [record])]))


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("inplace", [False, True])
def test_rows_are_those_of_a_sequential_decode(objects, fixture, name, inplace):
    path = fixture(name)
    found = ingest(objects, path, inplace=inplace)
    column = FrameColumn(objects, found.refs)
    assert same(list(column.read()), list(decoded(path)))
    assert numbers(objects, found) == list(videos.CATALOGUE[name].shows)
    assert found.rows == column.rows
    assert (found.problems, found.scanned) == ((), True)


def test_in_place_stores_the_index_only(objects, clip):
    found = ingest(objects, clip, inplace=True)
    assert found.source.inplace
    assert sum(size for _, size in objects.list("")) < 3000 < clip.stat().st_size
    video = FrameColumn(objects, found.refs).video(0)
    assert video.external.path == str(clip)


def test_what_cannot_be_read_in_place_is_copied(objects, fixture):
    found = ingest(objects, fixture("h264-ts"), inplace=True)
    assert not found.source.inplace
    assert FrameColumn(objects, found.refs).video(0).external is None
    assert numbers(objects, found) == list(range(50))


def test_a_copied_file_may_go(objects, clip):
    found = ingest(objects, clip)
    clip.unlink()
    assert numbers(objects, found) == list(range(50))


@pytest.mark.parametrize("inplace", [False, True])
def test_an_unchanged_file_is_not_scanned_again(objects, clip, scans, inplace):
    first = ingest(objects, clip, inplace=inplace)
    known = entered(objects, first)
    again = ingest(objects, clip, inplace=inplace, known=known)
    assert (again.key, again.refs, again.rows, again.source) == (first.key, first.refs, first.rows, first.source)
    assert not again.scanned
    assert len(scans) == 1


@pytest.mark.parametrize("inplace", [False, True])
def test_an_unchanged_file_is_not_even_hashed(objects, clip, monkeypatch, inplace):
    known = entered(objects, ingest(objects, clip, inplace=inplace))
    monkeypatch.setattr(ingest_module, "_digest", None)
    ingest(objects, clip, inplace=inplace, known=known)


@pytest.mark.parametrize("inplace", [False, True])
def test_a_touched_file_is_hashed_and_not_scanned(objects, clip, scans, inplace):
    known = entered(objects, ingest(objects, clip, inplace=inplace))
    age(clip, 60)
    again = ingest(objects, clip, inplace=inplace, known=known)
    assert len(scans) == 1
    assert again.source.mtime_ns == clip.stat().st_mtime_ns
    assert numbers(objects, again) == list(range(50))


def test_the_same_bytes_under_another_name_are_stored_once(objects, clip, scans, tmp_path):
    first = ingest(objects, clip)
    known = entered(objects, first)
    shutil.copy(clip, tmp_path / "other.mp4")
    before = objects.list("data")
    second = ingest(objects, tmp_path / "other.mp4", known=known)
    assert objects.list("data") == before
    assert (second.key, second.refs) == (first.key, first.refs)
    assert second.source.path == str(tmp_path / "other.mp4")
    assert len(scans) == 1


def test_the_same_bytes_in_place_elsewhere_are_not_scanned(objects, clip, scans, tmp_path):
    known = entered(objects, ingest(objects, clip, inplace=True))
    shutil.move(clip, tmp_path / "moved.mp4")
    moved = ingest(objects, tmp_path / "moved.mp4", inplace=True, known=known)
    assert len(scans) == 1
    assert numbers(objects, moved) == list(range(50))


def test_a_batch_knows_its_own(objects, clip, scans, tmp_path):
    known = Known()
    known.learn(ingest(objects, clip, known=known), time.time())
    shutil.copy(clip, tmp_path / "other.mp4")
    assert not ingest(objects, tmp_path / "other.mp4", known=known).scanned
    assert len(scans) == 1


def test_copied_bytes_serve_an_in_place_request_but_not_the_other_way_round(objects, clip, scans):
    known = entered(objects, ingest(objects, clip, inplace=True))
    copied = ingest(objects, clip, known=known)
    assert not copied.source.inplace
    assert len(scans) == 2
    known.learn(copied, time.time())
    assert ingest(objects, clip, inplace=True, known=known).refs == copied.refs
    assert len(scans) == 2


def test_a_changed_file_is_another(objects, clip, fixture):
    first = ingest(objects, clip)
    known = entered(objects, first)
    shutil.copy(fixture("h264-no-b"), clip)
    age(clip, 30)
    second = ingest(objects, clip, known=known)
    assert second.key != first.key
    assert numbers(objects, second) == numbers(objects, first) == list(range(50))


def test_a_change_within_the_clocks_tick_is_noticed(objects, clip):
    """Same path, size and time, written just before it was ingested: the hash decides."""
    first = ingest(objects, clip)
    known = entered(objects, first, now=clip.stat().st_mtime + 1)
    status, data = clip.stat(), bytearray(clip.read_bytes())
    data[-1] ^= 1
    clip.write_bytes(data)
    os.utime(clip, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert ingest(objects, clip, known=known).source.content != first.source.content


@pytest.mark.parametrize("how", ["lost", "damaged", "cut"])
def test_a_stored_chunk_that_is_gone_bad_is_made_again(objects, clip, how):
    first = ingest(objects, clip)
    known = entered(objects, first)
    (ref,) = first.refs
    whole = objects.get(ref.path)
    match how:
        case "lost":
            objects.delete([ref.path])
        case "damaged":
            objects.put(ref.path, whole[:-20] + bytes(20))
        case "cut":
            objects.put(ref.path, whole[:100])
    again = ingest(objects, clip, known=known)
    assert again.scanned
    assert again.refs == first.refs
    assert objects.get(ref.path) == whole


def test_a_crash_before_the_catalog_costs_a_scan_and_no_space(objects, clip):
    first = ingest(objects, clip)
    second = ingest(objects, clip)
    assert second.refs == first.refs
    assert len(objects.list(key_folder(first.key))) == 1


@pytest.mark.parametrize("name", sorted(videos.DAMAGED))
def test_the_readable_rows_of_a_damaged_file_stay(objects, fixture, name):
    """And those that are not are refused by name, never guessed."""
    found = ingest(objects, fixture(name))
    shown = [read_one(objects, found, row) for row in range(found.rows)]
    readable = [number for number in shown if number is not None]
    assert len(readable) > 10
    assert readable == sorted(set(readable))
    assert len(readable) == found.rows or not name.startswith(("truncated", "cut"))


def read_one(objects, found, row):
    try:
        (frame,) = FrameColumn(objects, found.refs).read([row])
    except VideoError:
        return None
    return videos.read_number(frame)


def test_what_is_lost_is_told_and_told_again(objects, fixture):
    found = ingest(objects, fixture("truncated-mp4"))
    assert found.problems
    again = ingest(objects, fixture("truncated-mp4"), known=entered(objects, found))
    assert again.problems == found.problems


ONE_SENTENCE = {
    "missing": r"no-such\.mp4 does not exist: check the path",
    "directory": r"is a directory.*name the files",
    "empty": r"is empty.*again",
    "text": r"is text, not a video",
    "text-named-mp4": r"begins with 'not a video at all",
    "sound-only": r"holds no video.*audio.*name the file",
    "truncated-before-moov": r"without its table of contents.*copy it again",
    "pipe": r"pipe is not a regular file",
    "no-frame": r"no-frame\.mkv.*not a single frame.*ffmpeg",
    "long-name": r"cannot be read \(File name too long\)",
}


@pytest.mark.parametrize("kind", sorted(ONE_SENTENCE))
@pytest.mark.parametrize("inplace", [False, True])
def test_a_bad_file_gets_one_sentence_what_where_and_what_next(objects, fixture, tmp_path, kind, inplace):
    match kind:
        case "missing":
            path = tmp_path / "no-such.mp4"
        case "pipe":
            path = tmp_path / "pipe"
            os.mkfifo(path)
        case "no-frame":
            path = tmp_path / "no-frame.mkv"
            whole = bytearray(fixture("h264-mkv").read_bytes())
            packets = FrameColumn(objects, ingest(objects, fixture("h264-mkv"), inplace=True).refs).video(0).index
            for at, size in zip(packets.offset.tolist(), packets.size.tolist(), strict=True):
                whole[at : at + size] = bytes(size)
            path.write_bytes(whole)
        case "long-name":
            path = tmp_path / ("x" * 300)
        case _:
            path = fixture(kind)
    stored = objects.list("")
    with pytest.raises(IngestError, match=ONE_SENTENCE[kind]) as caught:
        ingest(objects, path, inplace=inplace)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert objects.list("") == stored


def test_a_file_that_may_not_be_read(objects, clip, monkeypatch):
    def refused(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(clip))

    monkeypatch.setattr(ingest_module.Path, "open", refused)
    with pytest.raises(IngestError, match=r"clip\.mp4 may not be read"):
        ingest(objects, clip)


def test_a_file_still_being_written_is_refused(objects, clip, monkeypatch):
    scan = ingest_module.scan

    def growing(*args, **kwargs):
        found = scan(*args, **kwargs)
        with clip.open("ab") as file:
            file.write(b"more")
        return found

    monkeypatch.setattr(ingest_module, "scan", growing)
    with pytest.raises(IngestError, match=r"changed while it was read.*complete"):
        ingest(objects, clip)


def test_a_full_disk_is_the_databases_fault(clip, tmp_path, monkeypatch):
    objects = open_local(tmp_path / "full")

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        ingest(objects, clip)
    monkeypatch.undo()
    assert objects.list("") == []
    assert list(objects.staging_folder().iterdir()) == []


def test_relative_paths_and_home_are_understood(objects, clip, monkeypatch):
    monkeypatch.chdir(clip.parent)
    monkeypatch.setenv("HOME", str(clip.parent))
    for path in ("clip.mp4", "~/clip.mp4", "./clip.mp4"):
        assert ingest(objects, path).source.path == str(clip)


def test_odd_names_are_only_names(objects, clip):
    for name in ("a:b.mp4", "spa ce.mp4", "ünï.mp4", "%41.mp4", "concat:x.mp4", "-.mp4", "no extension", "x.txt"):
        path = clip.parent / name
        shutil.copy(clip, path)
        assert ingest(objects, path).rows == 50


class TestInPlace:
    """The file must stay as it was."""

    def column(self, objects, clip):
        return FrameColumn(objects, ingest(objects, clip, inplace=True).refs)

    def test_a_file_that_grew_is_refused(self, objects, clip):
        column = self.column(objects, clip)
        with clip.open("ab") as file:
            file.write(b"x")
        with pytest.raises(VideoError, match=r"clip\.mp4 has changed since.*force=True"):
            list(column.read())

    def test_a_file_written_again_is_refused(self, objects, clip):
        column = self.column(objects, clip)
        clip.write_bytes(clip.read_bytes())
        with pytest.raises(VideoError, match="has changed since"):
            list(column.read())

    def test_a_file_that_is_gone_is_named(self, objects, clip):
        column = self.column(objects, clip)
        clip.unlink()
        with pytest.raises(VideoError, match=r"clip\.mp4 cannot be read \(No such file.*put it back"):
            list(column.read())

    def test_a_pipe_in_its_place_is_not_waited_for(self, objects, clip):
        column = self.column(objects, clip)
        clip.unlink()
        os.mkfifo(clip)
        with pytest.raises(VideoError, match="has changed since"):
            list(column.read())

    def test_a_change_while_it_is_read_is_noticed(self, objects, clip):
        column = self.column(objects, clip)
        list(column.read([0, 1]))
        os.utime(clip)
        with pytest.raises(VideoError, match="has changed since"):
            list(column.read([49]))

    def test_put_back_it_is_read_again(self, objects, clip):
        column = self.column(objects, clip)
        away = clip.rename(clip.with_suffix(".away"))
        with pytest.raises(VideoError):
            list(column.read())
        away.rename(clip)
        assert [videos.read_number(frame) for frame in column.read()] == list(range(50))

    def test_closing_closes_the_file(self, objects, clip):
        column = self.column(objects, clip)
        list(column.read([0]))
        assert str(clip) in _open_files()
        column.close()
        assert str(clip) not in _open_files()
        assert videos.read_number(next(column.read([7]))) == 7


def _open_files():
    return {os.path.realpath(fd) for fd in Path("/proc/self/fd").iterdir()}


def test_a_damaged_copy_is_never_decoded(objects, clip):
    found = ingest(objects, clip)
    data = bytearray(objects.get(found.refs[0].path))
    data[len(data) // 2] ^= 4
    objects.put(found.refs[0].path, bytes(data))
    with pytest.raises(CorruptObject, match=r"damaged.*ingest its video"):
        list(FrameColumn(objects, found.refs).read())


def test_any_rows_of_an_ingested_video(objects, fixture):
    path = fixture("h264-open-gop")
    expected = list(decoded(path))
    for inplace in (False, True):
        column = FrameColumn(objects, ingest(objects, path, inplace=inplace).refs)
        rows = np.random.default_rng(0).integers(0, 50, 200).tolist()
        assert same(list(column.read(rows)), [expected[row] for row in rows])
