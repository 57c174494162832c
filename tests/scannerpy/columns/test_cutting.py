"""Some rows of a column as an mp4: exactly those, with nothing encoded but the edges."""

from __future__ import annotations

import av
import numpy as np
import pytest

from scannerpy._store.objects import memory
from scannerpy._video import cut, export, joins
from scannerpy._video.column import FrameColumn
from scannerpy._video.export import save_mp4
from scannerpy._video.ingest import ingest
from scannerpy._words.elements import NULL
from scannerpy.common import log
from scannerpy.errors import VideoError
from scannerpy.testing import videos
from tests.scannerpy.columns.writing import write_frames

from .conftest import decoded, pictures, same

KEYFRAMES = [0, 12, 24, 36, 48]  # of all fixtures


@pytest.fixture
def reasons(monkeypatch):
    """Why cuts were encoded as a whole."""
    said = []
    monkeypatch.setattr(log, "info", lambda text, *args: said.append(text % args))
    return said


@pytest.fixture
def column_of(objects, fixture):
    return lambda name, **words: FrameColumn(objects, ingest(objects, fixture(name), **words).refs)


def psnr(a, b):
    error = float(np.square(a.astype(int) - b.astype(int)).mean())
    return 10 * np.log10(255**2 / error) if error else np.inf


def numbers(path):
    return [videos.read_number(frame) for frame in decoded(path)]


def packets(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def exactly_equal(path, column, rows):
    """Which of `rows` are shown to the last bit; all must be shown, in order, and look the same."""
    found, wanted = list(decoded(path)), list(column.read(rows))
    assert len(found) == len(wanted)
    assert min(psnr(a, b) for a, b in zip(found, wanted, strict=True)) > 42
    return [row for row, a, b in zip(rows, found, wanted, strict=True) if np.array_equal(a, b)]


@pytest.mark.parametrize(
    "name",
    ["h264-mp4", "h264-ts", "h264-vfr-mkv", "h264-no-b", "h264-baseline", "h264-slices", "h264-10-bit", "h264-4:2:2",
     "h264-odd-size", "h264-full-range", "h264-gray", "h264-rotated-90", "h264-elementary"],
)  # fmt: skip
@pytest.mark.parametrize("inplace", [False, True])
def test_only_the_frames_before_the_first_keyframe_and_behind_the_last_group_are_encoded(
    column_of, tmp_path, reasons, name, inplace
):
    column, rows = column_of(name, inplace=inplace), range(5, 42)
    path = save_mp4(column, str(tmp_path / "x"), rows=rows)
    assert not reasons
    first = min(key for key in column.keyframes().tolist() if key >= 5)
    kept = exactly_equal(path, column, rows)
    assert set(range(first, 36)) <= set(kept)


def test_interior_packets_are_the_stored_ones_to_the_last_bit(column_of, fixture, tmp_path):
    path = save_mp4(column_of("h264-no-b"), str(tmp_path / "x"), rows=range(5, 40))
    source, found = packets(fixture("h264-no-b")), packets(path)
    assert len(found) == 35
    assert found[12 - 5 :] == source[12:40]  # without B-frames, a group may end anywhere


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("h264-open-gop", "no group of pictures that stands alone"),
        ("h264-intra-refresh", "no group of pictures that stands alone"),
        ("h264-mbaff", "interlaced"),
        ("h264-two-edits", "no group of pictures that stands alone"),
        ("hevc-open-gop", "no group of pictures that stands alone"),
        ("hevc-closed-gop", "H.264 only, and this is hevc"),
        ("vp9-webm", "H.264 only, and this is vp9"),
        ("vp8-webm", "cannot hold vp8"),
        ("av1-mp4", "H.264 only, and this is av1"),
        ("mpeg4-mp4", "no group of pictures that stands alone"),
    ],
)
def test_what_cannot_be_cut_is_encoded_as_a_whole_and_the_log_says_why(column_of, tmp_path, reasons, name, why):
    path = save_mp4(column_of(name), str(tmp_path / "x"), rows=range(5, 28))
    assert numbers(path) == list(videos.CATALOGUE[name].shows)[5:28]
    assert len(reasons) == 1
    assert why in reasons[0]


@pytest.mark.parametrize("name", ["h264-mp4", "hevc-closed-gop", "vp9-webm", "av1-mp4", "mjpeg-mov"])
def test_a_cut_at_keyframes_encodes_nothing_in_any_codec(column_of, tmp_path, monkeypatch, reasons, name):
    column = column_of(name)
    first, last = column.keyframes()[[1, 3]].tolist()
    monkeypatch.setattr(cut, "_EdgeEncoder", None)
    path = save_mp4(column, str(tmp_path / "x"), rows=range(first, last))
    assert not reasons
    assert same(list(decoded(path)), list(column.read(range(first, last))))


def test_stretches_follow_one_another_in_the_order_asked(column_of, tmp_path, reasons):
    column, rows = column_of("h264-mp4"), [*range(20, 40), *range(3, 30), 7, 7, 9]
    path = save_mp4(column, str(tmp_path / "x"), rows=rows)
    assert not reasons
    assert numbers(path) == rows
    assert len(exactly_equal(path, column, rows)) > 20


def test_an_edited_file_is_cut_without_hidden_frames(column_of, tmp_path, reasons):
    """A player that does not know edit lists shows the same."""
    path = save_mp4(column_of("h264-edit-list"), str(tmp_path / "x"), rows=range(30))
    assert not reasons
    assert len(packets(path)) == 30
    assert numbers(path) == list(range(7, 37))


def test_each_frame_is_shown_as_long_as_before(column_of, fixture, tmp_path):
    rows = [*range(5, 31), *range(38, 45)]
    path = save_mp4(column_of("h264-vfr"), str(tmp_path / "x"), rows=rows)
    with av.open(str(fixture("h264-vfr"))) as before, av.open(str(path)) as after:
        lasts = np.diff([frame.time for frame in before.decode(video=0)])
        times = [frame.time for frame in after.decode(video=0)]
    assert times == pytest.approx([0, *np.cumsum(lasts[rows[:-1]])], abs=1e-3)


def test_frames_that_ops_made_are_cut_across_their_chunks(tmp_path, reasons):
    objects, refs = memory(), []
    for number in range(4):
        made = pictures(20, first=20 * number)
        refs.append(write_frames(objects, f"{number}", made, "video", {"keyframe_distance": 8}, start=20 * number))
    column, rows = FrameColumn(objects, refs), range(3, 75)
    path = save_mp4(column, str(tmp_path / "x"), rows=rows, fps=10)
    assert not reasons
    assert numbers(path) == list(rows)
    assert set(range(20, 60)) <= set(exactly_equal(path, column, rows))
    with av.open(str(path)) as container:
        assert [frame.time for frame in container.decode(video=0)] == pytest.approx([k / 10 for k in range(72)])


def test_scaling_a_cut_encodes_it(column_of, tmp_path):
    path = save_mp4(column_of("h264-mp4"), str(tmp_path / "x"), rows=range(30, 40), scale=(48, 32))
    assert numbers(path) == list(range(30, 40))
    assert next(decoded(path)).shape == (32, 48, 3)


@pytest.mark.parametrize(
    ("seconds", "rows"),
    [
        ((0.2, 1.4), range(5, 35)),
        ((0, 0.04), [0]),
        ((1.2, 100), range(30, 50)),
        ((0.16, float("inf")), range(4, 50)),
        ([(0.48, 0.96), (0, 0.08)], [*range(12, 24), 0, 1]),
    ],
)
def test_seconds_take_the_frames_that_begin_within_them(column_of, tmp_path, seconds, rows):
    assert numbers(save_mp4(column_of("h264-mp4"), str(tmp_path / "x"), seconds=seconds)) == list(rows)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"rows": []}, "no rows to save"),
        ({"rows": [0, 50]}, "row 50 does not exist; the rows are 0 to 49"),
        ({"rows": [-1]}, "row -1 does not exist"),
        ({"rows": [0.5]}, "whole numbers"),
        ({"rows": [1], "seconds": (0, 1)}, "give one of them"),
        ({"seconds": (2, 1)}, r"give \(start, end\)"),
        ({"seconds": (float("nan"), 1)}, r"give \(start, end\)"),
        ({"seconds": [(0, 1), (1, 2, 3)]}, r"give \(start, end\)"),
        ({"seconds": (0.001, 0.002)}, "no frame begins within"),
        ({"seconds": (5, 6)}, r"no frame begins within.*lasts 2\.0"),
        ({"seconds": []}, "no rows to save"),
    ],
)
def test_impossible_cuts_are_refused(column_of, tmp_path, words, said):
    with pytest.raises(VideoError, match=said):
        save_mp4(column_of("h264-mp4"), str(tmp_path / "x"), **words)
    assert not list(tmp_path.glob("*.mp4"))


def test_nulls_and_raw_frames_matter_only_where_they_are_asked_for(tmp_path):
    objects = memory()
    refs = [
        write_frames(objects, "a", [*pictures(6), NULL, *pictures(6, first=7)], "video"),
        write_frames(objects, "b", [np.zeros((4, 4), np.float32)] * 3, "raw", start=13),
    ]
    column = FrameColumn(objects, refs)
    assert numbers(save_mp4(column, str(tmp_path / "x"), rows=range(7, 13))) == list(range(7, 13))
    with pytest.raises(VideoError, match="row 6 is null"):
        save_mp4(column, str(tmp_path / "x"), rows=range(5, 9))
    with pytest.raises(VideoError, match="rows 13 to 15 are stored raw"):
        save_mp4(column, str(tmp_path / "x"), rows=range(10, 15))


def test_damage_matters_only_where_it_is_asked_for(column_of, tmp_path):
    column = column_of("damaged-mp4")
    assert numbers(save_mp4(column, str(tmp_path / "x"), rows=range(3, 20))) == list(range(3, 20))
    with pytest.raises(VideoError, match="damaged"):
        save_mp4(column, str(tmp_path / "x"), rows=range(3, column.rows))


def test_a_join_that_does_not_play_is_noticed_and_the_cut_encoded(column_of, tmp_path, monkeypatch, reasons):
    """As if the source's own parameter sets were taken for the edges' too."""
    monkeypatch.setattr(cut._EdgeEncoder, "extradata", property(lambda self: self._index.extradata))
    path = save_mp4(column_of("h264-mp4"), str(tmp_path / "x"), rows=range(5, 31))
    assert "of the joined packets" in reasons[0]
    assert numbers(path) == list(range(5, 31))


def test_a_file_that_shows_other_frames_than_it_should_is_told_apart(column_of, tmp_path):
    column = column_of("h264-mp4")
    path = save_mp4(column, str(tmp_path / "x"), rows=range(12, 36))
    chunk = column.video(0)
    part = export._Selection.of(column, np.arange(12, 36))
    timeline = export._timeline(part, None)

    def difference(*pieces):
        shown = joins.Expected(timeline)
        for start, end in pieces:
            shown.encoded(chunk, start, end)
        return shown.difference(path)

    assert not difference((12, 20), (20, 36))
    assert "frame 8" in difference((12, 20), (21, 37))
    timeline.pts[3] += 1
    assert "times" in difference((12, 36))
