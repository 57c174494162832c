"""Batch kernels, with and without a stencil, and what a call-site `batch` changes."""

import sys
from typing import Any, Sequence

import numpy as np

import scannerpy as sp


@sp.register_python_op(batch=8)
class MeanBatch(sp.Kernel):
    def execute(self, frame: Sequence[sp.FrameType]) -> Sequence[Any]:
        return [(len(frame), float(np.mean(f))) for f in frame]


@sp.register_python_op(batch=4, stencil=[-1, 1])
def ChangeBatch(config, frame: Sequence[Sequence[sp.FrameType]]) -> Sequence[Any]:
    return [float(np.abs(a.astype(int) - b.astype(int)).mean()) for a, b in frame]


def main():
    sc = sp.Client()
    frames = sc.io.Input([sp.NamedVideoStream(sc, "example", path=sys.argv[1])])
    results = {}
    for name, op in {
        "default": lambda: sc.ops.MeanBatch(frame=frames),
        "three": lambda: sc.ops.MeanBatch(frame=frames, batch=3),
        "change": lambda: sc.ops.ChangeBatch(frame=frames, batch=2),
    }.items():
        stream = sp.NamedStream(sc, name)
        sc.run(sc.io.Output(op(), [stream]), sp.PerfParams.manual(10, 10))
        results[name] = list(stream.load())
    print([size for size, _ in results["default"]])
    print([size for size, _ in results["three"]])
    print([mean for _, mean in results["default"]] == [mean for _, mean in results["three"]])
    print(len(results["change"]), all(change > 0 for change in results["change"]))


if __name__ == "__main__":
    main()
