"""Montage: many frames in one picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from scannerpy.kernel import Kernel, KernelConfig
from scannerpy.op import register_python_op
from scannerpy.ops.imgproc import fitted
from scannerpy.types import FrameType


@register_python_op(name="Montage", columns=["montage"], unbounded_state=True, keeps_inputs=True, releases_gil=True)
class Montage(Kernel):
    """Lay the first `num_frames` frames out in a grid, `frames_per_row` to a row, each `target_width` pixels wide.

    Every row of the result is the picture as far as it has got, on black; row ``num_frames - 1`` is the finished one
    (ask for just that row with `Gather`). The first frame settles the shape of the tiles.
    """

    def __init__(self, config: KernelConfig, num_frames: int, target_width: int, frames_per_row: int) -> None:
        super().__init__(config)
        if min(num_frames, target_width, frames_per_row) < 1:
            raise ValueError(
                "Montage needs num_frames, target_width and frames_per_row of at least 1, "
                f"not {num_frames}, {target_width} and {frames_per_row}"
            )
        self.num_frames, self.target_width, self.frames_per_row = num_frames, target_width, frames_per_row
        self.reset()

    def reset(self) -> None:
        """Start a new picture."""
        self.seen = 0
        self.picture: Any = None

    def execute(self, frame: FrameType) -> FrameType:
        """Add one frame; return a copy of the picture so far."""
        if self.picture is None:
            self.picture = self._blank(frame)
        if self.seen < self.num_frames:
            self._place(frame)
        self.seen += 1
        return self.picture.copy()

    def _blank(self, frame: Any) -> Any:
        _, height = fitted(frame.shape[1], frame.shape[0], self.target_width, 0)
        lines = -(-self.num_frames // self.frames_per_row)
        size = (height * lines, self.target_width * self.frames_per_row, *frame.shape[2:])
        return np.zeros(size, frame.dtype)

    def _place(self, frame: Any) -> None:
        import cv2

        lines = -(-self.num_frames // self.frames_per_row)
        height, width = self.picture.shape[0] // lines, self.target_width
        line, column = divmod(self.seen, self.frames_per_row)
        tile = self.picture[line * height :, column * width :][:height, :width]
        tile[:] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA).reshape(tile.shape)
