"""04: Slices.

The program of docs/tutorial/04-slicing.md: ``python examples/04_slicing.py [video]``.
"""

import sys

import cv2
import numpy as np

import scannerpy as sp
from scannerpy.util import sample_video

with sample_video(delete=False) as sample:
    path = sys.argv[1] if len(sys.argv) > 1 else sample

cl = sp.Client(config=sp.Config(db_path="out/db"))
video = sp.NamedVideoStream(cl, "video", path=path)
rows = video.len()


@sp.register_python_op(unbounded_state=True)
class Exposure(sp.Kernel):
    def new_stream(self, gain: float = 1.0):
        self.gain = gain

    def reset(self):
        self.light = None

    def execute(self, frame: sp.FrameType) -> sp.FrameType:
        self.light = frame if self.light is None else np.maximum(self.light, frame)
        return np.minimum(self.light * self.gain, 255).astype(np.uint8)


thirds = [(0, rows // 3), (rows // 3, 2 * rows // 3), (2 * rows // 3, rows)]
frames = cl.io.Input([video])
sliced = cl.streams.Slice(frames, [cl.partitioner.ranges(thirds)])
exposed = cl.ops.Exposure(frame=sliced, gain=[sp.SliceList([1.0, 1.2, 1.5])])
last = cl.streams.Gather(exposed, [sp.SliceList([[end - start - 1] for start, end in thirds])])
joined = cl.streams.Unslice(last)

exposures = sp.NamedVideoStream(cl, "exposures")
cl.run(cl.io.Output(joined, [exposures]), cache_mode=sp.CacheMode.Overwrite)

cv2.imwrite("out/04_exposures.png", np.hstack(list(exposures.load())))
