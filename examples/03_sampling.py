"""03: Choose rows.

The program of docs/tutorial/03-sampling.md: ``python examples/03_sampling.py [video]``.
"""

import sys

import cv2

import scannerpy as sp
from scannerpy.util import sample_video

with sample_video(delete=False) as sample:
    path = sys.argv[1] if len(sys.argv) > 1 else sample

cl = sp.Client(config=sp.Config(db_path="out/db"))
video = sp.NamedVideoStream(cl, "video", path=path)
rows = video.len()
frames = cl.io.Input([video])

every_tenth = cl.streams.Stride(frames, [10])
beginning = cl.streams.Range(frames, [(0, 20)])
two_scenes = cl.streams.Ranges(frames, [[(0, 10), (rows // 2, rows // 2 + 10)]])
sparse_scene = cl.streams.StridedRange(frames, [(10, rows, 25)])
exactly = cl.streams.Gather(frames, [[12, 3, 3, 40]])

sparse = cl.io.Output(cl.ops.Histogram(frame=sparse_scene), [sp.NamedStream(cl, "sparse")])
dense = cl.io.Output(cl.ops.Histogram(frame=frames), [sp.NamedStream(cl, "dense")])
print(cl.explain(sparse))
print(cl.explain(dense))

chosen = [(2 * n + 1) * rows // 24 for n in range(12)]
tiles = cl.streams.Gather(frames, [chosen])
montage = cl.ops.Montage(frame=tiles, num_frames=12, target_width=160, frames_per_row=4)
finished = cl.streams.Gather(montage, [[11]])

sheet = sp.NamedVideoStream(cl, "sheet")
cl.run(cl.io.Output(finished.lossless(), [sheet]), cache_mode=sp.CacheMode.Overwrite)

picture = next(sheet.load())
cv2.imwrite("out/03_sheet.png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
