"""What a scan finds out, and what it takes to be certain of it."""

import itertools
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
import pytest

from scannerpy._video import packets
from scannerpy._video.demux import opened
from scannerpy._video.scan import scan
from scannerpy._words.heartbeat import Heartbeat, attached
from scannerpy._words.video import DISCARD, KEY, NONREF, START
from scannerpy.errors import IngestError
from scannerpy.testing import videos
from tests.scannerpy.video.reference import Video, numbers

PROVEN = ["h264-mp4", "h264-open-gop", "h264-ts", "h264-vfr-mkv", "hevc-mkv", "vp9-webm", "av1-mp4", "mpeg4-mp4"]
PROVEN += ["h264-edit-list", "h264-mbaff-ts", "mpeg2-ts", "mjpeg-avi", "prores-mov", "ffv1-mkv", "h264-no-hints-mp4"]
DECODED = ["h264-avi", "h264-elementary", "h264-fields-ts", "h264-fields-mkv", "mpeg4-packed-avi", "wmv2-asf", "gif"]


def flagged(video, flag):
    return np.flatnonzero(video.index.flags & flag).tolist()


@pytest.mark.parametrize("name", PROVEN)
def test_order_is_proven_without_decoding(video_of, name):
    assert video_of(name).scan.decoded == ""


@pytest.mark.parametrize("name", DECODED)
def test_a_doubt_is_named_and_settled_by_decoding(video_of, name):
    video = video_of(name)
    assert len(video.scan.decoded.split()) > 2
    assert not video.index.flags.astype(int).tolist().count(NONREF)


def test_an_open_gop_can_be_started_from_and_its_leading_pictures_cannot(video_of):
    """Rows stored after a keyframe but shown before it are decoded from the keyframe before."""
    for name in ("h264-open-gop", "hevc-open-gop"):
        video = video_of(name)
        starts = flagged(video, START)
        assert len(starts) >= 4
        row_of = np.argsort(video.index.frame_packet)
        assert any(row_of[start + 1] < row_of[start] for start in starts)


def test_a_gradual_refresh_is_no_start(video_of):
    """Its recovery points promise a good picture only some frames later."""
    for name in ("h264-intra-refresh", "hevc-intra-refresh", "h264-one-keyframe"):
        assert flagged(video_of(name), START) == [0]


def test_frames_nobody_refers_to_are_known(video_of):
    for name in ("h264-mp4", "hevc-mp4", "mpeg4-mp4", "mpeg2-ts"):
        assert len(flagged(video_of(name), NONREF)) > 10
    for name in ("h264-no-b", "vp9-webm", "av1-mp4"):
        assert flagged(video_of(name), NONREF) == []


def test_only_the_highest_temporal_layer_can_be_dropped(video_of):
    video = video_of("hevc-temporal-layers")
    assert 0 < len(flagged(video, NONREF)) < video.index.rows * 2 / 3


def test_keyframes_of_an_unknown_codec_are_proven_by_experiment(video_of):
    for name in ("wmv2-asf", "flv1-flv", "mpeg4-packed-avi"):
        assert len(flagged(video_of(name), START)) >= 4


def test_an_edit_list_hides_packets_and_keeps_them(video_of):
    video = video_of("h264-edit-list")
    assert len(flagged(video, DISCARD)) == 7
    assert (video.index.packets, video.index.rows) == (50, 43)


@pytest.mark.parametrize(
    ("degrees", "name"), [(90, "h264-rotated-90"), (180, "h264-rotated-180"), (270, "h264-rotated-270")]
)
def test_rotation_is_clockwise_and_sizes_are_as_shown(video_of, degrees, name):
    index = video_of(name).index
    assert (index.rotation, index.mirrored, index.width, index.height) == (degrees, False, 96, 64)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_mirrored_video_is_turned_and_then_mirrored(tmp_path, degrees):
    """Phones' front cameras write such matrices."""
    path = tmp_path / "mirrored.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"b": "900k"})
        stream.width, stream.height = (64, 96) if degrees in {90, 270} else (96, 64)
        stream.set_display_rotation(-degrees, hflip=True)
        for number in range(3):
            stored = np.ascontiguousarray(np.rot90(videos.draw(number)[:, ::-1], degrees // 90))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(stored, format="rgb24")))
        container.mux(stream.encode(None))
    video = Video(path)
    assert (video.index.rotation, video.index.mirrored) == (degrees, True)
    assert numbers(video.rows(range(3)).values()) == [0, 1, 2]


def test_the_best_stream_is_taken_not_the_first(video_of):
    index = video_of("h264-two-streams").index
    assert (index.width, index.height, index.rows) == (96, 64, 50)


def test_times_are_exact(video_of):
    index = video_of("h264-mp4").index
    seconds = index.frame_pts * index.time_base
    assert index.average_rate == Fraction(25)
    assert seconds.tolist() == [Fraction(n, 25) + seconds[0] for n in range(50)]


def test_colour_is_as_the_stream_says(video_of):
    assert (video_of("h264-bt709").index.color_space, video_of("h264-full-range").index.color_range) == (1, 2)


def test_what_goes_to_the_sink_is_every_packet_in_decode_order(path_of, video_of):
    video = video_of("h264-mkv")
    with av.open(str(path_of("h264-mkv"))) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    assert video.copy == b"".join(packets)
    assert video.index.offset.tolist() == np.cumsum([0, *map(len, packets[:-1])]).tolist()


def test_keyframes_are_listed_by_row(video_of):
    video = video_of("h264-mp4")
    assert video.index.keyframe_rows.tolist() == [0, 12, 24, 36, 48]
    assert flagged(video, KEY) == flagged(video, START)


def test_a_name_with_a_colon_or_a_pattern_is_just_a_name(path_of, tmp_path):
    """FFmpeg would take `rtsp:x` for a protocol and `%03d` for a series of pictures."""
    for name in ("rtsp:x.mp4", "frame%03d.mp4", "a b&c.mp4"):
        path = tmp_path / name
        path.write_bytes(path_of("h264-mp4").read_bytes())
        assert scan(path, None, fits_inplace=True).index.rows == 50


def test_a_playlist_is_no_video(path_of, tmp_path):
    """It could make FFmpeg open other files."""
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{path_of('h264-ts')}\n#EXT-X-ENDLIST\n")
    with pytest.raises(IngestError):
        scan(playlist, None, fits_inplace=True)


def test_a_demuxer_that_goes_in_circles_is_left(path_of, monkeypatch):
    """FFmpeg then gives packets without end; they come to far more than the file holds."""
    monkeypatch.setattr(packets, "_MOST_BEYOND", 1 << 20)
    monkeypatch.setattr("scannerpy._video.scan.opened", _circling)
    with pytest.raises(IngestError, match="has no end: FFmpeg reads it round and round"):
        scan(path_of("h264-mp4"), None, fits_inplace=False)


@contextmanager
def _circling(file):
    with opened(file) as (container, stream):
        yield _Circling(container), stream


class _Circling:
    """Stands in for a container whose demuxer is broken."""

    def __init__(self, container):
        self._container = container

    def demux(self, stream):
        return itertools.cycle([packet for packet in self._container.demux(stream) if packet.size])

    def __getattr__(self, name):
        return getattr(self._container, name)


@pytest.mark.parametrize("name", ["h264-ts", "gif", "h264-mp4", "mpeg4-packed-avi"])
def test_a_scan_gives_a_sign_of_life_with_every_packet_it_reads_or_decodes(path_of, name):
    """So that a slow file is told from one that hangs."""
    heartbeat = Heartbeat()
    with attached(heartbeat):
        found = scan(path_of(name), None, fits_inplace=False)
    passes = 1 + bool(found.decoded)
    assert heartbeat.counters[0] >= passes * found.index.packets
