"""The histogram of a long video, as a program: prints the peak memory of each process that ran kernels, in MiB.

python long_video.py CLIP INSTANCES
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

import scannerpy as sp
from scannerpy.types import Histogram


@sp.register_python_op()
class LimitPid(sp.Kernel):
    def execute(self, hist: Histogram) -> Any:
        return os.getpid()


def peak(pid):
    """Return the most memory a process ever held, in MiB."""
    return int(re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) // 1024


def main():
    clip, instances = sys.argv[1:]
    sc = sp.Client()
    frames = sc.io.Input([sp.NamedVideoStream(sc, "long", path=clip)])
    hists = sc.ops.Histogram(frame=frames)
    pids = sc.ops.LimitPid(hist=hists)
    out, workers = sp.NamedStream(sc, "out"), sp.NamedStream(sc, "workers")
    perf = sp.PerfParams.estimate(pipeline_instances_per_node=int(instances))
    sc.run([sc.io.Output(hists, [out]), sc.io.Output(pids, [workers])], perf, show_progress=False)
    seen = set(workers.load())
    sys.stdout.write(f"{len(out)} rows, workers {[peak(pid) for pid in sorted(seen)]}, client {peak(os.getpid())}\n")


if __name__ == "__main__":
    main()
