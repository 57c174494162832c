"""Scanner against its peers: each run in a fresh process, all in turn, round after round.

    python benchmarks/compare.py [W1 W2 …] [--rounds 3] [--peers opencv,pyav] [--write]

Before the rounds, the results of all peers are compared with ours. Prints tables; with `--write`, puts the numbers into
docs/benchmarks.json and, with those that are there of other workloads, the tables into docs/benchmarks.md. Needs the
packages of requirements/bench.in (`make bench-peers` sets them up). README.md in this folder tells what is measured.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import report
import results
from workloads import ALL, BY_NAME, Workload

import clips

ROOT = Path(__file__).parents[1]
PAGE, NUMBERS = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.json"
PACKAGES = ("av", "daft", "decord", "imageio-ffmpeg", "numpy", "opencv-python-headless", "ray", "scanner-puddle")
CAN = {
    "limit": {"touch", "histogram", "resize", "flow", "encode"},
    "hand": {"touch", "histogram", "resize"},
    "scanner": {"touch", "histogram", "resize", "flow", "encode"},
    "opencv": {"touch", "histogram", "resize", "flow"},
    "pyav": {"touch", "histogram", "resize", "flow", "encode"},
    "decord": {"touch", "histogram", "resize"},
    "imageio": {"touch", "histogram", "resize", "encode"},
    "daft": {"histogram", "resize"},
    "ray": {"histogram", "resize"},
    "daft_function": {"histogram", "resize"},
    "ray_function": {"histogram", "resize"},
}
"""The kinds of work of each peer, in the order in which they take turns."""


def main() -> int:
    """Measure what is asked for; return 1 if a peer's answer is not ours."""
    options = _options()
    entries: dict[str, Any] = json.loads(NUMBERS.read_text()) if options.write and NUMBERS.exists() else {}
    asked = [BY_NAME[name] for name in options.names] if options.names else ALL
    for workload in asked:
        for clip in (clips.WARM, *workload.clips):
            clip.make()
        peers = [peer for peer in options.peers if workload.work in CAN[peer]]
        entries[workload.name] = measured(workload, peers, options.rounds, options.timeout)
        print(report.generated({workload.name: entries[workload.name]}, [workload]), flush=True)
        if options.write:
            NUMBERS.write_text(json.dumps(entries, indent=1) + "\n")
            PAGE.write_text(report.document(PAGE.read_text(), entries, ALL))
    wrong = [text for w in asked for text in entries[w.name]["differences"].values() if "differs" in text]
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BY_NAME)}; all, if none is given")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(CAN), help=",".join(CAN))
    parser.add_argument("--timeout", type=int, default=120, help="seconds one run may take, everything included")
    parser.add_argument("--write", action="store_true", help="into docs/")
    options = parser.parse_args()
    unknown = [*(set(options.names) - set(BY_NAME)), *(set(options.peers) - set(CAN))]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    return options


def measured(workload: Workload, peers: list[str], rounds: int, timeout: int) -> dict[str, Any]:
    """Return the entry of one workload."""
    failed: dict[str, str] = {}
    entry = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": _machine(),
        "versions": _versions(),
        "differences": _differences(workload, peers, timeout, failed),
        "rounds": [],
        "failed": failed,
    }
    for _ in range(rounds):
        entry["rounds"].append({})
        for peer in peers:
            if peer not in failed and (numbers := _run(workload, peer, timeout, failed)):
                entry["rounds"][-1][peer] = numbers
    return entry


def _differences(workload: Workload, peers: list[str], timeout: int, failed: dict[str, str]) -> dict[str, str]:
    """Let everybody show what they make of the workload, and compare."""
    shown: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=clips.FOLDER) as folder:
        for peer in [peer for peer in peers if peer != report.LIMIT]:
            out = Path(folder, peer, workload.stored if workload.work == "encode" else "result.npy")
            out.parent.mkdir()
            if _run(workload, peer, timeout, failed, "--shown", "--out", str(out)):
                shown[peer] = results.read(out)
    ours = shown.pop(report.OURS, None)
    if ours is None:
        return {}
    return {peer: str(results.compare(workload.shown.work, ours, theirs)) for peer, theirs in shown.items()}


def _run(workload: Workload, peer: str, timeout: int, failed: dict[str, str], *more: str) -> dict[str, float] | None:
    """Return the numbers of one run in a fresh process; note a failure."""
    command = [sys.executable, str(Path(__file__).with_name("measure.py")), workload.name, peer, *more]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    except subprocess.TimeoutExpired:
        failed[peer] = f"none in {timeout} s"
        return None
    if done.returncode:
        failed[peer] = "failed"
        print(f"{' '.join(command)} failed:\n{done.stderr}", file=sys.stderr)
        return None
    numbers = json.loads(done.stdout.splitlines()[-1])
    print(f"{workload.name} {peer}: {numbers['seconds']:.2f} s, {numbers['cpu']:.2f} s CPU", file=sys.stderr)
    return numbers


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}"


def _versions() -> dict[str, str]:
    return {name: version for name in PACKAGES if (version := _version(name))}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
