"""ImageEncoder and ImageDecoder: frames to and from PNG, JPEG and the other formats OpenCV reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from scannerpy.kernel import Kernel, KernelConfig
from scannerpy.op import register_python_op
from scannerpy.types import FrameType, Image


@register_python_op(name="ImageEncoder", columns=["img"], keeps_inputs=True, releases_gil=True)
class ImageEncoder(Kernel):
    """Encode frames (RGB, RGBA or grey) as images: `format` is ``png`` (the default, lossless), ``jpg`` or ``jpeg``.

    The column's type is `Image`, so loading it gives numpy arrays in OpenCV's BGR order; the stored bytes are the file.
    """

    def __init__(self, config: KernelConfig, format: str = "png") -> None:  # noqa: A002 — the documented argument's name
        super().__init__(config)
        self.suffix = "." + format.lower().lstrip(".")
        if self.suffix not in {".png", ".jpg", ".jpeg"}:
            raise ValueError(f"ImageEncoder writes png, jpg and jpeg, not {format!r}")

    def execute(self, frame: FrameType) -> Image:
        """Return the frame as the bytes of an image file."""
        import cv2

        ok, data = cv2.imencode(self.suffix, opencv_order(frame))
        if not ok:
            raise ValueError(f"OpenCV cannot encode a {frame.dtype} frame of shape {frame.shape} as {self.suffix}")
        return data.tobytes()  # type: ignore[return-value]  # the annotation names the column, whose value is a file


@register_python_op(name="ImageDecoder", columns=["frame"], keeps_inputs=True, releases_gil=True)
class ImageDecoder(Kernel):
    """Decode PNG, JPEG and other image files to frames: RGB, RGBA, or height × width × 1 where the image is grey.

    The depth stays as it is, but for 16-bit images: frames cannot hold uint16, so they become float32.
    """

    def execute(self, img: bytes) -> FrameType:
        """Return the decoded picture."""
        import cv2

        decoded = cv2.imdecode(np.frombuffer(img, np.uint8), cv2.IMREAD_UNCHANGED) if img else None
        if decoded is None:
            raise ValueError(f"these {len(img)} bytes are not an image OpenCV can read (they begin {img[:8]!r})")
        frame = opencv_order(decoded.reshape(*decoded.shape[:2], -1))
        return frame.astype(np.float32) if frame.dtype == np.uint16 else frame


def opencv_order(frame: Any) -> Any:
    """Swap red and blue, which turns RGB(A) into OpenCV's BGR(A) and back; grey pictures are unchanged."""
    import cv2

    channels = frame.shape[2] if frame.ndim == 3 else 1
    if channels == 3:
        return cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    return cv2.cvtColor(frame, cv2.COLOR_RGBA2BGRA) if channels == 4 else frame
