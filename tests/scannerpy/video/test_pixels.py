"""From decoded frames to RGB: exactly what PyAV makes of them, whatever the format, size, matrix and range."""

import av
import numpy as np
import pytest

from scannerpy._video.pixels import Converter

FORMATS = ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuvj444p", "nv12", "gray", "yuv420p10le", "yuv422p10le"]
FORMATS += ["yuv444p12le", "gray10le", "rgb24", "bgr24", "bgra", "gbrp", "pal8", "yuva420p", "rgb48le"]


def picture(width, height, pix_fmt, space=2, levels=0):
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    if pix_fmt == "pal8":
        return av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format="rgb8")
    frame = av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format=pix_fmt)
    frame.colorspace, frame.color_range = space, levels
    return frame


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("size", [(96, 64), (97, 65), (2, 2), (1080, 16)])
def test_pixels_are_those_of_pyav(pix_fmt, size):
    frame = picture(*size, pix_fmt)
    ours = Converter().convert(frame)
    assert np.array_equal(ours, frame.to_ndarray(format="rgb24"))
    assert (ours.shape, ours.dtype) == ((size[1], size[0], 3), np.uint8)
    assert ours.flags.c_contiguous
    assert ours.flags.writeable


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("size", [(96, 64), (98, 65), (97, 65)])
def test_bgr_is_the_same_pixels_the_other_way_round(pix_fmt, size):
    """What `load` gives is what an op sees, to the bit."""
    frame = picture(*size, pix_fmt)
    bgr = Converter(format="bgr24").convert(frame)
    assert np.array_equal(bgr[:, :, ::-1], frame.to_ndarray(format="rgb24"))
    assert bgr.flags.c_contiguous
    assert bgr.flags.writeable


@pytest.mark.parametrize("space", [1, 2, 5, 6, 7, 9])
@pytest.mark.parametrize("levels", [0, 1, 2])
def test_matrix_and_range_are_honoured(space, levels):
    frame = picture(96, 64, "yuv420p", space, levels)
    assert np.array_equal(Converter().convert(frame), frame.to_ndarray(format="rgb24"))


def test_matrix_and_range_really_matter():
    """BT.709 is not BT.601, full range not limited: were either ignored, these would be alike."""

    def shown(space, levels):
        return Converter().convert(picture(96, 64, "yuv420p", space, levels)).astype(int)

    assert abs(shown(1, 1) - shown(5, 1)).max() > 10
    assert abs(shown(5, 1) - shown(5, 2)).max() > 10
    assert abs(shown(2, 0) - shown(5, 1)).max() == 0  # not told means BT.601, limited


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_turning_and_mirroring(degrees, mirrored):
    frame = picture(98, 64, "yuv420p")
    expected = np.rot90(frame.to_ndarray(format="rgb24"), -degrees // 90)
    expected = expected[:, ::-1] if mirrored else expected
    ours = Converter(degrees, mirrored).convert(frame)
    assert np.array_equal(ours, expected)
    assert ours.flags.c_contiguous


def test_one_converter_serves_changing_frames():
    converter = Converter()
    for pix_fmt, size in (("yuv420p", (96, 64)), ("yuv444p", (50, 30)), ("gray", (96, 64)), ("yuv420p", (96, 64))):
        frame = picture(*size, pix_fmt)
        assert np.array_equal(converter.convert(frame), frame.to_ndarray(format="rgb24"))
