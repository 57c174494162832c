"""One measurement, in the fresh process it is run in: `python measure.py WORKLOAD PEER [--out FILE] [--shown]`.

Prints a line of JSON: seconds of wall clock and of CPU (this process and all it started), and what the peer adds.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent))

from workloads import BY_NAME

import clips


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload")
    parser.add_argument("peer")
    parser.add_argument("--out", type=Path, help="keep the result here")
    parser.add_argument("--shown", action="store_true", help="store something that can be compared, even in W1 to W4")
    parser.add_argument("--trace", type=Path, help="ours only: write the run's trace here")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [sys.path[0], os.environ.get("PYTHONPATH")])
    )  # for Ray's workers
    workload = BY_NAME[options.workload]
    peer = importlib.import_module(f"peers.{options.peer}")
    os.chdir(clips.FOLDER)
    with tempfile.TemporaryDirectory(dir=clips.FOLDER) as folder:
        out = options.out or Path(folder, workload.stored)
        extra = {"trace": options.trace} if options.trace else {}
        with peer.prepare(workload.shown if options.shown else workload, out, **extra) as work:
            cpu, began = cpu_seconds(), time.perf_counter()
            parts = work()
            seconds, cpu = time.perf_counter() - began, cpu_seconds() - cpu
    print(json.dumps({"seconds": seconds, "cpu": cpu, **(parts or {})}))


def cpu_seconds() -> float:
    """CPU time of this process, of all it started that run, and of those that have ended and were waited for."""
    own = psutil.Process()
    total = 0.0
    for process in [own, *own.children(recursive=True)]:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    main()
