"""The batteries as a program meets them: called by name, stored, loaded."""

import cv2
import numpy as np
import pytest

import scannerpy as sp
from scannerpy.types import BboxList
from tests.clips import number_of


def stored(cl, name, column, stream=sp.NamedStream):
    """Run `column` into one stream and return what loads."""
    result = stream(cl, name)
    cl.run(cl.io.Output(column, [result]), cache_mode=sp.CacheMode.Overwrite, show_progress=False)
    assert result.committed()
    return list(result.load())


@pytest.fixture
def film(cl, clip):
    return sp.NamedVideoStream(cl, "film", path=clip(20))


@pytest.fixture
def frame(cl, film):
    return cl.io.Input([film])


@pytest.fixture
def pictures(film):
    """The film's frames, RGB."""
    return [picture[..., ::-1] for picture in film.load()]


def test_histograms_are_those_of_the_decoded_frames(cl, frame, pictures):
    loaded = stored(cl, "histograms", cl.ops.Histogram(frame=frame))
    for histogram, picture in zip(loaded, pictures, strict=True):
        expected = [np.bincount((picture[..., c] >> 4).ravel(), minlength=16) for c in range(3)]
        np.testing.assert_array_equal(histogram, expected)


def test_each_stream_is_resized_to_its_own_size(cl, clip):
    films = [sp.NamedVideoStream(cl, f"film{n}", path=clip(3)) for n in range(2)]
    results = [sp.NamedStream(cl, f"small{n}") for n in range(2)]
    small = cl.ops.Resize(frame=cl.io.Input(films), width=[32, 20], height=[24, 10]).lossless()
    cl.run(cl.io.Output(small, results), show_progress=False)
    assert [next(result.load()).shape for result in results] == [(24, 32, 3), (10, 20, 3)]


def test_flow_compares_each_row_with_the_next(cl, frame, pictures):
    flows = stored(cl, "flow", cl.ops.OpticalFlow(frame=frame))
    assert len(flows) == 20
    grey = [cv2.cvtColor(np.ascontiguousarray(p), cv2.COLOR_RGB2GRAY) for p in pictures[:2]]
    expected = cv2.calcOpticalFlowFarneback(*grey, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    np.testing.assert_array_equal(flows[0], expected)
    assert flows[0].dtype == np.float32


@pytest.mark.parametrize(("arguments", "magic"), [({}, b"\x89PNG"), ({"format": "jpg"}, b"\xff\xd8\xff")])
def test_images_are_stored_as_files_and_load_as_bgr(cl, frame, pictures, arguments, magic):
    images = sp.NamedStream(cl, "images")
    cl.run(cl.io.Output(cl.ops.ImageEncoder(frame=frame, **arguments), [images]), show_progress=False)
    assert all(data.startswith(magic) for data in images.load(fn=bytes))
    first = next(images.load())
    assert np.abs(first[..., ::-1].astype(int) - pictures[0]).mean() < 4


def test_images_decode_back_to_the_frames(cl, frame, pictures):
    decoded = cl.ops.ImageDecoder(img=cl.ops.ImageEncoder(frame=frame)).lossless()
    np.testing.assert_array_equal(stored(cl, "decoded", decoded), pictures)


def test_a_montage_of_gathered_rows_is_one_picture(cl, frame):
    rows = [3, 7, 11, 19]
    montage = cl.ops.Montage(frame=cl.streams.Gather(frame, [rows]), num_frames=4, target_width=64, frames_per_row=2)
    (picture,) = stored(cl, "montage", cl.streams.Gather(montage, [[3]]).lossless())
    assert picture.shape == (96, 128, 3)
    tiles = [picture[y : y + 48, x : x + 64] for y in (0, 48) for x in (0, 64)]
    assert [number_of(tile) for tile in tiles] == rows


def test_shot_boundaries_are_in_row_zero_whatever_the_packet_sizes(cl, clip):
    histogram = [np.int32([100] + [0] * 15)] * 3
    other = [np.int32([0] * 15 + [100])] * 3
    rows = [[b"".join(h.tobytes() for h in (histogram if row < 12 else other))] for row in range(30)]
    cl.new_table("histograms", ["column"], rows)
    column = cl.ops.ShotBoundaries(histograms=cl.io.Input([sp.NamedStream(cl, "histograms")]))
    result = sp.NamedStream(cl, "shots")
    cl.run(cl.io.Output(column, [result]), sp.PerfParams.manual(2, 4), show_progress=False)
    assert list(result.load()) == [[12], *[None] * 29]


def test_boxes_are_drawn(cl, frame, pictures):
    box = sp.protobufs.BoundingBox(x1=0.1, y1=0.1, x2=0.9, y2=0.9)
    cl.new_table("boxes", ["column"], [[BboxList.serialize([box])]] * 20)
    boxes = cl.io.Input([sp.NamedStream(cl, "boxes")])
    drawn = stored(cl, "drawn", cl.ops.DrawBboxes(frame=frame, bboxes=boxes).lossless())
    assert all((d != p).any() for d, p in zip(drawn, pictures, strict=True))


def test_the_small_ops(cl, frame):
    infos = stored(cl, "info", cl.ops.InfoFromFrame(frame=frame))
    assert list(infos[0].shape) == [48, 64, 3]
    assert stored(cl, "nothing", cl.ops.DiscardFrame(ignore=frame)) == [b" "] * 20
    cl.new_table("bytes", ["column"], [[b"a"], [b""]])
    blob = cl.io.Input([sp.NamedStream(cl, "bytes")])
    assert stored(cl, "passed", cl.ops.Pass(input=blob)) == [b"a", b""]
    assert stored(cl, "gone", cl.ops.Discard(ignore=blob)) == [b" "] * 2


def test_a_wrong_argument_of_a_stream_fails_that_stream_only(cl, clip):
    films = [sp.NamedVideoStream(cl, f"film{n}", path=clip(3)) for n in range(2)]
    results = [sp.NamedStream(cl, f"grey{n}") for n in range(2)]
    grey = cl.ops.ConvertColor(frame=cl.io.Input(films), conversion=["COLOR_RGB2GRAY", "COLOR_OF_MONEY"])
    job = cl.run(cl.io.Output(grey, results), show_progress=False)
    assert [result.committed() for result in results] == [True, False]
    assert next(results[0].load()).shape == (48, 64, 1)
    (failure,) = cl.job_status(job).failures
    assert "COLOR_OF_MONEY" in str(failure)


def test_the_import_of_older_programs_changes_nothing(cl, frame):
    import scannertools.imgproc  # noqa: F401

    assert len(stored(cl, "again", cl.ops.Histogram(frame=frame))) == 20
