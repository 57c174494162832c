"""Programs as users of the original wrote them, run by path, each in a process and with a database of its own."""

import json
from ast import literal_eval

import cv2
import numpy as np
import pytest

from tests.clips import board, number_of, read_clip
from tests.conftest import free_port
from tests.scannerpy.batteries.models import write_brightest
from tests.sounds import write_sound

PIXELS = 64 * 48


def test_walkthrough(run, clip, tmp_path):
    lines = run("walkthrough", clip(30))
    assert lines == ["30 15", "(24, 32, 3) uint8", "(24, 32, 3) uint8", "0"]
    assert [number_of(frame) for frame in read_clip(tmp_path / "example_resized.mp4")] == list(range(0, 30, 2))


def test_histogram(run, clip):
    assert run("histogram", clip(70), clip(30)) == [
        f"3 {[PIXELS] * 3}",
        f"1 {[PIXELS] * 3}",
        "None",
        "True True",
        "True",
    ]


def test_optical_flow(run, clip):
    flow, difference = run("optical_flow", clip(30))
    assert flow == "6 (48, 64, 2) float32 0.0"  # the first row's neighbour is itself
    assert difference == str([True] * 5 + [False])


def test_tracker(run, clip):
    lines = run("tracker", clip(30), clip(12))
    assert [line for line in lines if line.startswith("True")] == [
        "True 30 {'boxes': 1, 'label': 7}",
        "True 12 {'boxes': 1, 'label': 8}",
    ]
    assert "resources fetched" in lines


def test_batch_kernel(run, clip):
    default, three, same, change = run("batch_kernel", clip(30))
    assert default == str([8, 8, 8, 8, 8, 8, 8, 8, 2, 2] * 3)
    assert three == str([3, 3, 3, 3, 3, 3, 3, 3, 3, 1] * 3)
    assert (same, change) == ("True", "30 True")


def test_any_outputs(run):
    assert run("any_outputs") == [
        "{'number': 5, 'half': 2, 'kind': 'odd'}",
        "[b'0+0+0', b'1+0+1', b'2+1+2', b'3+1+3', b'4+2+4', b'5+2+5']",
        "[None, 1, None, 1, None, 1]",
        "True",
    ]


def test_slices(run, clip):
    sums, plain = run("slices", clip(40))
    groups = [(1000, range(10)), (2000, range(10, 20)), (3000, range(20, 30))]
    assert sums == str([start + sum(rows[: n + 1]) for start, rows in groups for n in range(10)])
    assert plain == str([sum(range(first, first + 10)) for first in (0, 10, 20, 30)])


def test_resize_streams(run, clip):
    assert run("resize_streams", clip(30), clip(24)) == [
        "3 (24, 32, 3) uint8",
        "0 True",
        "4 (36, 48, 3) uint8",
        "0 True",
    ]


def test_tables(run, clip, tmp_path):
    (tmp_path / "none.mp4").write_text("this is not a video")
    lines = run("tables", clip(12), tmp_path / "none.mp4")
    assert lines[1:] == [
        "0 pairs ['left', 'right'] 3 True True",
        "[(b'1', b'a'), (b'22', b'b'), (b'333', b'c')]",
        "[(b'c',), (b'a',)]",
        "[1, 2, 3]",
        "[1, 2]",
        "True",
        "1",
        "['good'] [True]",
        "True False False",
        "12 frame 2",
        "True",
        "False",
    ]


def test_failures(run, clip):
    assert run("failures", clip(12)) == [
        "[(True, True), (True, False), (True, True)]",
        "not readable",
        "[b'one', b'two', b'three']",
    ]


def test_detached(run, clip):
    assert run("detached", clip(30)) == ["True True True 0", "True False", "[]", "True True"]


@pytest.mark.slow
def test_workers(run, clip):
    assert run("workers", clip(30), free_port(), free_port()) == ["30 (48, 64, 3)", r"b'\x89PNG'", "True True"]


def test_image_files(run, tmp_path):
    (tmp_path / "pictures").mkdir()
    for number in range(5):
        cv2.imwrite(str(tmp_path / "pictures" / f"{number}.png"), board(number, 64, 48))
    assert run("image_files", tmp_path / "pictures") == [
        "5 True True",
        r"['000.jpg', '001.jpg', '002.jpg', '003.jpg', '004.jpg'] [b'\xff\xd8']",
        "True",
        "None",
        "True",
        str([[12, 16, 3]] * 5),
    ]


def test_python_values(run, clip):
    assert run("python_values", clip(12)) == [
        "[(4, 4, 3), (8, 8, 3), (12, 12, 3)]",
        "[[1, 0], [0, 1, 2, 3, 4]]",
    ]


def test_sound_and_captions(run, tmp_path):
    loud = np.concatenate([np.zeros(8000), np.full(8000, 0.5), np.full(8000, 0.25)]).astype(np.float32)
    (tmp_path / "film.srt").write_text("1\n00:00:00,900 --> 00:00:01,500\nBoo!\n")
    assert run("sound_and_captions", write_sound(tmp_path / "film.wav", loud), tmp_path / "film.srt") == [
        "(0.0, ['Boo!'])",
        "(0.5, ['Boo!'])",
        "(0.25, [])",
        "(8000, 1, 1) float32",
    ]


SQL_LINES = ["False", "True None", "[('a', 3), ('b', 3), ('c', 3)]", "45.0", "[('count',), ('double',)]"]


def test_sql_tables_of_sqlite(run, lite):
    fields = json.dumps({"dbname": lite.dbname, "adapter": "sqlite"})
    assert run("sql_tables", f"sqlite:///{lite.dbname}", fields) == SQL_LINES


@pytest.mark.slow
def test_sql_tables_of_postgresql(run, postgres):
    fields = {"hostaddr": postgres.hostaddr, "dbname": postgres.dbname, "user": postgres.user}
    url = f"postgresql+psycopg://{postgres.user}@/{postgres.dbname}?host={postgres.hostaddr}"
    assert run("sql_tables", url, json.dumps(fields)) == SQL_LINES


def test_find_objects(run, clip, tmp_path):
    """The model finds the brightest of 8 × 8 cells; in frames that carry 16, 26 and 36, the light fields differ."""
    model = write_brightest(tmp_path / "model.onnx", (48, 64))
    lines = run("find_objects", clip(30, first=16), model)
    assert lines[0] == "True"
    first, second, third = map(literal_eval, lines[1:])
    assert {label for label, _, _ in first + second + third} == {0}
    assert first[0][1:] == (0.0, 0.33)  # bit 4 is the first field of the second row, 12 to 24: the cell inside it
    assert (tmp_path / "drawn.mp4").stat().st_size > 0
