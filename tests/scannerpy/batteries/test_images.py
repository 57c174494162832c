"""ImageEncoder and ImageDecoder: what is in the files, read by another decoder (PyAV's), and what comes back."""

import io

import av
import numpy as np
import pytest

from scannerpy.kernel import KernelConfig
from scannerpy.ops.images import ImageDecoder, ImageEncoder
from scannerpy.types import Image


def smooth_frame(channels=3):
    ys, xs = np.mgrid[:48, :64]
    planes = [xs * 4, ys * 5, 255 - xs * 2, xs * 0 + 200][:channels]
    return np.stack(planes, axis=2).astype(np.uint8)


def encode(frame, **arguments):
    return ImageEncoder(KernelConfig(), **arguments).execute(frame)


def decode(data):
    return ImageDecoder(KernelConfig()).execute(data)


def read_with_ffmpeg(data, pixels="rgb24"):
    with av.open(io.BytesIO(data)) as container:
        return next(container.decode(video=0)).to_ndarray(format=pixels)


def test_png_is_the_default_and_lossless():
    frame = smooth_frame()
    data = encode(frame)
    assert data.startswith(b"\x89PNG")
    np.testing.assert_array_equal(read_with_ffmpeg(data), frame)


@pytest.mark.parametrize("name", ["jpg", "jpeg", "JPG"])
def test_jpeg_really_is_jpeg(name):
    frame = smooth_frame()
    data = encode(frame, format=name)
    assert data.startswith(b"\xff\xd8\xff")
    assert np.abs(read_with_ffmpeg(data).astype(int) - frame).mean() < 3


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_encoded_as_png_decodes_to_the_same_frame(channels):
    frame = smooth_frame(channels)
    np.testing.assert_array_equal(decode(encode(frame)), frame)


def test_the_column_type_loads_as_bgr():
    """The type's form in Python is OpenCV's, whatever the op was given."""
    frame = smooth_frame()
    np.testing.assert_array_equal(Image.deserialize(Image.serialize(encode(frame))), frame[..., ::-1])


def test_sixteen_bit_images_become_float32_with_their_values():
    frame = (smooth_frame().astype(np.uint16) * 257)[..., ::-1]
    decoded = decode(Image.serialize(np.ascontiguousarray(frame)))
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, frame[..., ::-1])


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="png, jpg and jpeg, not 'webm'"):
        encode(smooth_frame(), format="webm")


@pytest.mark.parametrize("data", [b"", b"not an image"])
def test_bytes_that_are_no_image_are_refused(data):
    with pytest.raises(ValueError, match="not an image OpenCV can read"):
        decode(data)
