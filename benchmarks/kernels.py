"""What is done to a frame, in NumPy and OpenCV: shared by all peers that hand out arrays, and equal to our ops."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

SIDE = 224
ENCODED = 320, 240
X264 = {"preset": "veryfast", "crf": "21", "g": "120", "x264-params": "mbtree=0"}
"""What our encoder is set to. `mbtree` alone changes time and size: at one CRF it saves two fifths of the bytes."""
FARNEBACK = 0.5, 3, 15, 3, 5, 1.2, 0

Kernel = Callable[[np.ndarray], "np.ndarray | None"]


def touch(frame: np.ndarray) -> None:
    """W1 to W4."""
    assert frame.shape[2] == 3


def thumbnail(frame: np.ndarray) -> np.ndarray:
    """What is compared of W1 to W4: one pixel of each block of 16 × 16."""
    return frame[8::16, 8::16].copy()


def histogram(frame: np.ndarray) -> np.ndarray:
    """W5 and W8: 16 bins of each channel."""
    return np.array([cv2.calcHist([frame], [c], None, [16], [0, 256]) for c in range(3)], np.int32).reshape(3, 16)


def resize(frame: np.ndarray) -> np.ndarray:
    """W6."""
    return cv2.resize(frame, (SIDE, SIDE))


def flow(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """W7: the mean movement between two grey frames, so that what is stored is small."""
    start = np.zeros((*before.shape, 2), np.float32)
    return cv2.calcOpticalFlowFarneback(before, after, start, *FARNEBACK).mean(axis=(0, 1))


KERNELS: dict[str, Kernel] = {"touch": touch, "thumbnail": thumbnail, "histogram": histogram, "resize": resize}
