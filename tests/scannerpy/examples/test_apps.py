"""The apps, on small clips whose truth is known."""

import re

import av
import cv2
import numpy as np
import pytest

from scannerpy.testing import scenes

pytestmark = pytest.mark.slow


def write(path, pictures, codec="libx264", rate=20):
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "28", "preset": "veryfast", "deadline": "realtime", "threads": "1"}
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """80 rows of noise that stands still. Three squares cross it, two of them at the same time; a fourth only shakes,
    and while the white one is there the camera closes its aperture.
    """
    ground = np.random.default_rng(0).integers(90, 120, (120, 160, 3)).astype(np.uint8)
    ground = cv2.GaussianBlur(ground, (9, 9), 0)
    pictures = []
    for row in range(80):
        picture = ground.copy()
        if row < 30:
            picture[20:36, 5 * row : 5 * row + 16] = (230, 40, 40)
        if 10 <= row < 40:
            picture[80:96, 150 - 5 * (row - 10) : 166 - 5 * (row - 10)] = (40, 60, 230)
        if 45 <= row < 70:
            top = 4 * (row - 45)
            picture[top : top + 18, 60:78] = 250
            picture = (picture * 0.8).astype(np.uint8)
        shake = row % 2
        picture[100:112, 20 + shake : 32 + shake] = (10, 200, 10)
        pictures.append(picture)
    return write(tmp_path_factory.mktemp("squares") / "squares.mp4", pictures)


def test_the_counter_counts_what_crosses_the_picture(run, squares, tmp_path):
    printed = run("apps/count_moving.py", squares)
    assert "3 moving objects" in printed
    begins = [int(row) for row in re.findall(r"object +\d+  rows +(\d+)", printed)]
    assert np.allclose(begins, [0, 10, 45], atol=2)
    with av.open(str(tmp_path / "out/count_moving/squares.mp4")) as marked:
        assert marked.streams.video[0].frames == 80


def test_the_counter_can_be_told_what_counts(run, squares):
    assert "0 moving objects" in run("apps/count_moving.py", squares, "--rows", "60")


def test_the_montage_has_the_middle_of_every_shot(run, film, tmp_path):
    printed = run("apps/shot_montage.py", film, "--width", "160")
    cut, other = scenes.cuts(60)
    shots = [(int(a), int(b) + 1) for a, b in re.findall(r"rows +(\d+) to +(\d+)", printed)]
    assert shots == [(0, cut), (cut, other), (other, 60)]
    montage = cv2.imread(str(tmp_path / "out/shot_montage/film.png"))
    truth = scenes.pictures(60, (160, 120))
    for (start, end), tile in zip(shots, np.hsplit(montage, 3), strict=True):
        assert cv2.absdiff(tile[:100], truth[(start + end) // 2][:100, :, ::-1]).mean() < 4


def test_the_montage_shows_the_longest_shots_where_there_are_too_many(run, film, tmp_path):
    assert "3 shots, 1 in" in run("apps/shot_montage.py", film, "--most", "1", "--width", "80")
    assert cv2.imread(str(tmp_path / "out/shot_montage/film.png")).shape == (60, 80, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two films that differ, copies of the first one (smaller in VP9, trimmed by a second), and a file that is none."""
    folder = tmp_path_factory.mktemp("videos")
    film = scenes.pictures(80, (160, 120))
    shifted = np.random.default_rng(1)
    rooms = [cv2.resize(shifted.integers(0, 255, (6, 8, 3)).astype(np.uint8), (160, 120)) for _ in range(4)]
    write(folder / "film.mp4", film)
    write(folder / "small.webm", [cv2.resize(p, (96, 72), interpolation=cv2.INTER_AREA) for p in film], "libvpx-vp9")
    write(folder / "trimmed.mp4", film[20:])
    write(folder / "rooms.mp4", [room for room in rooms for _ in range(20)])
    (folder / "broken.mp4").write_text("this is not a video")
    return folder


def test_near_duplicates_are_found_and_only_those(run, folder, tmp_path):
    printed = run("apps/find_duplicates.py", folder)
    pairs = {
        frozenset((a, b)): float(shift)
        for a, b, shift in re.findall(r"% +\S+/(\S+)  =  \S+/(\S+)  shifted by (\S+) s", printed)
    }
    assert set(pairs) == {
        frozenset(("film.mp4", "small.webm")),
        frozenset(("film.mp4", "trimmed.mp4")),
        frozenset(("small.webm", "trimmed.mp4")),
    }
    assert abs(pairs[frozenset(("film.mp4", "small.webm"))]) <= 0.5
    assert re.search(r"left out \S+/broken.mp4: ", printed)
    assert "4 videos, 3 near-duplicates" in printed
    assert cv2.imread(str(tmp_path / "out/find_duplicates/pairs.png")).shape == (3 * 282, 960, 3)

    again = run("apps/find_duplicates.py", folder)
    assert "4 videos, 3 near-duplicates" in again, "from the stored hashes"


def test_a_folder_without_videos_is_told(run, tmp_path):
    assert "two are needed" in run("apps/find_duplicates.py", tmp_path, fails=True)
