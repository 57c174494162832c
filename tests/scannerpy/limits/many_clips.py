"""The histogram of many short clips in one run, as a program: prints how the memory of each worker grew over its jobs.

python many_clips.py CLIP COUNT
"""

import os
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

import scannerpy as sp


@sp.register_python_op()
class LimitResident(sp.Kernel):
    """The memory of its process now, in MiB."""

    def execute(self, frame: sp.FrameType) -> Any:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return os.getpid(), pages * resource.getpagesize() / 2**20


def main():
    clip, count = sys.argv[1], int(sys.argv[2])
    sc = sp.Client()
    sc.ingest_videos([(f"clip{n}", clip) for n in range(count)])
    frames = sc.io.Input([sp.NamedVideoStream(sc, f"clip{n}") for n in range(count)])
    sizes = [sp.NamedStream(sc, f"size{n}") for n in range(count)]
    hists = [sp.NamedStream(sc, f"hist{n}") for n in range(count)]
    sinks = [
        sc.io.Output(sc.ops.LimitResident(frame=frames), sizes),
        sc.io.Output(sc.ops.Histogram(frame=frames), hists),
    ]
    sc.run(sinks, sp.PerfParams.manual(25, 125), show_progress=False)
    assert all(hist.committed() for hist in hists)
    by_worker = {}
    for stream in sizes:
        pid, size = list(stream.load())[-1]
        by_worker.setdefault(pid, []).append(size)
    for seen in by_worker.values():
        early, late = np.median(seen[len(seen) // 10 : len(seen) // 5]), np.median(seen[-len(seen) // 10 :])
        sys.stdout.write(f"{len(seen)} clips, {early:.1f} MiB early, {late:.1f} late, grew {late - early:.1f}\n")


if __name__ == "__main__":
    main()
