"""Files that were cut off, cut into, or overwritten: the readable rows stay, the others are refused, none is wrong."""

from dataclasses import replace
from itertools import pairwise

import av
import av.error
import numpy as np
import pytest

from scannerpy._video.demux import numbered
from scannerpy._video.nal import by_start_code
from scannerpy._video.scan import scan
from scannerpy._words.video import DAMAGED, START
from scannerpy.errors import IngestError, VideoError
from scannerpy.testing import videos
from tests.scannerpy.video.reference import Video, numbers, patterns

CUT = sorted(name for name in videos.DAMAGED if name.startswith(("truncated", "cut")))


def whole(name, folder):
    """The same fixture before the accident, as {number: frame}."""
    recipe = videos.DAMAGED[name]
    path = folder / f"whole.{recipe.suffix}"
    videos.encode(path, recipe)
    return dict(enumerate(Video(path).golden))


@pytest.mark.parametrize("name", CUT)
def test_what_is_left_of_a_cut_file_is_exactly_that(video_of, name, tmp_path):
    """Each row shows, bit for bit, the frame of the whole file whose number it bears; numbers ascend."""
    video, before = video_of(name), whole(name, tmp_path)
    rows = video.rows(range(video.index.rows))
    shown = numbers(rows.values())
    assert shown == sorted(set(shown))
    assert len(shown) >= 15
    assert all(np.array_equal(frame, before[number]) for number, frame in zip(shown, rows.values(), strict=True))


@pytest.mark.parametrize("name", CUT)
def test_any_rows_of_a_cut_file_are_exact(video_of, name):
    video = video_of(name)
    everything = video.rows(range(video.index.rows))
    for rows in patterns(video.index.rows, name):
        got = video.rows(rows)
        assert all(np.array_equal(got[row], everything[row]) for row in rows)


@pytest.mark.parametrize("name", [name for name in CUT if name.startswith("truncated")])
def test_a_lost_end_is_told(video_of, name):
    assert any("file" in problem for problem in video_of(name).scan.problems)


@pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg2"])
def test_a_transport_stream_cut_anywhere_shows_no_half_picture(path_of, tmp_path, codec):
    """Its decoder may not notice that the last picture lacks its end; the stream's own padding tells."""
    path = path_of(f"{codec}-ts")
    data = path.read_bytes()
    before = Video(path).golden
    for n in range(100, len(data) // 188, 11):
        cut = tmp_path / "cut.ts"
        cut.write_bytes(data[: n * 188 + 50])
        video = Video(cut)
        last = video.index.rows - 1
        frame = video.rows([last])[last]
        assert np.array_equal(frame, before[videos.read_number(frame)])


def test_what_cannot_be_known_of_an_end_is_not_claimed(path_of, tmp_path):
    """A transport stream that stops between its packets may be whole: that is said of it, not that it was cut."""
    data = path_of("h264-ts").read_bytes()
    cut = tmp_path / "cut.ts"
    said = set()
    for n in range(100, len(data) // 188, 9):
        cut.write_bytes(data[: n * 188])
        said |= set(scan(cut, None, fits_inplace=True).problems)
    assert said == {"nothing in the file tells whether its last frame is whole, so that is left out"}


@pytest.mark.parametrize("name", ["damaged-mp4", "damaged-ts"])
def test_rows_that_lean_on_damage_are_refused_and_the_others_exact(video_of, name, tmp_path):
    video, before = video_of(name), whole(name, tmp_path)
    assert "damaged and cannot be read" in video.scan.problems[-1]
    refused = 0
    for row in range(video.index.rows):
        try:
            frame = video.rows([row])[row]
        except VideoError:
            refused += 1
        else:
            assert np.array_equal(frame, before[videos.read_number(frame)])
    assert 0 < refused < 15


def test_rows_before_the_damage_come_out_before_the_error(video_of):
    video = video_of("damaged-mp4")
    got = []
    with pytest.raises(VideoError, match=r"row 30 \(and all rows from 30 to 33\) cannot be decoded: packet \d+ is"):
        got.extend(row for row, _ in video.decoder().frames(range(video.index.rows)))
    assert got == list(range(len(got)))
    assert len(got) > 20


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["h264-mkv", "h264-slices", "mpeg4-mp4", "mpeg2-ts"])
def test_damage_the_scan_cannot_see_is_met_by_the_decoder(video_of, name, threads):
    """A packet is overwritten after the scan: its row is refused, and the next keyframe is not affected.

    Only of these codecs does FFmpeg notice; the others' bytes are guarded by the store's checksums.
    """
    video = video_of(name)
    starts = np.flatnonzero(video.index.flags & 2)
    victim = int(starts[2] + 1)
    copy = bytearray(video.copy)
    begin, size = int(video.index.offset[victim]), int(video.index.size[victim])
    copy[begin + size // 3 : begin + size] = bytes(size - size // 3)
    hurt = Video.__new__(Video)
    hurt.__dict__.update(video.__dict__, copy=bytes(copy))
    own = int(np.flatnonzero(video.index.frame_packet == victim)[0])
    with pytest.raises(VideoError, match="cannot be decoded"):
        hurt.rows([own], threads=threads)
    after = int(np.flatnonzero(video.index.frame_packet == starts[3])[0])
    for row in (0, after, after + 1):
        assert np.array_equal(hurt.rows([row], threads=threads)[row], video.golden[row])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_broken_hevc_picture_is_refused_as_often_as_ffmpeg_can_tell(video_of, threads):
    """Left to itself, its decoder shows what was in memory where it gave up: another picture each time."""
    video = video_of("hevc-closed-gop")
    victim = int(np.flatnonzero(video.index.flags & START)[2])
    own = int(np.flatnonzero(video.index.frame_packet == victim)[0])
    begin, size = int(video.index.offset[victim]), int(video.index.size[victim])
    told = 0
    for seed in range(150):
        copy = bytearray(video.copy)
        copy[begin + size // 3 : begin + size] = np.random.default_rng(seed).bytes(size - size // 3)
        hurt = Video.__new__(Video)
        hurt.__dict__.update(video.__dict__, copy=bytes(copy))
        if _ffmpeg_tells(video, copy[begin : begin + size]):
            told += 1
            with pytest.raises(VideoError, match="cannot be decoded"):
                hurt.rows([own], threads=threads)
    assert told


def test_a_broken_remark_beside_an_hevc_picture_hurts_nothing(tmp_path):
    """FFmpeg shows such pictures as they are; so do we, however many threads."""
    plain = videos.make(replace(videos.CATALOGUE["hevc-ts"], suffix="hevc"), tmp_path)
    data = plain.read_bytes()
    slices = [begin for begin, _ in by_start_code(data) if data[begin] >> 1 < 32 and data[begin + 2] & 0x80]
    remark = bytes([39 << 1, 1, 137, 2, 7, 7, 0x80])  # the colours of a mastering display, in 2 bytes instead of 24
    marked = tmp_path / "marked.hevc"
    marked.write_bytes(b"".join(data[a:b] + remark + b"\0\0\1" for a, b in pairwise([0, *slices])) + data[slices[-1] :])
    video, expected = Video(marked), Video(plain).golden
    for threads in (1, 2):
        shown = video.rows(range(50), threads=threads)
        assert all(np.array_equal(shown[row], expected[row]) for row in range(50))


def _ffmpeg_tells(video, keyframe):
    context = av.CodecContext.create("hevc", "r")
    context.extradata = video.index.extradata
    context.options = {"err_detect": "explode"}
    context.thread_count = 1
    try:
        return not [*context.decode(numbered(keyframe, 0, key=True)), *context.decode(None)]
    except av.error.FFmpegError:
        return True


@pytest.mark.parametrize("seed", range(6))
def test_what_lay_in_memory_is_refused_where_the_decoder_leaves_it_in_a_picture(tmp_path, seed):
    """H.261's decoder stops inside a broken picture and says nothing; the rest of it shows an older one, or none."""
    clean = tmp_path / "clean.avi"
    videos.encode(clean, videos.Recipe("avi", "h261", size=(176, 144), frames=30))
    whole = Video(clean)
    victims = np.random.default_rng(seed).choice(np.arange(1, whole.index.packets), 2, replace=False).tolist()
    data = bytearray(clean.read_bytes())
    for packet in victims:
        begin, size = int(whole.inplace.index.offset[packet]), int(whole.index.size[packet])
        data[begin + size // 3 : begin + size // 3 + 30] = np.random.default_rng(packet).bytes(30)
    hurt = tmp_path / "hurt.avi"
    hurt.write_bytes(data)
    video = Video(hurt)
    wrong = [row for row, frame in _readable(video) if not np.array_equal(frame, video.golden[row])]
    assert wrong == []
    refused = set(range(whole.index.rows)) - {row for row, _ in _readable(video)}
    assert refused
    assert len(refused) < whole.index.rows


def _readable(video):
    """Each row that is given out, asked for by itself."""
    for row in range(video.index.rows):
        try:
            yield row, video.rows([row])[row]
        except VideoError:
            continue


def test_a_decoder_goes_on_after_an_error(video_of):
    """The rows of other keyframes are still served, by the same decoder."""
    video = video_of("damaged-mp4")
    decoder = video.decoder()
    with pytest.raises(VideoError):
        list(decoder.frames(range(video.index.rows)))
    assert [row for row, _ in decoder.frames([0, 1, 40])] == [0, 1, 40]


def test_bytes_that_are_gone_are_an_error(video_of):
    video = video_of("h264-mp4")
    hurt = Video.__new__(Video)
    hurt.__dict__.update(video.__dict__, copy=video.copy[: len(video.copy) // 2])
    with pytest.raises(VideoError, match="was the file changed"):
        hurt.rows([video.index.rows - 1])


def test_a_change_of_size_is_an_error_from_there_on(video_of):
    video = video_of("two-sizes-ts")
    assert len(video.rows(range(25))) == 25
    with pytest.raises(VideoError, match="row 30 is 64×48, but the video began as 96×64"):
        video.rows([30])


def test_a_recording_with_times_before_its_packets_is_judged_alike(path_of, tmp_path):
    """As cameras write it (.m2ts): four bytes before each of the 188."""
    data = path_of("hevc-ts").read_bytes()
    packets = [b"\0\0\0\0" + data[at : at + 188] for at in range(0, len(data), 188)]
    timed = tmp_path / "timed.m2ts"
    for lost in (None, 60, 75):
        timed.write_bytes(b"".join(packet for n, packet in enumerate(packets) if n != lost))
        video = Video(timed)
        assert bool((video.index.flags & DAMAGED).any()) == (lost is not None)
        assert lost or numbers(video.rows(range(video.index.rows)).values()) == list(range(50))


def test_joined_transport_streams_are_not_taken_for_damaged(path_of, tmp_path):
    """Their counters jump where one ends and the next begins, but nothing is lost."""
    joined = tmp_path / "joined.ts"
    joined.write_bytes(path_of("h264-ts").read_bytes() * 2)
    video = Video(joined)
    assert not (video.index.flags & DAMAGED).any()
    assert numbers(video.rows(range(video.index.rows)).values()) == [*range(50), *range(50)]


@pytest.mark.parametrize("name", sorted(videos.NOT_VIDEOS))
def test_what_is_no_video_is_refused_with_a_sentence(path_of, name):
    with pytest.raises(IngestError) as caught:
        scan(path_of(name), None, fits_inplace=True)
    assert str(path_of(name)) in str(caught.value)
    assert len(str(caught.value).split()) > 3


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(IngestError, match="no such file"):
        scan(tmp_path / "nothing.mp4", None, fits_inplace=True)
