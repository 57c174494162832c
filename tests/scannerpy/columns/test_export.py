"""A column as an mp4: the stored packets where that is possible, the same frames at the right times always."""

from __future__ import annotations

import itertools
import re
import shutil
from fractions import Fraction

import av
import numpy as np
import pytest

from scannerpy._store.objects import memory
from scannerpy._video import decode, export
from scannerpy._video.column import FrameColumn
from scannerpy._video.export import save_mp4
from scannerpy._video.ingest import ingest
from scannerpy._words.elements import NULL
from scannerpy.common import log
from scannerpy.errors import CorruptObject, StorageError, StorageFull, VideoError
from scannerpy.testing import videos
from tests.scannerpy.columns.writing import write_frames

from .conftest import decoded, pictures, same


@pytest.fixture
def remuxed(monkeypatch):
    """How often packets were wrapped anew instead of encoded."""
    calls = []
    remux = export._remux
    monkeypatch.setattr(export, "_remux", lambda *args: calls.append(1) or remux(*args))
    return calls


@pytest.fixture
def reasons(monkeypatch):
    """What the log said about encoding."""
    said = []
    monkeypatch.setattr(log, "info", lambda text, *args: said.append(text % args))
    return said


def stored(objects, sizes, codec="video", **options):
    refs, start = [], 0
    for number, size in enumerate(sizes):
        refs.append(write_frames(objects, f"{number}", pictures(size, first=start), codec, options, start=start))
        start += size
    return FrameColumn(objects, refs)


def look(path):
    """(times in seconds, frames per second, (width, height)) as a player sees them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [frame.time for frame in container.decode(stream)]
        return times, stream.average_rate, (stream.width, stream.height)


def numbers(path):
    return [videos.read_number(frame) for frame in decoded(path)]


def test_the_suffix_is_always_added(tmp_path):
    column = stored(memory(), [5])
    assert save_mp4(column, str(tmp_path / "x")) == tmp_path / "x.mp4"
    assert save_mp4(column, str(tmp_path / "x.mp4")) == tmp_path / "x.mp4.mp4"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.mp4", "x.mp4.mp4"]


@pytest.mark.parametrize("sizes", [[1], [40], [10, 20, 30], [7] * 9, [1, 1, 1]])
def test_what_ops_made_plays_at_25_without_losing_a_bit(tmp_path, remuxed, sizes):
    column = stored(memory(), sizes)
    path = save_mp4(column, str(tmp_path / "x"))
    assert remuxed
    assert same(list(decoded(path)), list(column.read()))
    times, rate, size = look(path)
    assert rate == 25
    assert size == (64, 48)
    assert times == pytest.approx([k / 25 for k in range(sum(sizes))])


@pytest.mark.parametrize("fps", [1, 10, 24.5, 29.97, Fraction(30000, 1001), 240])
def test_fps_is_as_asked_and_nothing_is_encoded(tmp_path, remuxed, fps):
    column = stored(memory(), [20, 20])
    path = save_mp4(column, str(tmp_path / "x"), fps=fps)
    times, rate, _ = look(path)
    assert remuxed
    assert float(rate) == pytest.approx(float(fps), rel=1e-4)
    assert times == pytest.approx([k / float(fps) for k in range(40)], abs=2e-4)
    assert same(list(decoded(path)), list(column.read()))


def test_every_packet_seeks_and_times_ascend(tmp_path):
    path = save_mp4(stored(memory(), [30, 30], keyframe_distance=10), str(tmp_path / "x"))
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert all(a.dts < b.dts for a, b in itertools.pairwise(packets))
        assert all(packet.dts <= packet.pts for packet in packets)
        container.seek(Fraction(45, 25).numerator * 1_000_000 // 25, backward=True)
        frame = next(container.decode(video=0))
        assert videos.read_number(frame.to_ndarray(format="rgb24")) == round(frame.time * 25)


@pytest.mark.parametrize(
    "name",
    ["h264-mp4", "h264-mkv", "h264-ts", "h264-vfr", "h264-open-gop", "h264-deep-b", "h264-10-bit", "hevc-mp4",
     "hevc-ts", "hevc-open-gop", "h264-odd-size", "h264-full-range", "h264-elementary", "h264-edit-list",
     "h264-rotated-90", "h264-rotated-180", "h264-rotated-270", "h264-mbaff", "h264-field-pairs-mp4", "h264-gray",
     "vp9-webm", "av1-mp4", "av1-webm", "mpeg4-avi", "mpeg2-ts", "mpeg1-program-stream", "mjpeg-mov"],
)  # fmt: skip
@pytest.mark.parametrize("inplace", [False, True])
def test_an_ingested_video_is_wrapped_anew_with_its_own_times(objects, fixture, tmp_path, remuxed, name, inplace):
    source = fixture(name)
    column = FrameColumn(objects, ingest(objects, source, inplace=inplace).refs)
    path = save_mp4(column, str(tmp_path / "x"))
    assert remuxed
    assert same(list(decoded(path)), list(decoded(source)))
    before, after = look(source)[0], look(path)[0]
    if None not in before:
        assert after == pytest.approx([time - before[0] for time in before], abs=2e-3)


@pytest.mark.parametrize(
    ("name", "why"),
    [("h264-two-edits", "plays several pieces"), ("vp8-webm", "cannot hold vp8"), ("prores-mov", "cannot hold prores")],
)
def test_what_an_mp4_cannot_show_as_it_is_is_encoded(objects, fixture, tmp_path, remuxed, reasons, name, why):
    column = FrameColumn(objects, ingest(objects, fixture(name)).refs)
    path = save_mp4(column, str(tmp_path / "x"))
    assert not remuxed
    assert re.search(rf"^x\.mp4 is re-encoded, because .*{why}", reasons[0])
    assert numbers(path) == list(videos.CATALOGUE[name].shows)
    times, _, size = look(path)
    assert size == videos.CATALOGUE[name].size
    shown = look(fixture(name))[0]
    assert times == pytest.approx([time - shown[0] for time in shown], abs=2e-3)


def test_chunks_that_do_not_fit_together_are_encoded(tmp_path, remuxed, reasons):
    objects = memory()
    refs = [
        write_frames(objects, "a", pictures(10), "video"),
        write_frames(objects, "b", pictures(10, first=10), "video", {"quality": 0}, start=10),
    ]
    path = save_mp4(FrameColumn(objects, refs), str(tmp_path / "x"))
    assert not remuxed
    assert "parameter sets differ" in reasons[0]
    assert numbers(path) == list(range(20))


@pytest.mark.parametrize(("scale", "size"), [((32, 24), (32, 24)), ((128, 96), (128, 96)), ((31, 25), (32, 26))])
def test_scaling(tmp_path, remuxed, scale, size):
    path = save_mp4(stored(memory(), [10, 5]), str(tmp_path / "x"), scale=scale)
    assert not remuxed
    times, rate, found = look(path)
    assert (found, rate, len(times)) == (size, 25, 15)
    assert numbers(path) == list(range(15))


@pytest.mark.parametrize("name", ["h264-mp4", "hevc-mp4", "h264-edit-list", "av1-mp4"])
def test_wrapping_anew_neither_decodes_nor_encodes(objects, fixture, tmp_path, monkeypatch, name):
    """What makes it as fast as copying; `benchmarks/remux.py` has the seconds."""
    column = FrameColumn(objects, ingest(objects, fixture(name)).refs)

    def never(*args, **kwargs):
        pytest.fail("a frame was decoded or encoded")

    monkeypatch.setattr(decode, "open_decoder", never)
    monkeypatch.setattr(export, "_encode", never)
    assert save_mp4(column, str(tmp_path / "x")).stat().st_size > 1000


@pytest.mark.parametrize(("name", "tag"), [("h264-mp4", "avc1"), ("hevc-mkv", "hvc1"), ("av1-webm", "av01")])
def test_the_file_is_labelled_as_players_expect_and_plays_from_its_beginning(objects, fixture, tmp_path, name, tag):
    column = FrameColumn(objects, ingest(objects, fixture(name)).refs)
    path = save_mp4(column, str(tmp_path / "x"))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.codec_tag == tag
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("name", ["h264-full-range", "h264-bt709", "vp9-webm"])
def test_colour_tags_and_lengths_are_kept(objects, fixture, tmp_path, name):
    source = fixture(name)
    path = save_mp4(FrameColumn(objects, ingest(objects, source).refs), str(tmp_path / "x"))
    with av.open(str(source)) as before, av.open(str(path)) as after:
        told = [(c.streams.video[0].codec_context.colorspace, c.streams.video[0].codec_context.color_range)
                for c in (before, after)]  # fmt: skip
        assert told[0] == told[1]
        assert after.duration == pytest.approx(50 / 25 * 1e6, abs=2e3)


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "libx264"), ("webm", "libvpx-vp9")])
@pytest.mark.parametrize("rows", [None, range(5, 20)])
def test_all_colour_tags_and_the_pixels_shape_are_kept(objects, tmp_path, suffix, codec, rows):
    source = tmp_path / f"film.{suffix}"
    with av.open(str(source), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"g": "10"})
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = 9, 1, 9, 16
        context.sample_aspect_ratio = Fraction(4, 3)
        for number in range(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(videos.draw(number), format="rgb24")))
        container.mux(stream.encode(None))
    path = save_mp4(FrameColumn(objects, ingest(objects, source).refs), str(tmp_path / "x"), rows=rows)
    with av.open(str(source)) as before, av.open(str(path)) as after:
        old, new = (container.streams.video[0] for container in (before, after))
        assert (new.sample_aspect_ratio or 1) == old.sample_aspect_ratio
        if rows is None or codec == "libx264":  # a cut of VP9 is encoded from RGB
            names = ("colorspace", "color_range", "color_primaries", "color_trc")
            assert [getattr(new.codec_context, name) for name in names] == [9, 1, 9, 16]


def test_other_times_keep_hidden_frames_hidden(objects, fixture, tmp_path, remuxed):
    column = FrameColumn(objects, ingest(objects, fixture("h264-edit-list")).refs)
    path = save_mp4(column, str(tmp_path / "x"), fps=10)
    assert remuxed
    assert same(list(decoded(path)), list(column.read()))
    assert look(path)[0] == pytest.approx([k / 10 for k in range(column.rows)])


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_mirrored_videos_stay_mirrored(objects, tmp_path, degrees):
    source = tmp_path / "mirrored.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"b": "900k"})
        stream.width, stream.height = 96, 64
        stream.set_display_rotation(-degrees, hflip=True)
        for number in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(videos.draw(number), format="rgb24")))
        container.mux(stream.encode(None))
    column = FrameColumn(objects, ingest(objects, source).refs)
    again = FrameColumn(objects, ingest(objects, save_mp4(column, str(tmp_path / "x"))).refs)
    assert same(list(again.read()), list(column.read()))


def test_damaged_frames_are_refused_by_name(objects, fixture, tmp_path):
    column = FrameColumn(objects, ingest(objects, fixture("damaged-mp4")).refs)
    with pytest.raises(VideoError, match=r"row \d+ .*cannot be decoded.*damaged"):
        save_mp4(column, str(tmp_path / "x"))
    assert list(tmp_path.glob("*.mp4")) == []


def test_scaling_an_ingested_video_keeps_its_times(objects, fixture, tmp_path):
    source = fixture("h264-vfr")
    path = save_mp4(FrameColumn(objects, ingest(objects, source).refs), str(tmp_path / "x"), scale=(48, 32))
    assert look(path)[0] == pytest.approx(look(source)[0], abs=2e-3)


def test_an_odd_size_is_played_with_its_edge_repeated(tmp_path):
    objects = memory()
    column = FrameColumn(objects, [write_frames(objects, "a", pictures(5, 63, 47))])
    assert look(save_mp4(column, str(tmp_path / "x")))[2] == (64, 48)


def test_colours_are_kept_when_encoding(tmp_path):
    objects = memory()
    frames = [np.full((48, 64, 3), (200, 30, 60), np.uint8)] * 3
    column = FrameColumn(objects, [write_frames(objects, "a", frames)])
    for frame in decoded(save_mp4(column, str(tmp_path / "x"), scale=(32, 24))):
        assert np.abs(frame.astype(int) - (200, 30, 60)).max() < 6


@pytest.mark.parametrize(
    ("rows", "codec", "said"),
    [
        ([np.zeros((4, 4), np.float32)], "default", r"rows 0 to 0 are stored raw.*compress_video"),
        (pictures(3), "raw", r"rows 0 to 2 are stored raw"),
        ([*pictures(3), NULL], "default", r"row 3 is null"),
        ([], "default", "no rows"),
    ],
)
def test_what_is_no_video_is_refused_with_a_reason(tmp_path, rows, codec, said):
    objects = memory()
    with pytest.raises(VideoError, match=said):
        save_mp4(FrameColumn(objects, [write_frames(objects, "a", rows, codec)]), str(tmp_path / "x"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"fps": 0}, "fps=0"),
        ({"fps": -5}, "positive"),
        ({"fps": float("nan")}, "positive"),
        ({"fps": float("inf")}, "positive"),
        ({"scale": (0, 5)}, "scale"),
        ({"scale": (5,)}, "width, height"),
    ],
)
def test_impossible_arguments_are_refused(tmp_path, words, said):
    with pytest.raises(VideoError, match=said):
        save_mp4(stored(memory(), [3]), str(tmp_path / "x"), **words)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match=r"nowhere.*make it first"):
        save_mp4(stored(memory(), [3]), str(tmp_path / "nowhere" / "x"))


def test_a_relative_name_is_relative_to_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_mp4(stored(memory(), [3]), "x")
    assert numbers(tmp_path / "x.mp4") == [0, 1, 2]


def test_an_old_file_is_replaced_only_by_a_whole_one(tmp_path):
    objects = memory()
    column = stored(objects, [5, 5])
    path = save_mp4(column, str(tmp_path / "x"))
    before = path.read_bytes()
    data = bytearray(objects.get("1"))
    data[40] ^= 1
    objects.put("1", bytes(data))
    with pytest.raises(CorruptObject):
        save_mp4(FrameColumn(objects, column.refs), str(tmp_path / "x"))
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["x.mp4"]


def test_a_full_disk(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise av.error.OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_remux", full)
    with pytest.raises(StorageFull, match=r"x\.mp4.*free space"):
        save_mp4(stored(memory(), [3]), str(tmp_path / "x"))
    assert list(tmp_path.iterdir()) == []


def test_saving_leaves_the_database_alone(objects, fixture, tmp_path):
    shutil.copy(fixture("h264-mp4"), tmp_path / "clip.mp4")
    column = FrameColumn(objects, ingest(objects, tmp_path / "clip.mp4").refs)
    before = objects.list("")
    save_mp4(column, str(tmp_path / "x"))
    assert objects.list("") == before
