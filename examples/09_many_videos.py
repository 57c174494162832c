"""09: Many videos, some of them broken.

The program of docs/tutorial/09-many-videos.md: ``python examples/09_many_videos.py [video]``.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import scannerpy as sp
from scannerpy.util import sample_video

with sample_video(delete=False) as sample:
    path = sys.argv[1] if len(sys.argv) > 1 else sample

cl = sp.Client(config=sp.Config(db_path="out/db"))

folder = Path("out/09_videos")
folder.mkdir(parents=True, exist_ok=True)
for name in ("monday", "tuesday", "wednesday"):
    shutil.copy(path, folder / f"{name}.mp4")
(folder / "thursday.mp4").write_text("the disk was full")

files = sorted(folder.glob("*.mp4"))
tables, failures = cl.ingest_videos([(file.stem, str(file)) for file in files], inplace=True, force=True)
for file, reason in failures:
    print(f"not readable: {file}: {reason}")


@sp.register_python_op()
class Brightest(sp.Kernel):
    def new_stream(self, limit: float):
        self.limit = limit

    def execute(self, frame: sp.FrameType) -> Any:
        brightness = float(frame.mean())
        if brightness > self.limit:
            raise ValueError(f"{brightness:.0f} is brighter than {self.limit:.0f}")
        return brightness


names = [table.name() for table in tables]
frames = cl.io.Input([sp.NamedVideoStream(cl, name) for name in names])
some = cl.streams.Stride(frames, [25] * len(names))
limits = [1.0 if name == "tuesday" else 255.0 for name in names]
results = [sp.NamedStream(cl, f"{name}/brightness") for name in names]
output = cl.io.Output(cl.ops.Brightest(frame=some, limit=limits), results)
job = cl.run(output, cache_mode=sp.CacheMode.Overwrite)

print(cl.job_status(job).failures)
for result in results:
    print(f"{result.name():<24}{'done' if result.committed() else 'failed'}")

mended = cl.ops.Brightest(frame=some, limit=[255.0] * len(names))
cl.run(cl.io.Output(mended, results), cache_mode=sp.CacheMode.Ignore)

canvas = np.full((120, 360, 3), 255, np.uint8)
for result, colour in zip(results, ((200, 120, 0), (0, 140, 230), (80, 160, 60)), strict=True):
    values = list(result.load())
    points = [(int(360 * n / len(values)), int(110 - value * 100 / 255)) for n, value in enumerate(values)]
    cv2.polylines(canvas, [np.array(points, np.int32)], isClosed=False, color=colour, thickness=2)
cv2.imwrite("out/09_curves.png", canvas)
print(cl.summarize())
