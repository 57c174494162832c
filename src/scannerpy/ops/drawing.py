"""DrawBboxes and DrawFlow: results shown on the frames they came from. Both return a new frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from scannerpy.kernel import Kernel
from scannerpy.op import register_python_op
from scannerpy.types import BboxList, FrameType

PALETTE = ((255, 176, 0), (100, 143, 255), (220, 38, 127), (254, 97, 0), (120, 94, 240), (0, 158, 115))
"""Six RGB colours that the colour-blind can tell apart."""


@register_python_op(name="DrawBboxes", columns=["frame"], keeps_inputs=True)
class DrawBboxes(Kernel):
    """Draw boxes whose corners are fractions of the frame's width and height. The label picks the colour."""

    def execute(self, frame: FrameType, bboxes: BboxList) -> FrameType:
        """Return a copy of the frame with the boxes on it."""
        import cv2

        picture = frame.copy()
        height, width = frame.shape[:2]
        thickness = max(1, round(min(height, width) / 200))
        for box in bboxes:
            corners = (
                (round(box.x1 * (width - 1)), round(box.y1 * (height - 1))),
                (round(box.x2 * (width - 1)), round(box.y2 * (height - 1))),
            )
            cv2.rectangle(picture, *corners, PALETTE[box.label % len(PALETTE)], thickness)
        return picture


@register_python_op(name="TorchDrawBoxes", columns=["frame"], keeps_inputs=True)
class TorchDrawBoxes(DrawBboxes):
    """`DrawBboxes` under the name it had beside PyTorch models, which it does not need."""


@register_python_op(name="DrawFlow", columns=["frame"], keeps_inputs=True)
class DrawFlow(Kernel):
    """Draw an optical flow as arrows, one every few pixels, over the frame it belongs to.

    The colour tells the direction; places that move less than a pixel get no arrow.
    """

    def execute(self, frame: FrameType, flow: FrameType) -> FrameType:
        """Return a copy of the frame with the arrows on it."""
        import cv2

        if frame.shape[:2] != flow.shape[:2]:
            raise ValueError(f"DrawFlow needs frame and flow of one size, not {frame.shape} and {flow.shape}")
        picture = frame.copy()
        step = max(8, min(frame.shape[:2]) // 24)
        for x, y, right, down in moving_points(flow, step):
            tip = (round(x + right), round(y + down))
            cv2.arrowedLine(picture, (x, y), tip, _direction_colour(right, down), 1, cv2.LINE_AA, tipLength=0.3)
        return picture


def moving_points(flow: Any, step: int) -> list[tuple[int, int, float, float]]:
    """Return (x, y, right, down) for a grid of points `step` apart, where they move a pixel or more."""
    ys, xs = np.mgrid[step // 2 : flow.shape[0] : step, step // 2 : flow.shape[1] : step]
    moves = flow[ys, xs]
    moving = np.hypot(moves[..., 0], moves[..., 1]) >= 1.0
    return [
        (int(x), int(y), float(right), float(down))
        for x, y, (right, down) in zip(xs[moving], ys[moving], moves[moving], strict=True)
    ]


def _direction_colour(right: float, down: float) -> tuple[int, int, int]:
    """Return a fully saturated RGB colour for a direction: red to the right, then round the colour wheel."""
    turn = np.arctan2(down, right) / (2 * np.pi) % 1.0
    channels = [np.clip(abs((turn + shift) % 1.0 * 6 - 3) - 1, 0, 1) for shift in (0, 2 / 3, 1 / 3)]
    return int(255 * channels[0]), int(255 * channels[1]), int(255 * channels[2])
