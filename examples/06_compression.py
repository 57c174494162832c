"""06: How frames are stored.

The program of docs/tutorial/06-compression.md: ``python examples/06_compression.py [video]``.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

import scannerpy as sp
from scannerpy.util import sample_video

with sample_video(delete=False) as sample:
    path = sys.argv[1] if len(sys.argv) > 1 else sample

cl = sp.Client(config=sp.Config(db_path="out/db"))
video = sp.NamedVideoStream(cl, "video", path=path)
frames = cl.streams.Range(cl.io.Input([video]), [(0, 50)])

columns = {
    "default": frames,
    "small": frames.compress_video(quality=40),
    "seekable": frames.compress_video(quality=20, keyframe_distance=5),
    "exact": frames.lossless(),
}
streams = {name: sp.NamedVideoStream(cl, f"stored {name}") for name in columns}
outputs = [cl.io.Output(column, [streams[name]]) for name, column in columns.items()]
cl.run(outputs, cache_mode=sp.CacheMode.Overwrite)

truth = [cv2.cvtColor(frame, cv2.COLOR_RGB2BGR) for frame in streams["exact"].load()]
for name in ("default", "small", "seekable"):
    stream = streams[name]
    stream.save_mp4(f"out/06_{name}")
    size = Path(f"out/06_{name}.mp4").stat().st_size
    error = np.mean([cv2.absdiff(a, b).mean() for a, b in zip(truth, stream.load(), strict=True)])
    keyframes = len(cl.sequence(stream.name()).keyframes())
    print(f"{name:>9}: {size / 1000:6.0f} kB, {keyframes:2} keyframes, mean error {error:.2f}")
print(f"    exact: {sum(frame.nbytes for frame in truth) / 1000:6.0f} kB")

pairs = [truth[0], *(next(streams[name].load(rows=[0])) for name in ("default", "small"))]
cv2.imwrite("out/06_side_by_side.png", np.hstack(pairs))
