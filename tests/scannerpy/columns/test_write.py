"""What is stored how: H.264 or raw, null rows, changing shapes, and the sentences about what cannot be stored."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scannerpy._store.chunk import Chunk
from scannerpy._store.objects import memory
from scannerpy._video.column import FrameColumn, check_alike
from scannerpy._words.elements import NULL, NullElement
from scannerpy.errors import VideoError
from scannerpy.testing import videos
from tests.scannerpy.columns.writing import write_frames

from .conftest import pictures, same

arrays = hnp.arrays(
    dtype=st.sampled_from([np.uint8, np.float32, np.float64]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(arrays, st.just(NULL)), max_size=12), st.data())
def test_raw_rows_come_back_bit_for_bit_whatever_their_shapes(rows, data):
    objects = memory()
    made = FrameColumn(objects, [write_frames(objects, "a", rows, "raw")])
    asked = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=30)) if rows else []
    for row, found in zip(asked, made.read(asked), strict=True):
        expected = rows[row]
        if isinstance(expected, NullElement):
            assert found == NULL
        else:
            assert found.tobytes() == expected.tobytes()
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
            assert found.flags.writeable
            assert found.flags.c_contiguous


@pytest.mark.parametrize(
    ("frame", "codec", "kind"),
    [
        (np.zeros((8, 8, 3), np.uint8), "default", "video"),
        (np.zeros((8, 8, 3), np.uint8), "video", "video"),
        (np.zeros((8, 8, 3), np.uint8), "raw", "raw"),
        (np.zeros((8, 8, 2), np.float32), "default", "raw"),
        (np.zeros((8, 8, 1), np.uint8), "default", "raw"),
        (np.zeros((8, 8), np.uint8), "default", "raw"),
        (np.zeros((8, 8, 4), np.uint8), "default", "raw"),
        (np.zeros((0, 8, 3), np.uint8), "default", "raw"),
        (NULL, "default", "raw"),
        (NULL, "video", "raw"),
    ],
)
def test_what_is_stored_how(frame, codec, kind):
    objects = memory()
    assert Chunk.open(objects, write_frames(objects, "a", [frame], codec)).kind == kind


def test_no_rows_make_an_empty_chunk():
    objects = memory()
    ref = write_frames(objects, "a", [], start=7)
    assert (ref.start, ref.end) == (7, 7)
    assert list(FrameColumn(objects, [write_frames(objects, "b", [])]).read()) == []


@pytest.mark.parametrize("nulls", [[0], [9], [0, 1, 2], [4], [3, 5, 6], list(range(9)), list(range(1, 10)), [0, 9]])
@pytest.mark.parametrize("codec", ["default", "raw"])
def test_nulls_stand_between_frames(nulls, codec):
    objects = memory()
    rows = [NULL if k in nulls else picture for k, picture in enumerate(pictures(10))]
    made = FrameColumn(objects, [write_frames(objects, "a", rows, codec)])
    found = list(made.read())
    assert [k for k, frame in enumerate(found) if isinstance(frame, NullElement)] == nulls
    for k, frame in enumerate(found):
        assert k in nulls or videos.read_number(frame) == k
    backwards = list(made.read(range(9, -1, -1)))
    assert all(a is b or np.array_equal(a, b) for a, b in zip(backwards, found[::-1], strict=True))
    assert not set(made.keyframes().tolist()) & set(nulls) or codec == "raw"


def test_big_endian_and_other_strides_come_back_native():
    objects = memory()
    frames = [np.arange(24, dtype=">f4").reshape(4, 6), np.arange(24.0).reshape(4, 6).T[::-1]]
    found = list(FrameColumn(objects, [write_frames(objects, "a", frames, "raw")]).read())
    assert same(found, frames)
    assert found[0].dtype == np.dtype("<f4")


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (np.zeros((4, 6, 3), np.uint16), r"row 5 is 6×4×3 uint16.*astype"),
        (np.zeros((4, 6), np.int64), r"row 5 is 6×4 int64"),
        (np.zeros((4, 6), np.float16), r"float16"),
        (np.zeros((4, 6), bool), r"bool"),
        (np.zeros(7, np.complex64), r"complex64"),
        (np.zeros((1, 2, 3, 4), np.uint8), r"at most 3 dimensions"),
        (np.zeros((2, 2), object), r"object"),
    ],
)
@pytest.mark.parametrize("codec", ["raw", "default"])
def test_what_frames_cannot_be_is_said(frame, said, codec):
    objects = memory()
    with pytest.raises(VideoError, match=said):
        write_frames(objects, "a", [np.zeros((2, 2), np.uint8)] * 5 + [frame], codec)
    assert objects.list("") == []


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (np.zeros((48, 66, 3), np.uint8), r"row 103 is 66×48×3 uint8, but .* began as 64×48×3 uint8.*lossless"),
        (np.zeros((48, 64, 1), np.uint8), r"row 103 is 64×48×1"),
        (np.zeros((48, 64, 3), np.float32), r"row 103 is 64×48×3 float32"),
    ],
)
def test_a_video_column_keeps_its_size(later, said):
    objects = memory()
    with pytest.raises(VideoError, match=said):
        write_frames(objects, "a", [*pictures(3), later], start=100)
    assert objects.list("") == []


def test_a_change_of_size_is_refused_wherever_the_tasks_are_cut():
    objects = memory()
    refs = [
        write_frames(objects, "a", pictures(3)),
        write_frames(objects, "nulls", [NULL], start=3),
        write_frames(objects, "b", [NULL, *pictures(3, 66)], start=4),
    ]
    check_alike(objects, refs[:2])
    with pytest.raises(VideoError, match=r"row 5 is 66×48.*64×48.*lossless"):
        check_alike(objects, refs)


RGB, FLOAT, GRAY = np.zeros((48, 64, 3), np.uint8), np.zeros((4, 6), np.float32), np.zeros((4, 6), np.uint8)


def write_in_pieces(frames, ends, codec="default"):
    """Store `frames` as tasks that end at `ends` would, and commit them."""
    objects, begins = memory(), [0, *ends]
    refs = [
        write_frames(objects, f"{begin}", frames[begin:end], codec, start=begin)
        for begin, end in zip(begins, ends, strict=False)
    ]
    check_alike(objects, refs)
    return FrameColumn(objects, refs)


@pytest.mark.parametrize(
    "frames",
    [[RGB, RGB, FLOAT], [FLOAT, FLOAT, RGB], [NULL, GRAY, RGB, RGB], [RGB, NULL, GRAY], [NULL, FLOAT, NULL, RGB]],
)
def test_frames_of_both_kinds_are_refused_with_one_sentence_wherever_the_tasks_are_cut(frames):
    said = set()
    for cuts in itertools.product([False, True], repeat=len(frames) - 1):
        ends = [*(k + 1 for k, cut in enumerate(cuts) if cut), len(frames)]
        with pytest.raises(VideoError, match=r"row \d is .*, but this column.* began as .*lossless") as refused:
            write_in_pieces(frames, ends)
        said.add(re.search(r"row \d is \S+ \w+", str(refused.value))[0])
    assert len(said) == 1


@pytest.mark.parametrize(
    ("frames", "codec"),
    [
        ([FLOAT, GRAY, np.zeros(3)], "default"),
        ([RGB, FLOAT, GRAY], "raw"),
        ([RGB, NULL, RGB], "default"),
        ([NULL] * 3, "default"),
    ],
)
@pytest.mark.parametrize("ends", [[3], [1, 3], [2, 3], [1, 2, 3]])
def test_frames_of_one_kind_fit_together_wherever_the_tasks_are_cut(frames, codec, ends):
    found = write_in_pieces(frames, ends, codec).read()
    assert all(isinstance(a, NullElement) == isinstance(b, NullElement) for a, b in zip(frames, found, strict=True))
