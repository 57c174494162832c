"""Ten thousand files, one in a hundred of them broken in one of ten ways: `Client.ingest_videos`.

    python benchmarks/ingest.py [--files 10000] [--inplace]

Prints the rate, memory, and one sentence of each kind; says so if a file is missing from tables and failures.
"""

from __future__ import annotations

import argparse
import collections
import resource
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.clips import write_clip

import scannerpy as sp
from scannerpy.testing.broken import KINDS

TEN = ["missing", "directory", "empty", "text", "sound only", "without moov", "garbage moov", "unknown codec",
       "no frames", "picture"]  # fmt: skip


def main() -> None:
    """Make the files, ingest them, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--inplace", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos, broken = make(folder, options.files)
        with sp.Client(config=sp.Config(db_path=str(folder / "db"))) as cl:
            measure(cl, videos, broken, inplace=options.inplace)


def make(folder: Path, count: int) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Write `count` different files; return (name, path) of all, and the kind of each broken path."""
    data = write_clip(folder / "one.mp4", 30).read_bytes()
    videos, broken = [], {}
    for number in range(count):
        path = folder / f"{number:05d}.mp4"
        if number % 100 == 37:
            kind = TEN[number // 100 % len(TEN)]
            KINDS[kind](path)
            broken[str(path)] = kind
        else:
            path.write_bytes(data + (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big"))
        videos.append((f"video {number}", str(path)))
    return videos, broken


def measure(cl: sp.Client, videos: list[tuple[str, str]], broken: dict[str, str], *, inplace: bool) -> None:
    """Ingest, and check that every file became what it should."""
    before, begun = psutil.Process().memory_info().rss, time.perf_counter()
    tables, failures = cl.ingest_videos(videos, inplace=inplace)
    took = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"{len(videos)} files in {took:.1f} s: {len(videos) / took:.0f} files/s; memory of this process "
        f"{before >> 20} MB before, {peak >> 20} MB at most"
    )
    print(f"{len(tables)} tables, {len(failures)} sentences of {len(set(broken.values()))} kinds:")
    told = collections.Counter(broken.get(path, "NOT BROKEN") for path, _ in failures)
    first = {broken.get(path, "NOT BROKEN"): reason for path, reason in reversed(failures)}
    for kind, reason in sorted(first.items()):
        print(f"  {told[kind]:3} × {kind:<14}{reason}")
    if {path for path, _ in failures} != set(broken) or len(tables) + len(failures) != len(videos):
        sys.exit("some files did not become what they should")


if __name__ == "__main__":
    main()
