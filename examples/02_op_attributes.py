"""02: Batch, stencil and state.

The program of docs/tutorial/02-op-attributes.md: ``python examples/02_op_attributes.py [video]``.
"""

import sys
from typing import Any, Sequence

import cv2
import numpy as np

import scannerpy as sp
from scannerpy.util import sample_video

with sample_video(delete=False) as sample:
    path = sys.argv[1] if len(sys.argv) > 1 else sample

cl = sp.Client(config=sp.Config(db_path="out/db"))
video = sp.NamedVideoStream(cl, "video", path=path)


@sp.register_python_op(batch=16)
def Saturation(config, frame: Sequence[sp.FrameType]) -> Sequence[Any]:
    pictures = np.stack(frame)
    return [float(spread) for spread in np.ptp(pictures, axis=3).mean(axis=(1, 2))]


@sp.register_python_op(stencil=[-1, 0])
def Moved(config, frame: Sequence[sp.FrameType]) -> sp.FrameType:
    before, now = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in frame)
    return cv2.absdiff(before, now)[:, :, None]


@sp.register_python_op(bounded_state=40)
class Trails(sp.Kernel):
    def __init__(self, config, fade: float = 0.8):
        super().__init__(config)
        self.fade = fade

    def reset(self):
        self.glow = None

    def execute(self, frame: sp.FrameType, moved: sp.FrameType) -> sp.FrameType:
        before = np.zeros(moved.shape, np.float32) if self.glow is None else self.glow * self.fade
        self.glow = np.maximum(before, moved.astype(np.float32))
        heat = np.minimum(self.glow * 3, 255) * np.array([1.0, 0.6, 0.1], np.float32)
        return np.maximum(frame // 2, heat.astype(np.uint8))


frames = cl.io.Input([video])
moved = cl.ops.Moved(frame=frames)
trails = cl.ops.Trails(frame=frames, moved=moved, fade=0.8)
saturation = cl.ops.Saturation(frame=frames, batch=8)

drawn = sp.NamedVideoStream(cl, "trails")
curve = sp.NamedStream(cl, "saturation")
outputs = [cl.io.Output(trails, [drawn]), cl.io.Output(saturation, [curve])]
cl.run(outputs, cache_mode=sp.CacheMode.Overwrite)

values = list(curve.load())
print(f"saturation: {min(values):.0f} to {max(values):.0f}")
drawn.save_mp4("out/02_trails")
