"""`scanner verify`: what is compared with what, and that a wrong frame does not go unnoticed."""

import json

import av
import numpy as np
import pytest
from typer.testing import CliRunner

import scannerpy as sp
from scannerpy import cli
from scannerpy._cli import verify
from scannerpy._cli.patterns import digest, patterns
from scannerpy.errors import ScannerException, VideoError
from scannerpy.testing import videos


@pytest.fixture
def inline(monkeypatch):
    """Graphs run in this process, which is quicker."""
    original = sp.Client.__init__
    monkeypatch.setattr(sp.Client, "__init__", lambda self, **kwargs: original(self, **{**kwargs, "debug": True}))


def scanner(*arguments):
    return CliRunner().invoke(cli.app, ["verify", *map(str, arguments)])


def test_every_pattern_equals_the_sequential_decode(inline, clip):
    result = scanner(clip(60), "--json")
    facts = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert facts["equal"]
    assert facts["rows"] == facts["decoded_from_the_beginning"] == 60
    asked = {(each["by"], each["rows_asked"]) for each in facts["comparisons"]}
    assert {("load", "backwards"), ("load", "random rows, any order"), ("load", "ranges of 10")} <= asked
    assert {("run", "every row"), ("run", "every 7th row"), ("run", "windows of 5")} <= asked


def test_frames_of_ten_bits_too(inline, tmp_path):
    """They load as the pixels an op sees, though FFmpeg's own BGR would not be those."""
    film = videos.make(videos.CATALOGUE["h264-10-bit"], tmp_path)
    assert scanner(film, "--rows", "1").exit_code == 0


@pytest.mark.parametrize(("degrees", "mirrored"), [(90, False), (0, True), (90, True), (180, True), (270, True)])
def test_videos_of_phones_too(inline, tmp_path, degrees, mirrored):
    """Held in any way, and of the camera in front, which mirrors: that was called DIFFERENT, though all was well."""
    path = tmp_path / "phone.mp4"
    videos.encode(path, videos.CATALOGUE["h264-mp4"])
    turned = tmp_path / "turned.mp4"
    with av.open(str(path)) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(degrees, hflip=mirrored)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    result = scanner(turned, "--rows", "2")
    assert result.exit_code == 0, result.stdout


def test_rows_bound_the_work(inline, clip):
    text = scanner(clip(60), "--rows", "20", "--copy").stdout
    assert "the first 20 of 60 rows" in text
    assert "every one equal bit for bit" in text


def test_rows_that_are_damaged_are_counted_and_the_others_compared(inline, tmp_path):
    film = videos.make(videos.DAMAGED["damaged-ts"], tmp_path)
    facts = json.loads(scanner(film, "--json").stdout)
    assert facts["equal"]
    assert 0 < len(facts["refused"]) < 15
    assert facts["comparisons"][0]["rows"] == facts["rows"] - len(facts["refused"])
    result = scanner(film)
    assert result.exit_code == 0
    assert f"refused: the first is row {facts['refused'][0]}." in result.stdout


def test_a_video_of_damage_alone_is_an_error(inline, clip, monkeypatch):
    def load(self, rows):
        raise VideoError("row 0 cannot be decoded")

    monkeypatch.setattr(sp.NamedVideoStream, "load", load)
    assert isinstance(scanner(clip(5)).exception, VideoError)


def test_a_wrong_frame_is_found_and_named(inline, clip, monkeypatch):
    original = verify._reference

    def with_a_flaw(video, limit):
        truth = original(video, limit)
        truth.bgr[17] = digest(np.zeros((48, 64, 3), np.uint8))
        return truth

    monkeypatch.setattr(verify, "_reference", with_a_flaw)
    result = scanner(clip(60), "--rows", "20")
    assert result.exit_code == 1
    assert "DIFFERENT" in result.stdout
    assert "the first at row 17 (load, every row)" in result.stdout
    equal = [line for line in result.stdout.splitlines() if line.startswith("run")]
    assert all("equal" in line for line in equal)  # ops see RGB, where nothing was wrong


def test_another_number_of_frames_is_told(inline, clip, monkeypatch):
    monkeypatch.setattr(verify, "_reference", lambda *_: verify.Truth([b""] * 59, [b""] * 59))
    result = scanner(clip(60))
    assert result.exit_code == 1
    assert "60 rows, but a decode from its beginning shows 59 frames" in result.stdout


def test_patterns_stay_within_short_videos():
    for count in (1, 2, 3, 8):
        assert all(0 <= row < count for pattern in patterns(count) for row in pattern.rows)


def test_no_file_is_a_sentence():
    assert isinstance(scanner("nothing.mp4").exception, ScannerException)
