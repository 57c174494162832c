"""Every codec × container × trick: any rows, asked for in any way, are what a sequential decode shows."""

import pytest

from scannerpy.testing import videos
from tests.scannerpy.video.reference import in_pieces, numbers, patterns, wrong

NAMES = sorted(videos.CATALOGUE)
THREADED = [
    "h264-mp4",
    "h264-open-gop",
    "h264-fields-ts",
    "h264-edit-list",
    "hevc-open-gop",
    "vp9-webm",
    "av1-mp4",
    "mpeg2-ts",
    "mpeg4-packed-avi",
    "mjpeg-avi",
    "prores-mov",
]


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_those_a_sequential_decode_presents(video_of, name):
    """As many, and bearing the numbers that were drawn into them, so that no two decoders can be wrong alike."""
    video = video_of(name)
    assert video.index.rows == len(video.golden)
    assert video.scan.problems == []
    shows = videos.CATALOGUE[name].shows
    assert shows is None or numbers(video.rows(range(video.index.rows)).values()) == list(shows)


@pytest.mark.parametrize("name", NAMES)
def test_any_rows_equal_the_sequential_decode(video_of, name):
    """Bit for bit, with one decoder that keeps its place from request to request."""
    video = video_of(name)
    decoder = video.decoder()
    for rows in patterns(video.index.rows, name):
        assert wrong(decoder, rows, video.golden) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_single_row_of_a_fresh_decoder_is_exact(video_of, name):
    """Whatever the decoder was before, it may not lend its memory to a row."""
    video = video_of(name)
    for row in range(0, video.index.rows, 3):
        assert wrong(video.decoder(), [row], video.golden) == []


@pytest.mark.parametrize("name", NAMES)
def test_requests_that_continue_are_exact(video_of, name):
    """All rows, and every third, five at a time."""
    video = video_of(name)
    for step in (1, 3):
        decoder = video.decoder()
        for piece in in_pieces(range(0, video.index.rows, step), 5):
            assert wrong(decoder, piece, video.golden) == []


@pytest.mark.parametrize("name", NAMES)
def test_rows_read_in_place_are_exact(video_of, name):
    """Where every packet stands in the file in one piece, the file itself serves."""
    video = video_of(name)
    if not video.inplace.inplace_possible:
        assert videos.CATALOGUE[name].suffix in {"ts", "mpg", "asf"}, "only these containers cut packets into pieces"
        return
    for rows in (range(video.index.rows), range(0, video.index.rows, 7)):
        assert wrong(video.decoder(inplace=True), rows, video.golden) == []


@pytest.mark.parametrize("name", THREADED)
def test_frame_threads_change_nothing(video_of, name):
    """FFmpeg's threads let frames out later, not others."""
    video = video_of(name)
    decoder = video.decoder(threads=2)
    for rows in patterns(video.index.rows, name):
        assert wrong(decoder, rows, video.golden) == []


def test_blue_comes_first_where_asked(video_of):
    """BGR is RGB the other way round."""
    video = video_of("h264-mp4")
    rgb, bgr = video.rows([5, 9]), video.rows([5, 9], format="bgr24")
    assert all((rgb[row][:, :, ::-1] == bgr[row]).all() for row in rgb)


def test_arrays_belong_to_the_caller(video_of):
    """Writing into one row changes no other, nor what the decoder makes next; also where frames are stored as RGB."""
    for name in ("h264-mp4", "raw-rgb-avi", "gif"):
        video = video_of(name)
        decoder = video.decoder()
        kept = []
        for row, frame in decoder.frames(range(20)):
            kept.append(frame)
            assert (frame == video.golden[row]).all()
            frame[:] = 0
        assert not any(frame.any() for frame in kept)
        assert wrong(decoder, range(20), video.golden) == []
