"""Per-frame image processing: Histogram, Resize, Blur, ConvertColor. Frames are RGB; OpenCV does the arithmetic."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scannerpy.kernel import Kernel, KernelConfig
from scannerpy.op import register_python_op
from scannerpy.types import FrameType
from scannerpy.types import Histogram as HistogramType

EXACT_IN_FLOAT32 = 1 << 24
"""OpenCV counts into float32, which holds every integer up to this one."""


@register_python_op(name="Histogram", columns=["histogram"], keeps_inputs=True, releases_gil=True)
class Histogram(Kernel):
    """Count each channel's values in 16 bins of 16: `value >> 4`. Gives a list of three int32[16], in RGB order.

    Takes uint8 frames with three channels. OpenCV's counting is five times faster than `numpy.bincount` here.
    """

    def execute(self, frame: FrameType) -> HistogramType:
        """Return the histograms of one frame."""
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise ValueError(f"Histogram takes uint8 frames with 3 channels, not {frame.dtype} {frame.shape}")
        rows = max(1, EXACT_IN_FLOAT32 // max(1, frame.shape[1]))
        bands = [_count(frame[top : top + rows]) for top in range(0, frame.shape[0], rows)]
        return list(np.array(bands).sum(axis=0, dtype=np.int32))


def _count(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    import cv2

    counts = [cv2.calcHist([frame], [channel], None, [16], [0, 256]) for channel in range(3)]
    return np.array(counts, np.int32).reshape(3, 16)


@register_python_op(name="Resize", columns=["frame"], keeps_inputs=True, releases_gil=True)
class Resize(Kernel):
    """Scale frames to `width` × `height`, with the filter `interpolation` names (any of OpenCV's ``INTER_…``).

    All arguments are per stream. A side that is left out follows from the other, so that the picture keeps its shape;
    with `preserve_aspect` and both sides given, the height follows from the width. With `min`, a frame that already
    fits inside the wanted size stays as it is.
    """

    def new_stream(
        self,
        width: int = 0,
        height: int = 0,
        min: bool = False,  # noqa: A002 — the documented argument's name
        preserve_aspect: bool = False,
        interpolation: str = "INTER_LINEAR",
    ) -> None:
        """Take the stream's target size."""
        if width < 0 or height < 0 or not (width or height):
            raise ValueError(f"Resize needs a positive width or height, or both, not {width} × {height}")
        self.width, self.height = width, 0 if width and preserve_aspect else height
        self.only_shrink = min
        self.interpolation = _opencv_constant("INTER_", interpolation)

    def execute(self, frame: FrameType) -> FrameType:
        """Return the frame at the stream's size."""
        import cv2

        width, height = fitted(frame.shape[1], frame.shape[0], self.width, self.height)
        if self.only_shrink and frame.shape[1] <= width and frame.shape[0] <= height:
            return frame
        resized = cv2.resize(frame, (width, height), interpolation=self.interpolation)
        return resized.reshape(height, width, *frame.shape[2:])


def fitted(width: int, height: int, wanted_width: int, wanted_height: int) -> tuple[int, int]:
    """Return the size a `width` × `height` picture gets; a wanted side of 0 follows from the other, rounded."""
    if not wanted_width:
        return max(1, round(width * wanted_height / height)), wanted_height
    if not wanted_height:
        return wanted_width, max(1, round(height * wanted_width / width))
    return wanted_width, wanted_height


@register_python_op(name="Blur", columns=["frame"], keeps_inputs=True, releases_gil=True)
class Blur(Kernel):
    """Replace each pixel by the rounded mean of the `kernel_size` × `kernel_size` pixels around it.

    At the borders the picture is mirrored. `sigma` is accepted for the sake of older programs and has no effect.
    """

    def __init__(self, config: KernelConfig, kernel_size: int, sigma: float = 0.0) -> None:
        super().__init__(config)
        if kernel_size < 1:
            raise ValueError(f"Blur needs a kernel_size of at least 1, not {kernel_size}")
        self.kernel_size = kernel_size
        self.sigma = sigma

    def execute(self, frame: FrameType) -> FrameType:
        """Return the blurred frame."""
        import cv2

        return cv2.blur(frame, (self.kernel_size, self.kernel_size)).reshape(frame.shape)


@register_python_op(name="ConvertColor", columns=["frame"], keeps_inputs=True, releases_gil=True)
class ConvertColor(Kernel):
    """Convert to another colour space: `conversion` (per stream) is the name of one of OpenCV's ``COLOR_…`` codes.

    The result always has three dimensions: a grey frame is height × width × 1.
    """

    def new_stream(self, conversion: str) -> None:
        """Take the stream's conversion, such as ``COLOR_RGB2GRAY``."""
        self.code = _opencv_constant("COLOR_", conversion)

    def execute(self, frame: FrameType) -> FrameType:
        """Return the converted frame."""
        import cv2

        converted = cv2.cvtColor(frame, self.code)
        return converted.reshape(*converted.shape[:2], -1)


def _opencv_constant(prefix: str, name: str) -> int:
    import cv2

    if not name.startswith(prefix) or not hasattr(cv2, name):
        raise ValueError(f"{name!r} is not one of OpenCV's {prefix}… names")
    return int(getattr(cv2, name))
