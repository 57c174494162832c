"""A column of frames reads like a list, wherever its chunks end and however they are stored."""

from __future__ import annotations

import gc
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scannerpy._store.chunk import ChunkWriter, RowOutOfRange
from scannerpy._store.objects import memory
from scannerpy._video import column as column_module
from scannerpy._video import decode
from scannerpy._video.column import FrameColumn
from scannerpy._words.elements import NULL, NullElement
from scannerpy.errors import CorruptObject, VideoError
from scannerpy.testing import videos
from tests.scannerpy.columns.writing import write_frames

from .conftest import pictures, same

KINDS = ["video", "raw", "video", "video", "raw"]
SIZES = [23, 5, 17, 1, 9]


@pytest.fixture(scope="module")
def mixed():
    """Five chunks of two kinds, with nulls, and what a plain read of each gives."""
    objects = memory()
    refs, expected, start = [], [], 0
    for number, (kind, size) in enumerate(zip(KINDS, SIZES, strict=True)):
        rows = pictures(size, first=start)
        if number == 2:
            rows[0] = rows[6] = rows[7] = NULL
        ref = write_frames(objects, f"data/k/c-x/{number:08d}", rows, kind, {"keyframe_distance": 8}, start=start)
        refs.append(ref)
        start += size
    for row in range(start):  # each row by a reader of its own: no state, no order
        expected += list(FrameColumn(objects, refs).read([row]))
    return objects, refs, expected


def check(found, rows, expected):
    assert len(found) == len(rows)
    for frame, row in zip(found, rows, strict=True):
        if isinstance(expected[row], NullElement):
            assert frame == NULL
        else:
            assert np.array_equal(frame, expected[row])
            assert frame.flags.writeable
            assert frame.flags.c_contiguous


def test_each_row_is_the_one_it_should_be(mixed):
    _, _, expected = mixed
    for row, frame in enumerate(expected):
        assert isinstance(frame, NullElement) or videos.read_number(frame) == row


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_rows_in_any_order_with_duplicates(mixed, data):
    objects, refs, expected = mixed
    column = FrameColumn(objects, refs)
    for _ in range(data.draw(st.integers(1, 3))):
        rows = data.draw(st.lists(st.integers(0, len(expected) - 1), max_size=40))
        rows = sorted(rows) if data.draw(st.booleans()) else rows
        check(list(column.read(rows)), rows, expected)


def test_all_rows(mixed):
    objects, refs, expected = mixed
    column = FrameColumn(objects, refs)
    check(list(column.read()), range(len(expected)), expected)
    assert column.rows == len(expected)


def test_a_small_window_changes_nothing(mixed, monkeypatch):
    objects, refs, expected = mixed
    monkeypatch.setattr(column_module, "WINDOW_BYTES", 3 * 64 * 48 * 3)
    monkeypatch.setattr(column_module, "LONG_RUN", 3)
    monkeypatch.setattr(column_module, "IDLE_DECODERS", 1)
    rows = np.random.default_rng(5).integers(0, len(expected), 100).tolist()
    check(list(FrameColumn(objects, refs).read(rows)), rows, expected)


def test_bgr_turns_video_and_leaves_raw(mixed):
    objects, refs, expected = mixed
    for row, frame in enumerate(FrameColumn(objects, refs, bgr=True).read()):
        if isinstance(frame, NullElement):
            continue
        kind = KINDS[np.searchsorted(np.cumsum(SIZES), row, side="right")]
        assert np.array_equal(frame if kind == "raw" else frame[..., ::-1], expected[row])
        assert frame.flags.c_contiguous


def test_each_array_is_the_callers_own(mixed):
    objects, refs, expected = mixed
    rows = [3, 3, 3, 30, 30, 2, 24, 24, 3]
    found = []
    for frame in FrameColumn(objects, refs).read(rows):
        found.append(frame.copy())
        frame[:] = 0
    check(found, rows, expected)


def test_reads_may_be_interleaved(mixed):
    objects, refs, expected = mixed
    column = FrameColumn(objects, refs)
    rows = range(len(expected))
    for row, (a, b, c) in enumerate(zip(column.read(), column.read(), column.read(rows[::-1]), strict=True)):
        check([a, b, c], [row, row, len(expected) - 1 - row], expected)


def test_a_read_given_up_half_way_spoils_nothing(mixed):
    objects, refs, expected = mixed
    column = FrameColumn(objects, refs)
    for count in (1, 5, 22, 30):
        list(itertools.islice(column.read(), count))
        check(list(column.read([10, 40])), [10, 40], expected)


def test_neighbouring_tasks_go_on_in_the_same_decoder(monkeypatch):
    """The engine asks for ascending rows, task by task, and takes exactly as many as it asked for."""
    opened = []
    original = decode.open_decoder
    monkeypatch.setattr(decode, "open_decoder", lambda *args: opened.append(1) or original(*args))
    objects = memory()
    column = FrameColumn(objects, [write_frames(objects, "a", pictures(90), "video")])
    for first in range(0, 80, 10):
        reading = column.read(np.arange(first, first + 10))
        frames = [next(reading) for _ in range(10)]
        assert [videos.read_number(frame) for frame in frames] == list(range(first, first + 10))
    assert len(opened) <= len(column.keyframes()) < 8  # a keyframe is entered anew, nothing is decoded twice


@pytest.mark.parametrize("overlap", [1, 5])
def test_neighbouring_tasks_may_share_rows(monkeypatch, overlap):
    """Windows and warm-up reach back into the task before; the decoder need not start again for that."""
    opened = []
    original = decode.open_decoder
    monkeypatch.setattr(decode, "open_decoder", lambda *args: opened.append(1) or original(*args))
    objects = memory()
    column = FrameColumn(objects, [write_frames(objects, "a", pictures(90), "video", {"keyframe_distance": 250})])
    for first in range(10, 80, 10):
        rows = np.arange(first - overlap, first + 10)
        reading = column.read(rows)
        assert [videos.read_number(next(reading)) for _ in rows] == rows.tolist()
    assert len(opened) == len(column.keyframes()) == 1


def test_reading_is_lazy(monkeypatch, mixed):
    objects, refs, _ = mixed
    opened = []
    original = FrameColumn._opened
    monkeypatch.setattr(FrameColumn, "_opened", lambda self, chunk: opened.append(chunk.path) or original(self, chunk))
    reading = FrameColumn(objects, refs).read()
    assert opened == []
    next(reading)
    assert len(opened) == 1


def test_rows_that_are_not_there_are_refused_at_once(mixed):
    objects, refs, expected = mixed
    for rows in ([len(expected)], [0, -1]):
        with pytest.raises(RowOutOfRange, match=f"column of {len(expected)} rows"):
            FrameColumn(objects, refs).read(rows)
    with pytest.raises(IndexError):
        FrameColumn(objects, []).read([0])
    assert list(FrameColumn(objects, []).read()) == []


def test_keyframes_and_sizes(mixed):
    objects, refs, expected = mixed
    column = FrameColumn(objects, refs)
    keys = column.keyframes().tolist()
    assert keys[:3] == [0, 8, 16]
    assert set(range(23, 28)) <= set(keys)
    assert not any(isinstance(expected[row], NullElement) for row in keys)
    assert column.row_bytes == 64 * 48 * 3
    assert FrameColumn(objects, []).row_bytes == 0
    assert FrameColumn(objects, refs[1:2]).row_bytes == 64 * 48 * 3


def test_closing_is_allowed_any_time(mixed):
    objects, refs, expected = mixed
    column = FrameColumn(objects, refs)
    column.close()
    reading = column.read()
    next(reading)
    column.close()
    assert len(list(reading)) == len(expected) - 1
    column.close()


def spoiled(objects, path, at):
    data = bytearray(objects.get(path))
    data[at] ^= 1
    objects.put(path, bytes(data))


@pytest.mark.parametrize("codec", ["video", "raw"])
def test_a_flipped_bit_in_the_data_is_noticed_and_named(codec):
    objects = memory()
    ref = write_frames(objects, "data/k/c-x/00000000", pictures(20), codec)
    spoiled(objects, ref.path, 8 + 100)
    with pytest.raises(CorruptObject, match=r"data/k/c-x/00000000.*damaged.*again"):
        list(FrameColumn(objects, [ref]).read())


@pytest.mark.parametrize("codec", ["video", "raw"])
def test_a_flipped_bit_anywhere_is_an_error_or_harmless(codec):
    objects = memory()
    rows = pictures(6)
    ref = write_frames(objects, "a", rows, codec)
    whole = objects.get("a")
    right = list(FrameColumn(objects, [ref]).read())
    for at in np.linspace(0, len(whole) - 1, 80).astype(int).tolist():
        spoiled(objects, "a", at)
        try:
            found = list(FrameColumn(objects, [ref]).read())
        except CorruptObject:
            found = right
        assert same(found, right)
        objects.put("a", whole)


def test_a_chunk_of_something_else_is_refused():
    objects = memory()
    writer = ChunkWriter("blob")
    writer.add(b"x")
    with pytest.raises(CorruptObject, match="not of frames"):
        list(FrameColumn(objects, [writer.to(objects, "a")]).read())


def test_an_index_that_does_not_fit_its_rows_is_refused():
    objects = memory()
    good = FrameColumn(objects, [write_frames(objects, "good", pictures(5), "video")]).video(0)
    writer = ChunkWriter("video")
    writer.section("index", good.chunk.section("index"))
    with pytest.raises(CorruptObject, match="5 frames for 7 rows"):
        list(FrameColumn(objects, [writer.to(objects, "bad", rows=7)]).read([0]))


def test_packets_that_do_not_decode_are_named_with_their_chunk():
    objects = memory()
    good = FrameColumn(objects, [write_frames(objects, "good", pictures(5), "video")]).video(0)
    writer = ChunkWriter("video")
    for size in good.index.size.tolist():
        writer.add(b"\0" * size)
    writer.section("index", good.chunk.section("index"))
    with pytest.raises(VideoError, match=r"bad: row.* cannot be decoded"):
        list(FrameColumn(objects, [writer.to(objects, "bad", rows=5)]).read())


def test_a_long_column_holds_little_memory(monkeypatch):
    """400 frames of half a megabyte, read in every order: never more than the window and the decoders."""
    psutil = pytest.importorskip("psutil")
    objects = memory()
    frames = pictures(50, 512, 384)
    refs = [write_frames(objects, f"{k}", frames, "video", start=50 * k) for k in range(8)]
    monkeypatch.setattr(column_module, "WINDOW_BYTES", 20 << 20)
    column = FrameColumn(objects, refs)
    rows = np.random.default_rng(0).permutation(400)
    for _ in column.read(rows[:100]):
        pass
    gc.collect()
    before = psutil.Process().memory_info().rss
    peak = before
    for k, _ in enumerate(column.read(np.concatenate([np.arange(400), rows]))):
        if k % 20 == 0:
            peak = max(peak, psutil.Process().memory_info().rss)
    assert peak - before < 120 << 20
