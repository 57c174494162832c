"""What a notebook shows of streams, tables, a database, a plan and a run."""

from __future__ import annotations

import base64
import pickle
import shutil
from typing import Any

import cv2
import numpy as np
import pytest

import scannerpy as sp
from scannerpy import types
from scannerpy._preview import spread
from tests.clips import number_of
from tests.scannerpy.seeing.reading import read

PARAMS = sp.PerfParams.manual(5, 10)
HOSTILE = "<script>alert(1)</script>"


def run(cl, column, out, **options):
    return cl.run(cl.io.Output(column, [out]), PARAMS, show_progress=False, **options)


def frames_of(page):
    """Decode the pictures of a page."""
    data = [base64.b64decode(str(image["src"]).partition(",")[2]) for image in page.all("img")]
    return [cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR) for each in data]


def captions(page):
    return [text for text in page.texts if text.startswith("row ")]


@pytest.fixture
def film(cl, clip):
    return sp.NamedVideoStream(cl, "film", path=clip(100, size=(128, 96)))


# Which rows


@pytest.mark.parametrize(
    ("rows", "starts", "chosen"),
    [
        (3, [], [0, 1, 2]),
        (12, [], list(range(12))),
        (100, [], [4, 12, 20, 29, 37, 45, 54, 62, 70, 79, 87, 95]),
        (100, [0, 12, 50, 90], [0, 12, 20, 29, 37, 45, 50, 62, 70, 79, 90, 95]),
        (24, [0, 1, 2, 3, 23], [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23]),
    ],
)
def test_rows_are_spread_evenly_and_begin_a_group_where_one_is_near(rows, starts, chosen):
    assert spread(rows, 12, starts) == chosen


def test_there_are_as_many_rows_as_asked_for_each_once():
    for rows in range(60):
        chosen = spread(rows, 12, [0, 7, 30])
        assert len(set(chosen)) == len(chosen) == min(rows, 12)
        assert chosen == sorted(chosen)


# Frames


def test_a_video_is_a_contact_sheet_of_rows_with_their_times(film):
    page = read(film._repr_html_())
    assert "film · 100 rows · 128 × 96 · 3.96 s · " in page.text
    assert captions(page)[:2] == ["row 0 · 0.00 s", "row 12 · 0.48 s"]
    numbers = [number_of(frame) for frame in frames_of(page)]
    assert [f"row {number} · {number / 25:.2f} s" for number in numbers] == captions(page)
    assert page.all("img")[1]["alt"] == "frame of row 12"


def test_only_the_rows_on_the_sheet_are_decoded(film, monkeypatch):
    from scannerpy._video.decode import Decoder

    decoded: list[int] = []
    frames = Decoder.frames

    def counted(self, rows):
        decoded.extend(np.asarray(rows).tolist())
        return frames(self, rows)

    monkeypatch.setattr(Decoder, "frames", counted)
    page = read(film._repr_html_())
    assert [f"row {row} · {row / 25:.2f} s" for row in decoded] == captions(page)


def test_frames_that_ops_made_have_rows_but_no_times(cl, film):
    out = sp.NamedVideoStream(cl, "out")
    frame = cl.streams.RepeatNull(cl.streams.Range(cl.io.Input([film]), [(20, 22)]), [2])
    run(cl, frame, out)
    page = read(out._repr_html_())
    assert captions(page) == ["row 0", "row 1", "row 2", "row 3"]
    assert [number_of(frame) for frame in frames_of(page)] == [20, 21]
    assert page.text.count("null") == 2


@sp.register_python_op()
def SeeingDepth(config, frame: sp.FrameType) -> sp.FrameType:
    return frame[..., :1].astype(np.float32) / 255


def test_frames_stored_raw_are_shown_too_under_whichever_handle(cl, film):
    out = sp.NamedStream(cl, "depth")
    run(cl, cl.ops.SeeingDepth(frame=cl.streams.Range(cl.io.Input([film]), [(20, 22)])), out)
    page = read(out._repr_html_())
    assert "depth · 2 rows · 128 × 96 × 1 float32" in page.text
    assert [number_of(frame) for frame in frames_of(page)] == [20, 21]


@sp.register_python_op()
def SeeingRed(config, frame: sp.FrameType) -> sp.FrameType:
    return np.full_like(frame, (200, 0, 0))


def test_colours_are_right_however_frames_are_stored(cl, film):
    red = cl.ops.SeeingRed(frame=cl.streams.Range(cl.io.Input([film]), [(0, 1)]))
    for name, column in {"coded": red, "raw": red.lossless()}.items():
        out = sp.NamedVideoStream(cl, name)
        run(cl, column, out)
        (frame,) = frames_of(read(out._repr_html_()))
        assert np.abs(frame[40, 40].astype(int) - (0, 0, 200)).max() < 12, "BGR, as OpenCV decodes the picture"


def test_a_frame_that_cannot_be_read_leaves_the_others(cl, film, monkeypatch):
    from scannerpy._client.stored import StoredColumn
    from scannerpy.errors import VideoError

    read_rows = StoredColumn.read

    def damaged(self, rows, **options):
        if 12 in rows.tolist():
            raise VideoError(f"row 12 is damaged {HOSTILE}")
        return read_rows(self, rows, **options)

    monkeypatch.setattr(StoredColumn, "read", damaged)
    page = read(film._repr_html_())
    assert len(page.all("img")) == 11
    assert "cannot be read" in page.text
    assert f"row 12 is damaged {HOSTILE}" in [span.get("title") for span in page.all("span")]


# Blobs


def typed(cl, film, op, rows=3):
    out = sp.NamedStream(cl, "out")
    run(cl, op(cl.streams.Range(cl.io.Input([film]), [(0, rows)])), out)
    return read(out._repr_html_())


def test_histograms_are_bars(cl, film):
    page = typed(cl, film, lambda frame: cl.ops.Histogram(frame=frame), rows=20)
    assert len(page.all("svg")) == 8
    assert "… and 12 more rows" in page.text
    assert "20 rows · Histogram · job 0" in page.text


def test_images_are_a_contact_sheet(cl, film):
    page = typed(cl, film, lambda frame: cl.ops.ImageEncoder(frame=frame))
    assert [number_of(frame) for frame in frames_of(page)] == [0, 1, 2]
    assert captions(page) == ["row 0", "row 1", "row 2"]


@sp.register_python_op()
def SeeingAny(config, frame: sp.FrameType) -> Any:
    return {"<script>alert(1)</script>": frame[:2]}


def test_values_of_any_kind_are_escaped(cl, film):
    page = typed(cl, film, lambda frame: cl.ops.SeeingAny(frame=frame))
    assert "{'<script>alert(1)</script>': array(" in page.text


@types.register_type
class Grumpy:
    """A type whose values cannot be read back."""

    @staticmethod
    def serialize(value: Any) -> bytes:
        return bytes(value)

    @staticmethod
    def deserialize(data: bytes) -> Any:
        raise RuntimeError(HOSTILE)


@sp.register_python_op()
def SeeingGrumpy(config, frame: sp.FrameType) -> Grumpy:
    return b"xyz"


def test_what_a_type_cannot_read_is_told_row_by_row(cl, film):
    page = typed(cl, film, lambda frame: cl.ops.SeeingGrumpy(frame=frame))
    assert page.text.count(f"cannot be read as Grumpy: RuntimeError: {HOSTILE}") == 3


def test_a_type_this_process_does_not_know_is_told(cl, film, monkeypatch):
    monkeypatch.delitem(types._by_name, "Grumpy")
    cl.new_table("t", ["column"], [[b"xyz"]])
    record = cl.table("t")._record
    column = record.columns[0].__class__("column", is_video=False, type_name="Grumpy")
    monkeypatch.setattr(type(cl), "table", lambda self, name: sp.table.Table(self, "t", _with(record, column)))
    assert "3 bytes of type Grumpy; import the module that defines it" in read(cl.table("t")._repr_html_()).text


def _with(record, column):
    from dataclasses import replace

    return replace(record, columns=(column,))


# What is not there


def test_what_is_missing_incomplete_empty_or_broken_is_a_sentence(cl, tmp_path):
    assert "does not exist yet" in read(sp.NamedStream(cl, HOSTILE)._repr_html_()).text
    assert "does not exist yet" in read(cl.table("nobody")._repr_html_()).text
    gone = read(sp.NamedVideoStream(cl, "gone", path=str(tmp_path / "gone.mp4"))._repr_html_())
    assert "gone.mp4 does not exist" in gone.text
    cl.new_table("empty", ["column"], [])
    assert "This stream is empty." in read(sp.NamedStream(cl, "empty")._repr_html_()).text


@sp.register_python_op()
def SeeingFails(config, frame: sp.FrameType) -> Any:
    raise ValueError("no <model>")


def test_a_failed_run_is_shown_with_what_failed(cl, film):
    out = sp.NamedStream(cl, HOSTILE)
    job = run(cl, cl.ops.SeeingFails(frame=cl.io.Input([film])), out)
    assert "not complete" in read(out._repr_html_()).text
    assert "not complete" in read(cl._repr_html_()).text
    status = cl.job_status(job)
    page = read(status._repr_html_())
    assert "Run finished, with failures" in page.text
    assert "ValueError: no <model>" in page.text
    assert f"traceback of {HOSTILE}" in page.text
    (bar,) = [each for each in page.all("div") if each.get("role") == "progressbar"]
    assert bar["aria-label"] == "0 of 100 rows done, 100 given up"
    assert "1 stream failed and stays uncommitted" in read(status.failures._repr_html_()).text


def test_a_damaged_database_shows_a_sentence(cl, clip, tmp_path):
    stream = sp.NamedVideoStream(cl, "film", path=clip(12))
    assert stream.len() == 12
    for folder in (tmp_path / "db").glob("data/*"):
        shutil.rmtree(folder)
    page = read(sp.NamedVideoStream(cl, "film")._repr_html_())
    assert page.all("img") == []
    assert "film" in page.text
    assert len(page.text) > 20


# Tables, the database, plans, times


def test_a_table_shows_all_its_columns(cl):
    cl.new_table("t", ["<a>", "b"], [[b"xy", pickle.dumps(3)], [b"", b"z"]])
    page = read(cl.table("t")._repr_html_())
    assert "t · 2 rows · bytes · bytes · new_table" in page.text
    assert [text for text in page.texts if text in {"<a>", "b"}] == ["<a>", "b"]
    assert "2 bytes  78 79" in page.text
    assert "<a>" not in read(cl.table("t").column("b")._repr_html_()).text


def test_the_client_lists_its_streams(cl, film):
    assert "no streams yet" in read(cl._repr_html_()).text
    film.len()
    for number in range(60):
        cl.new_table(f"<t{number}>", ["column"], [[b"x"]])
    page = read(cl._repr_html_())
    assert "61 streams" in page.text
    assert "<t59>" in page.text
    assert "… and 11 older ones" in page.text
    assert len(page.all("tr")) == 51


def test_a_plan_is_drawn_with_rows_at_every_op(cl, film):
    frame = cl.streams.Stride(cl.io.Input([film]), [10])
    outputs = [
        cl.io.Output(cl.ops.Histogram(frame=frame), [sp.NamedStream(cl, "a")]),
        cl.io.Output(cl.ops.OpticalFlow(frame=frame), [sp.NamedStream(cl, "b")]),
    ]
    explanation = cl.explain(outputs, PARAMS)
    page = read(explanation._repr_html_())
    assert len(page.all("path")) == 5
    assert "10 rows, stencil [0, 1]" in page.text
    assert "frames to decode of 100 stored" in page.text
    assert [box.kind for box in explanation.boxes].count("sink") == 2
    assert "10 rows to store from 1 stream in 1 task" in str(explanation)


def test_a_profile_shows_how_busy_each_stage_was(cl, film):
    job = run(cl, cl.ops.Histogram(frame=cl.io.Input([film])), sp.NamedStream(cl, "out"))
    profile = cl.get_profile(job)
    page = read(profile._repr_html_())
    assert profile.bottleneck() in page.text
    assert [text for text in page.texts if text in {"load", "ops", "save"}] == ["load", "ops", "save"]
