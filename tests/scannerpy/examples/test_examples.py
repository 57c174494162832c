"""The programs of the tutorial: each runs, and what it makes to look at shows what its page says."""

import json
import re
import tempfile

import cv2
import numpy as np
import pytest

from tests.clips import read_clip

pytestmark = pytest.mark.slow


def picture(path):
    image = cv2.imread(str(path))
    assert image is not None, path
    return image


def test_00_a_stream_in_a_stream_out(run, film, tmp_path):
    run("examples/00_basic.py", film)
    assert [frame.shape for frame in read_clip(tmp_path / "out/00_small.mp4")] == [(120, 160, 3)] * 6
    assert cv2.absdiff(picture(tmp_path / "out/00_first.png"), next(read_clip(film))[..., ::-1]).mean() < 4


def test_without_a_video_an_example_takes_the_sample_clip(run, tmp_path):
    with tempfile.TemporaryDirectory() as scratch:  # not tmp_path: sockets lie in TMPDIR, and their paths must be short
        printed = run("examples/00_basic.py", TMPDIR=scratch)
    assert "250 frames" in printed
    assert len(list(read_clip(tmp_path / "out/00_small.mp4"))) == 25


def test_01_your_own_ops(run, film, tmp_path):
    bars = run("examples/01_python_ops.py", film).splitlines()[-1]
    assert bars[0] > bars[len(bars) // 2] > bars[-1], "day, dusk, night"
    posters = list(read_clip(tmp_path / "out/01_posters.mp4"))
    assert len(posters) == 60
    near_a_level = np.abs((posters[5].astype(int) % 64) - 32) <= 8
    assert near_a_level.mean() > 0.9, "four levels, but for what H.264 does to edges"


def test_02_batch_stencil_and_state(run, film, tmp_path):
    assert re.search(r"saturation: \d+ to \d+", run("examples/02_op_attributes.py", film))
    film_frames, trails = list(read_clip(film)), list(read_clip(tmp_path / "out/02_trails.mp4"))
    assert len(trails) == 60
    assert cv2.absdiff(trails[0], film_frames[0] // 2).mean() < 4, "nothing has moved before the first row"
    glow = trails[20].astype(int) - film_frames[20] // 2
    assert glow[90:].max() > 100, "cars glow on the road"
    assert glow[:60].max() < 40, "the sky does not"


def test_03_choose_rows(run, film, tmp_path):
    printed = run("examples/03_sampling.py", film)
    decoded = [int(n) for n in re.findall(r"(\d+) frames to decode", printed)]
    assert decoded[0] < decoded[1] == 60
    sheet = picture(tmp_path / "out/03_sheet.png")
    assert sheet.shape == (3 * 120, 4 * 160, 3)
    assert sheet[:120, :160].mean() > 2 * sheet[240:, 480:].mean(), "the first tile is by day, the last by night"


def test_04_slices(run, film, tmp_path):
    run("examples/04_slicing.py", film)
    day, _, night = np.hsplit(picture(tmp_path / "out/04_exposures.png"), 3)
    darkest = min(read_clip(film), key=np.mean)
    assert day.mean() > night.mean() > 1.3 * darkest.mean(), "brighter by its gain, and what was dusk is in it too"


def test_05_sources_and_sinks(run, film, tmp_path):
    assert "3 pictures" in run("examples/05_sources_and_sinks.py", film)
    names = sorted(path.name for path in (tmp_path / "out/05_pictures").iterdir())
    assert names == ["000000.png", "000001.png", "000002.png"]
    wall = picture(tmp_path / "out/05_wall.png")
    for n, name in enumerate(names):
        assert np.array_equal(wall[:120, 160 * n : 160 * (n + 1)], picture(tmp_path / "out/05_pictures" / name))


def test_06_how_frames_are_stored(run, film):
    printed = run("examples/06_compression.py", film)
    kilobytes = {name: int(size) for name, size in re.findall(r"(\w+): +(\d+) kB", printed)}
    assert kilobytes["small"] < kilobytes["default"] < kilobytes["exact"] == 50 * 160 * 120 * 3 // 1000
    keyframes = {name: int(count) for name, count in re.findall(r"(\w+):.*?(\d+) keyframes", printed)}
    assert keyframes["seekable"] >= 10 > keyframes["default"]


def test_07_where_the_time_goes(run, film, tmp_path):
    printed = run("examples/07_profiling.py", film)
    assert re.search(r"eval  OpticalFlow +\d", printed)
    events = json.loads((tmp_path / "out/07.trace").read_text(encoding="utf-8"))
    assert "OpticalFlow" in {event["name"] for event in events}
    assert len(list(read_clip(tmp_path / "out/07_arrows.mp4"))) == 60


def test_08_fast_ops_give_the_same_edges(run, film, tmp_path):
    printed = run("examples/08_fast_ops.py", film)
    assert [line.split()[0] for line in printed.splitlines()] == ["EdgesByPixel", "EdgesByNumpy", "EdgesByOpenCV"]
    assert picture(tmp_path / "out/08_edges.png").max() > 50


def test_09_many_videos_some_of_them_broken(run, film, tmp_path):
    printed = run("examples/09_many_videos.py", film)
    assert "not readable: out/09_videos/thursday.mp4" in printed
    assert re.search(r"monday/brightness +done\ntuesday/brightness +failed\nwednesday/brightness +done", printed)
    assert re.search(r"\| tuesday/brightness +\| 3 +\| column +\| true", printed), "mended"
    assert picture(tmp_path / "out/09_curves.png").min() < 200
