"""What Histogram, Resize, Blur and ConvertColor compute, against formulas that do not use OpenCV's version of them."""

import numpy as np
import pytest

from scannerpy.kernel import KernelConfig
from scannerpy.ops import imgproc


def random_frame(height=37, width=53, channels=3, seed=0, dtype=np.uint8):
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(dtype)


def started(kernel, *args, stream=None, **init):
    """Return a kernel instance as the engine would hand it rows: made, reset, told its stream's arguments."""
    instance = kernel(KernelConfig(args=init), *args, **init)
    instance.reset()
    instance.new_stream(**(stream or {}))
    return instance


def bins(frame):
    return [np.bincount((frame[..., c] >> 4).ravel(), minlength=16) for c in range(3)]


class TestHistogram:
    @pytest.mark.parametrize("shape", [(1, 1), (37, 53), (240, 320), (1080, 1920)])
    def test_counts_value_shifted_right_by_four_per_channel(self, shape):
        frame = random_frame(*shape)
        result = started(imgproc.Histogram).execute(frame)
        assert [h.dtype for h in result] == [np.int32] * 3
        np.testing.assert_array_equal(result, bins(frame))

    def test_every_value_falls_in_its_bin(self):
        frame = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
        np.testing.assert_array_equal(started(imgproc.Histogram).execute(frame), np.full((3, 16), 16))

    def test_counts_beyond_what_float32_can_hold_are_exact(self, monkeypatch):
        """OpenCV counts in float32: large pictures are counted in bands of rows."""
        monkeypatch.setattr(imgproc, "EXACT_IN_FLOAT32", 100)
        frame = random_frame(50, 40)
        np.testing.assert_array_equal(started(imgproc.Histogram).execute(frame), bins(frame))

    @pytest.mark.slow
    def test_a_picture_with_more_equal_pixels_than_float32_can_count(self):
        frame = np.zeros((4097, 4100, 3), np.uint8)
        assert started(imgproc.Histogram).execute(frame)[0][0] == 4097 * 4100

    @pytest.mark.parametrize(
        "frame", [random_frame(channels=1), random_frame(dtype=np.float32), np.zeros((3, 3), "u1")]
    )
    def test_refuses_frames_it_cannot_count(self, frame):
        with pytest.raises(ValueError, match="uint8 frames with 3 channels"):
            started(imgproc.Histogram).execute(frame)

    def test_does_not_write_into_its_input(self):
        frame = random_frame()
        frame.flags.writeable = False
        started(imgproc.Histogram).execute(frame)


def bilinear(frame, width, height):
    """Resample at pixel centres, the textbook way."""
    ys = np.clip((np.arange(height) + 0.5) * frame.shape[0] / height - 0.5, 0, frame.shape[0] - 1)
    xs = np.clip((np.arange(width) + 0.5) * frame.shape[1] / width - 0.5, 0, frame.shape[1] - 1)
    y0, x0 = np.floor(ys).astype(int), np.floor(xs).astype(int)
    y1, x1 = np.minimum(y0 + 1, frame.shape[0] - 1), np.minimum(x0 + 1, frame.shape[1] - 1)
    fy, fx = (ys - y0)[:, None, None], (xs - x0)[None, :, None]
    f = frame.astype(np.float64)
    top = f[y0][:, x0] * (1 - fx) + f[y0][:, x1] * fx
    bottom = f[y1][:, x0] * (1 - fx) + f[y1][:, x1] * fx
    return top * (1 - fy) + bottom * fy


class TestResize:
    @pytest.mark.parametrize("size", [(106, 74), (20, 11), (53, 37), (224, 224)])
    def test_is_bilinear_by_default(self, size):
        frame = random_frame()
        result = started(imgproc.Resize, stream={"width": size[0], "height": size[1]}).execute(frame)
        assert result.shape == (size[1], size[0], 3)
        assert np.abs(result - bilinear(frame, *size)).max() <= 1.0

    def test_nearest_takes_pixels_of_the_frame(self):
        frame = random_frame()
        stream = {"width": 106, "height": 74, "interpolation": "INTER_NEAREST"}
        result = started(imgproc.Resize, stream=stream).execute(frame)
        np.testing.assert_array_equal(result, frame.repeat(2, axis=0).repeat(2, axis=1))

    @pytest.mark.parametrize(
        ("arguments", "shape"),
        [
            ({"width": 640, "height": 480}, (480, 640)),
            ({"width": 640}, (360, 640)),
            ({"height": 360}, (360, 640)),
            ({"width": 640, "preserve_aspect": True}, (360, 640)),
            ({"height": 360, "preserve_aspect": True}, (360, 640)),
            ({"width": 640, "height": 9, "preserve_aspect": True}, (360, 640)),
            ({"width": 1, "preserve_aspect": True}, (1, 1)),
            ({"width": 1920, "height": 1080, "min": True}, (720, 1280)),
            ({"width": 1280, "height": 720, "min": True}, (720, 1280)),
            ({"width": 640, "height": 360, "min": True}, (360, 640)),
            ({"width": 1920, "preserve_aspect": True, "min": True}, (720, 1280)),
        ],
    )
    def test_sizes(self, arguments, shape):
        frame = np.zeros((720, 1280, 3), np.uint8)
        assert started(imgproc.Resize, stream=arguments).execute(frame).shape == (*shape, 3)

    @pytest.mark.parametrize("channels", [1, 2, 3, 4])
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
    def test_keeps_channels_and_dtype(self, channels, dtype):
        frame = random_frame(channels=channels, dtype=dtype)
        result = started(imgproc.Resize, stream={"width": 10, "height": 8}).execute(frame)
        assert (result.shape, result.dtype) == ((8, 10, channels), dtype)

    def test_two_dimensional_arrays_stay_so(self):
        result = started(imgproc.Resize, stream={"width": 10, "height": 8}).execute(np.zeros((20, 30), np.float32))
        assert result.shape == (8, 10)

    @pytest.mark.parametrize("arguments", [{}, {"width": -1}, {"width": 0, "height": 0}])
    def test_refuses_a_size_it_cannot_make(self, arguments):
        with pytest.raises(ValueError, match="positive width or height"):
            started(imgproc.Resize, stream=arguments)

    def test_refuses_an_unknown_filter(self):
        with pytest.raises(ValueError, match="'COLOR_RGB2GRAY' is not one of OpenCV's INTER_"):
            started(imgproc.Resize, stream={"width": 1, "height": 1, "interpolation": "COLOR_RGB2GRAY"})


class TestBlur:
    @pytest.mark.parametrize("size", [1, 3, 5])
    def test_is_the_rounded_mean_of_the_box_around_each_pixel(self, size):
        frame = random_frame()
        around = size // 2
        padded = np.pad(frame.astype(int), ((around, around), (around, around), (0, 0)), mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(0, 1))
        result = started(imgproc.Blur, kernel_size=size, sigma=0.5).execute(frame)
        assert result.shape == frame.shape
        assert np.abs(result - windows.mean(axis=(-1, -2))).max() <= 0.5

    def test_refuses_a_box_without_pixels(self):
        with pytest.raises(ValueError, match="kernel_size"):
            started(imgproc.Blur, kernel_size=0)


class TestConvertColor:
    def test_grey_is_the_weighted_sum_with_one_channel(self):
        frame = random_frame()
        result = started(imgproc.ConvertColor, stream={"conversion": "COLOR_RGB2GRAY"}).execute(frame)
        assert result.shape == (37, 53, 1)
        assert np.abs(result[..., 0] - frame @ [0.299, 0.587, 0.114]).max() <= 1.0

    def test_swaps_channels(self):
        frame = random_frame()
        result = started(imgproc.ConvertColor, stream={"conversion": "COLOR_RGB2BGR"}).execute(frame)
        np.testing.assert_array_equal(result, frame[..., ::-1])

    def test_refuses_an_unknown_code(self):
        with pytest.raises(ValueError, match="'RGB2GRAY' is not one of OpenCV's COLOR_"):
            started(imgproc.ConvertColor, stream={"conversion": "RGB2GRAY"})
