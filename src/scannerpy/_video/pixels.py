"""Converts decoded frames to the RGB arrays that kernels get.

The reference is PyAV's own ``frame.to_ndarray(format="rgb24")``: matrix and range as the stream says (BT.601 and
limited range where it says nothing), bilinear chroma. We keep one converter for a whole video and let it use one
thread: with PyAV's default it takes all CPUs, which costs more than it brings beside other workers.

Surprising: the array is usually a view into FFmpeg's own buffer, not a copy. That buffer is made for this one frame,
so the array is writable and its owner's alone.

BGR is that RGB the other way round, never swscale's own BGR: from more than eight bits, and in frames of odd height, it
spreads chroma in another way there, and an op and `load` would see pixels that differ by up to eighty.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

Pixels = npt.NDArray[np.uint8]

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}  # 7 × as fast as numpy


class Converter:
    """Turns frames into height × width × 3 arrays of `format` ("rgb24" or "bgr24").

    They are turned clockwise by `rotation` degrees, and then mirrored left to right where `mirrored`.
    """

    def __init__(
        self,
        rotation: int = 0,
        mirrored: bool = False,
        format: str = "rgb24",  # noqa: A002 (FFmpeg's and PyAV's word)
    ) -> None:
        self._turn = _TURNS.get(rotation)
        self._mirrored = mirrored
        self._bgr = format == "bgr24"
        self._reformatter = VideoReformatter()

    def convert(self, frame: VideoFrame) -> Pixels:
        """Return the pixels of `frame` as a C-contiguous, writable array nobody else holds."""
        converted = self._reformatter.reformat(frame, format="rgb24", threads=1)
        pixels = _view(converted)
        if self._turn is not None:
            pixels = cast("Pixels", cv2.rotate(pixels, self._turn))
        if self._mirrored:
            pixels = cast("Pixels", cv2.flip(pixels, 1))
        if self._bgr:
            return cast("Pixels", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        if converted is frame:  # already RGB: the decoder may still refer to these very bytes
            return pixels.copy()
        return np.ascontiguousarray(pixels)


def _view(frame: VideoFrame) -> Pixels:
    plane = frame.planes[0]
    stride = plane.line_size
    if stride < 0:
        return np.asarray(frame.to_ndarray(), np.uint8)
    return np.ndarray(
        (frame.height, frame.width, 3), np.uint8, buffer=cast("memoryview", plane), strides=(stride, 3, 1)
    )
