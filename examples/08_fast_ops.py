"""08: Fast ops in Python.

The program of docs/tutorial/08-fast-ops.md: ``python examples/08_fast_ops.py [video]``.
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


@sp.register_python_op()
def EdgesByPixel(config, frame: sp.FrameType) -> sp.FrameType:
    green = frame[:, :, 1].astype(int)
    edges = np.zeros((*green.shape, 1), np.uint8)
    for y in range(1, green.shape[0] - 1):
        for x in range(1, green.shape[1] - 1):
            across = abs(green[y, x + 1] - green[y, x - 1])
            down = abs(green[y + 1, x] - green[y - 1, x])
            edges[y, x] = min(255, across + down)
    return edges


@sp.register_python_op(keeps_inputs=True)
def EdgesByNumpy(config, frame: sp.FrameType) -> sp.FrameType:
    green = frame[:, :, 1].astype(np.int16)
    edges = np.zeros((*green.shape, 1), np.uint8)
    across = np.abs(green[1:-1, 2:] - green[1:-1, :-2])
    down = np.abs(green[2:, 1:-1] - green[:-2, 1:-1])
    edges[1:-1, 1:-1, 0] = np.minimum(255, across + down)
    return edges


@sp.register_python_op(keeps_inputs=True, releases_gil=True)
def EdgesByOpenCV(config, frame: sp.FrameType) -> sp.FrameType:
    green = cv2.extractChannel(frame, 1)
    across = cv2.absdiff(green[1:-1, 2:], green[1:-1, :-2])
    down = cv2.absdiff(green[2:, 1:-1], green[:-2, 1:-1])
    return cv2.copyMakeBorder(cv2.add(across, down), 1, 1, 1, 1, cv2.BORDER_CONSTANT)[:, :, None]


frames = cl.streams.Range(cl.io.Input([video]), [(0, 10)])
small = cl.ops.Resize(frame=frames, width=[120])
names = ("EdgesByPixel", "EdgesByNumpy", "EdgesByOpenCV")
streams = {name: sp.NamedVideoStream(cl, name) for name in names}
outputs = [cl.io.Output(getattr(cl.ops, name)(frame=small), [streams[name]]) for name in names]
job = cl.run(outputs, cache_mode=sp.CacheMode.Overwrite)

seconds = cl.get_profile(job).statistics()["eval"]
for name in names:
    print(f"{name:<14}{1e6 * float(seconds[name]) / streams[name].len():10.0f} µs per frame")
for pixels, arrays, opencv in zip(*(stream.load() for stream in streams.values()), strict=True):
    assert np.array_equal(pixels, arrays)
    assert np.array_equal(pixels, opencv)

cv2.imwrite("out/08_edges.png", next(streams["EdgesByOpenCV"].load()))
