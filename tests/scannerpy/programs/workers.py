"""Several workers by address, videos read where they lie, and frames encoded as images."""

import os
import sys
from typing import Any

import scannerpy as sp


@sp.register_python_op()
def Where(config, frame: sp.FrameType) -> Any:
    return os.getpid()


if __name__ == "__main__":
    ports = sys.argv[2:4]
    with sp.Client(workers=[f"localhost:{port}" for port in ports]) as sc:
        frames = sc.io.Input([sp.NamedVideoStream(sc, "example", path=sys.argv[1], inplace=True)])
        images, pids = sp.NamedStream(sc, "images"), sp.NamedStream(sc, "pids")
        sinks = [
            sc.io.Output(sc.ops.ImageEncoder(frame=frames), [images]),
            sc.io.Output(sc.ops.Where(frame=frames), [pids]),
        ]
        sc.run(sinks, sp.PerfParams.manual(2, 4, pipeline_instances_per_node=1))
        pictures = list(images.load())
        print(len(pictures), pictures[0].shape)
        print(next(images.load(fn=lambda data: data[:4])))
        seen = set(pids.load())
        print(os.getpid() not in seen, 1 <= len(seen) <= 2)
