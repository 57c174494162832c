"""`scanner demo` on a small film with three shots: what is in the picture, the videos, the trace and the table."""

import io
import json

import av
import cv2
import numpy as np
import pytest
from rich.console import Console

from scannerpy._demo.clip import find_clips
from scannerpy._demo.program import run_demo
from scannerpy.errors import IngestError

SHOTS = [(0, 40, (200, 60, 40)), (40, 60, (30, 90, 200)), (60, 100, (60, 180, 70))]
"""First row, end row, colour."""


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Write 100 frames of 320 × 180: a light square moves over three colours."""
    path = tmp_path_factory.mktemp("film") / "three shots.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for start, end, colour in SHOTS:
            for row in range(start, end):
                picture = np.full((180, 320, 3), colour, np.uint8)
                picture[60:120, 20 + 2 * row : 80 + 2 * row] = 240
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def made(film, tmp_path_factory):
    """Run the demo once; return its folder and what it printed."""
    out = tmp_path_factory.mktemp("out")
    screen = io.StringIO()
    run_demo([film], out, Console(file=screen, width=140))
    return out, screen.getvalue()


def frames_of(path):
    with av.open(str(path)) as container:
        rate = container.streams.video[0].average_rate
        return rate, [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


pytestmark = pytest.mark.slow


def test_the_table_tells_the_shots(made):
    _, text = made
    for start, end, _ in SHOTS:
        assert f"{start}–{end - 1}" in text
    assert "2.00 s" in text


def test_the_montage_shows_every_shot_in_order(made):
    out, _ = made
    picture = cv2.imread(str(out / "three shots-montage.png"))[..., ::-1]
    assert picture.shape == (3 * 180, 4 * 320, 3)
    corners = [picture[line * 180 + 5, column * 320 + 5].astype(int) for line in range(3) for column in range(4)]
    seen = [min(range(3), key=lambda i: np.abs(corner - SHOTS[i][2]).sum()) for corner in corners]
    assert seen == sorted(seen)
    assert set(seen) == {0, 1, 2}


def test_the_annotated_video_has_every_frame_at_the_films_rate(made):
    out, _ = made
    rate, frames = frames_of(out / "three shots-annotated.mp4")
    assert rate == 20
    assert len(frames) == 100
    assert frames[0].shape == (360, 640, 3)
    assert frames[0][-10:].mean() < frames[0][:300].mean(), "a dark band for the caption"


def test_the_flow_video_has_the_sampled_rows(made):
    out, _ = made
    rate, frames = frames_of(out / "three shots-flow.mp4")
    assert rate == 10
    assert len(frames) == 20, "every second row of the middle of a shot of 40"


def test_the_trace_is_a_chrome_trace(made):
    out, text = made
    events = json.loads((out / "histograms.trace").read_text())
    assert {event["ph"] for event in events} >= {"M", "X"}
    assert "histograms.trace" in text


def test_it_can_be_run_again_in_the_same_place(film, made):
    out, _ = made
    run_demo([film], out, Console(file=io.StringIO(), width=140))


def test_a_missing_video_is_told(tmp_path):
    with pytest.raises(IngestError, match="is not a file"):
        find_clips(tmp_path / "nothing.mp4")


def test_without_the_package_that_carries_it_the_next_step_is_told(monkeypatch):
    monkeypatch.setattr("scannerpy._demo.clip.CARRIER", "no_such_package_here")
    with pytest.raises(IngestError, match="make demo"):
        find_clips(None)
