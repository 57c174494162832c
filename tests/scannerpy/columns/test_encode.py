"""Frames to H.264 and back: close to what went in, exact about which frame is which, any size, tagged rightly."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scannerpy._store.objects import memory
from scannerpy._video.column import FrameColumn, VideoChunk
from scannerpy._video.encode import GOP
from scannerpy._video.truth import presented
from scannerpy._words.encoding import EncoderOptions
from scannerpy._words.video import KEY, NONREF, START
from scannerpy.errors import VideoError
from scannerpy.testing import videos
from tests.scannerpy.columns.writing import write_frames

from .conftest import error_of, pictures, same


def column(frames, codec="video", options=None):
    objects = memory()
    return FrameColumn(objects, [write_frames(objects, "data/k/c-frame/00000000", frames, codec, options)])


def video(made: FrameColumn) -> VideoChunk:
    found = made.video(0)
    assert found is not None
    return found


def test_frames_come_back_in_order_and_nearly_equal():
    frames = pictures(70)
    found = list(column(frames).read())
    assert [videos.read_number(frame) for frame in found] == list(range(70))
    assert max(error_of(a, b) for a, b in zip(frames, found, strict=True)) < 6


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 8), (7, 5), (17, 33), (64, 47), (63, 48), (129, 97), (16, 1)])
def test_any_size_comes_back_in_its_true_size(size):
    width, height = size
    frames = [np.full((height, width, 3), (40 * k, 200 - 30 * k, 90), np.uint8) for k in range(5)]
    found = list(column(frames, options={"quality": 1}).read())
    assert all(frame.shape == (height, width, 3) for frame in found)
    assert all(frame.flags.c_contiguous and frame.flags.writeable for frame in found)
    assert max(error_of(a, b) for a, b in zip(frames, found, strict=True)) < 4


def test_the_padding_repeats_the_edge_so_that_it_does_not_bleed_in():
    frames = [np.full((47, 63, 3), (250, 250, 250), np.uint8)] * 3
    assert min(frame.min() for frame in column(frames).read()) > 244


def test_quality_zero_is_lossless_but_for_the_change_of_colours():
    gray = [np.repeat(np.random.default_rng(k).integers(0, 256, (48, 64, 1), np.uint8), 3, axis=2) for k in range(4)]
    found = list(column(gray, options={"quality": 0}).read())
    assert max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(gray, found, strict=True)) <= 3


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), 6), ((1280, 720), 1)])
@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 30, 60)])
def test_colours_survive_and_the_tags_say_how(size, matrix, colour):
    frames = [np.full((size[1], size[0], 3), colour, np.uint8)] * 2
    made = column(frames, options={"quality": 1})
    index = video(made).index
    assert (index.color_space, index.color_range) == (matrix, 1)
    for frame in made.read():
        assert np.abs(frame.astype(int) - colour).max() <= 4


def test_the_bytes_themselves_carry_the_tags():
    """A decoder that is told nothing but the stream finds matrix and range in it."""
    made = video(column([np.full((720, 1280, 3), 90, np.uint8)]))
    context = av.CodecContext.create("h264", "r")
    context.extradata = made.index.extradata
    packet = av.Packet(made.read_packets([0], [int(made.index.size[0])])[0])
    (frame,) = [*context.decode(packet), *context.decode(None)]
    assert (frame.colorspace, frame.color_range) == (1, 1)


def test_the_index_says_what_a_sequential_decode_finds(tmp_path):
    """Flags are proven by the encoder's own headers; the frames are those a player shows."""
    made = column(pictures(150), options={"keyframe_distance": 40})
    index = video(made).index
    assert index.rows == index.packets == 150
    assert index.flags[0] & (KEY | START) == KEY | START
    assert (index.flags & NONREF).any()
    assert np.diff(np.append(made.keyframes(), 150)).max() <= 40
    assert index.frame_pts.tolist() == list(range(150))
    from scannerpy._video.export import save_mp4

    found = presented(save_mp4(made, str(tmp_path / "whole")), 150)
    assert found.packets == index.frame_packet.tolist()


def test_keyframes_come_every_120_frames_unless_told():
    still = [np.full((48, 64, 3), 90, np.uint8)] * (GOP + 30)
    assert column(still).keyframes().tolist() == [0, GOP]
    assert column(still[:50], options={"keyframe_distance": 20}).keyframes().tolist() == [0, 20, 40]
    assert column(still[:5], options={"keyframe_distance": 1}).keyframes().tolist() == [0, 1, 2, 3, 4]


def test_quality_and_bitrate_change_the_size():
    frames = pictures(60, 320, 240)
    sizes = [video(column(frames, options=o)).chunk.data_bytes for o in ({"quality": 40}, {}, {"quality": 5})]
    assert sizes[0] < sizes[1] < sizes[2]
    low, high = (video(column(frames, options={"bitrate": rate})).chunk.data_bytes for rate in (50_000, 1_000_000))
    assert low < high
    assert low * 8 / (60 / 25) < 200_000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"quality": 52}, "0 .* 51"),
        ({"quality": -2}, "0 .* 51"),
        ({"bitrate": 5}, "bits per second"),
        ({"bitrate": 0}, "bits per second"),
        ({"keyframe_distance": 0}, "at least 1"),
        ({"quality": 20, "bitrate": 100_000}, "one of them"),
        ({"preset": 3}, "no option 'preset'"),
    ],
)
def test_options_x264_would_refuse_are_refused_with_a_reason(options, said):
    with pytest.raises(ValueError, match=said):
        EncoderOptions.of(options)


def test_minus_one_is_not_told():
    assert EncoderOptions.of({"quality": -1, "bitrate": -1, "keyframe_distance": -1}) == EncoderOptions()


@pytest.mark.parametrize("size", [(64, 48), (96, 64), (128, 96), (321, 241), (200, 120)])
@pytest.mark.parametrize("options", [{}, {"quality": 30}, {"bitrate": 200_000}, {"keyframe_distance": 7}])
def test_the_same_frames_make_the_same_bytes(size, options):
    """Whatever was in the memory before: x264's mbtree does not do that."""
    frames = pictures(30, *size)
    chance = np.random.default_rng(0)
    seen = set()
    for _ in range(5):
        junk = [chance.integers(0, 255, int(chance.integers(100, 300_000)), np.uint8) for _ in range(20)]
        del junk[::2]
        seen.add(column([frame.copy() for frame in frames], options=options).refs)
    assert len(seen) == 1


def test_frames_that_are_views_are_encoded_as_they_look():
    whole = pictures(6, 128, 96)
    views = [frame[::2, ::-2] for frame in whole]
    assert same(list(column(views).read()), list(column([np.ascontiguousarray(v) for v in views]).read()))


def test_a_frame_may_be_changed_after_it_was_written():
    frames = pictures(40)
    objects = memory()
    from scannerpy._video.write import FrameWriter

    writer = FrameWriter(objects, "video")
    buffer = np.empty_like(frames[0])
    for frame in frames:
        buffer[:] = frame
        writer.write([buffer])
    buffer[:] = 0
    assert same(list(FrameColumn(objects, [writer.to("a")]).read()), list(column(frames).read()))


def test_a_frame_is_not_changed_by_writing_it():
    frames = pictures(3, 63, 47)
    before = [frame.copy() for frame in frames]
    column(frames)
    assert same(frames, before)


def test_a_size_x264_cannot_take_is_refused_with_a_way_out():
    with pytest.raises(VideoError, match=r"20000×20.*lossless"):
        column([np.zeros((20, 20_000, 3), np.uint8)])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 9))
def test_any_number_of_frames_and_any_gop(count, gop, first):
    made = column(pictures(count, first=first), options={"keyframe_distance": gop})
    assert [videos.read_number(frame) for frame in made.read()] == list(range(first, first + count))
    assert [videos.read_number(frame) for frame in made.read([count - 1, 0])] == [first + count - 1, first]
