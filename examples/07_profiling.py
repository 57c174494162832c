"""07: Where the time goes.

The program of docs/tutorial/07-profiling.md: ``python examples/07_profiling.py [video]``.
"""

import sys

import scannerpy as sp
from scannerpy.util import sample_video

with sample_video(delete=False) as sample:
    path = sys.argv[1] if len(sys.argv) > 1 else sample

cl = sp.Client(config=sp.Config(db_path="out/db"))
video = sp.NamedVideoStream(cl, "video", path=path)

frames = cl.streams.Range(cl.io.Input([video]), [(0, 60)])
small = cl.ops.Resize(frame=frames, width=[240])
flow = cl.ops.OpticalFlow(frame=small)
arrows = sp.NamedVideoStream(cl, "arrows")
output = cl.io.Output(cl.ops.DrawFlow(frame=small, flow=flow), [arrows])

print(cl.explain(output))

job = cl.run(output, cache_mode=sp.CacheMode.Overwrite)
profile = cl.get_profile(job)

statistics = profile.statistics()
for kind in ("load", "eval", "save"):
    for name, seconds in statistics.get(kind, {}).items():
        print(f"{kind:>5}  {name:<40}{float(seconds):8.3f} s")

print(profile.write_trace("out/07.trace"))
arrows.save_mp4("out/07_arrows")
