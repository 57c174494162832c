"""OpticalFlow: how far each pixel moves from one frame to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scannerpy.kernel import Kernel
from scannerpy.op import register_python_op
from scannerpy.types import FrameType


@register_python_op(name="OpticalFlow", columns=["flow"], stencil=[0, 1], keeps_inputs=True, releases_gil=True)
class OpticalFlow(Kernel):
    """Dense optical flow after Farnebäck, from the first to the second frame of the window, in pixels.

    Gives float32 height × width × 2: the movement to the right and downwards. The last row of a stream is compared
    with itself, which gives next to none. The parameters are fixed: scale 0.5, 3 levels, window 15, 3 iterations,
    n 5, σ 1.2.
    """

    def execute(self, frame: Sequence[FrameType]) -> FrameType:
        """Return the flow between the two frames of the window."""
        import cv2

        if len(frame) != 2:
            raise ValueError(f"OpticalFlow compares two frames: give it a stencil of two rows, not {len(frame)}")
        before, after = grey(frame[0]), grey(frame[1])
        if before.shape != after.shape:
            raise ValueError(f"OpticalFlow needs frames of one size, not {before.shape} and {after.shape}")
        start = np.zeros((*before.shape, 2), np.float32)
        return cv2.calcOpticalFlowFarneback(before, after, start, 0.5, 3, 15, 3, 5, 1.2, 0)


def grey(frame: Any) -> Any:
    """Return an RGB or one-channel frame as a height × width picture."""
    import cv2

    if frame.ndim == 3 and frame.shape[2] == 3:
        return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return frame.reshape(frame.shape[:2])
