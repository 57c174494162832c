"""01: Your own ops.

The program of docs/tutorial/01-python-ops.md: ``python examples/01_python_ops.py [video]``.
"""

import sys
from typing import Any

import numpy as np

import scannerpy as sp
from scannerpy.util import sample_video

with sample_video(delete=False) as sample:
    path = sys.argv[1] if len(sys.argv) > 1 else sample

cl = sp.Client(config=sp.Config(db_path="out/db"))
video = sp.NamedVideoStream(cl, "video", path=path)


@sp.register_python_op()
def Brightness(config, frame: sp.FrameType) -> Any:
    return float(frame.mean())


@sp.register_python_op()
class Posterize(sp.Kernel):
    def __init__(self, config, levels: int):
        super().__init__(config)
        step = 256 // levels
        self.table = (np.arange(256) // step * step + step // 2).clip(0, 255).astype(np.uint8)

    def execute(self, frame: sp.FrameType) -> sp.FrameType:
        return self.table[frame]


frames = cl.io.Input([video])
brightness = cl.ops.Brightness(frame=frames)
poster = cl.ops.Posterize(frame=frames, levels=4)

curve = sp.NamedStream(cl, "brightness")
posters = sp.NamedVideoStream(cl, "posters")
outputs = [cl.io.Output(brightness, [curve]), cl.io.Output(poster, [posters])]
cl.run(outputs, cache_mode=sp.CacheMode.Overwrite)

values = list(curve.load())
bars = "▁▂▃▄▅▆▇█"
print("".join(bars[int(value) // 32] for value in values[:: max(1, len(values) // 60)]))
posters.save_mp4("out/01_posters")
