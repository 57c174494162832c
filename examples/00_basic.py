"""00: A stream in, a stream out.

The program of docs/tutorial/00-basic.md: ``python examples/00_basic.py [video]``.
"""

import sys

import cv2

import scannerpy as sp
from scannerpy.util import sample_video

with sample_video(delete=False) as sample:
    path = sys.argv[1] if len(sys.argv) > 1 else sample

cl = sp.Client(config=sp.Config(db_path="out/db"))

video = sp.NamedVideoStream(cl, "video", path=path)
print(video.len(), "frames")

small = sp.NamedVideoStream(cl, "small")

frames = cl.io.Input([video])
every_tenth = cl.streams.Stride(frames, [10])
half = cl.ops.Resize(frame=every_tenth, width=[160])
output = cl.io.Output(half, [small])

print(cl.explain(output))
cl.run(output, cache_mode=sp.CacheMode.Overwrite)

first = next(small.load())
print(first.shape, first.dtype)
cv2.imwrite("out/00_first.png", first)
small.save_mp4("out/00_small")
