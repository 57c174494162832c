"""What the engine costs: `Client.run`, warm, against the same decoding and kernels by hand; and a cold first run.

    python benchmarks/overhead.py [--rounds 5] [W1 W5 W6 cold]

Prints the median seconds of both and their ratio. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent))

import clips

CLIPS = {"W1": clips.FULL_HD, "W5": clips.HD, "W6": clips.HD}


def main() -> None:
    """Run every benchmark asked for, or do one measurement if that is what a parent process wants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["W1", "W5", "W6", "cold"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", choices=["engine", "hand", "cold"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(MEASURES[options.measure](options.names[0]))
        return
    for name in options.names:
        (cold if name == "cold" else compare)(name, options.rounds)


def compare(name: str, rounds: int) -> None:
    """Interleave engine and hand, each time in a fresh process."""
    clip = CLIPS[name]
    clip.make()
    clips.WARM.make()
    taken: dict[str, list[list[float]]] = {"engine": [], "hand": []}
    for _ in range(rounds):
        for who, measured in taken.items():
            measured.append([float(part) for part in _in_fresh_process(who, name).split()])
    (engine, engine_cpu), (hand, hand_cpu) = (
        [statistics.median(column) for column in zip(*taken[who], strict=True)] for who in ("engine", "hand")
    )
    spread = max(max(measured)[0] / min(measured)[0] for measured in taken.values()) - 1
    print(
        f"{name}: engine {engine:.2f} s, by hand {hand:.2f} s, overhead {engine / hand - 1:+.1%}; "
        f"CPU {engine_cpu:.2f} and {hand_cpu:.2f} s, {engine_cpu / hand_cpu - 1:+.1%}"
        f"  (spread {spread:.0%}, {clip.frames / engine:.0f} frames/s, {clip.path.name})",
        flush=True,
    )


def cold(name: str, rounds: int) -> None:
    """Import, client, ingest and first run in a new process."""
    clips.WARM.make()
    parts = [[float(part) for part in _in_fresh_process("cold", name).split()] for _ in range(rounds)]
    imports, ingest, run = (statistics.median(column) for column in zip(*parts, strict=True))
    print(
        f"cold: first run {run:.2f} s; before it import {imports:.2f} s, client and ingest {ingest:.2f} s", flush=True
    )


def _in_fresh_process(measure: str, name: str) -> str:
    command = [sys.executable, __file__, "--measure", measure, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout.splitlines()[-1]


def measure_hand(name: str) -> str:
    """By hand, warmed up by the first seconds of another clip."""
    import by_hand
    import kernels

    kernel = kernels.KERNELS["touch" if name == "W1" else "histogram" if name == "W5" else "resize"]
    with tempfile.TemporaryDirectory(dir=clips.FOLDER) as folder:
        by_hand.run([clips.WARM.path], None, kernel, None)
        out = None if name == "W1" else Path(folder, "result.npy")
        return _timed(lambda: by_hand.run([CLIPS[name].path], None, kernel, out))


def measure_engine(name: str) -> str:
    """Through `Client.run`, its workers warmed up by the same graph on another clip."""
    import scannerpy as sp

    with tempfile.TemporaryDirectory(dir=clips.FOLDER) as folder, sp.Client(config=_config(folder)) as client:
        _run(client, name, "warm", clips.WARM.path)
        clip = CLIPS[name]
        film = sp.NamedVideoStream(client, "film", path=str(clip.path), inplace=True)
        assert film.len() == clip.frames
        return _timed(lambda: _run(client, name, "film", clip.path))


def measure_cold(name: str) -> str:
    """Everything a new process does until it has the histograms of a 5 s clip."""
    del name
    started = time.perf_counter()
    import scannerpy as sp

    imported = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=clips.FOLDER) as folder, sp.Client(config=_config(folder)) as client:
        path = clips.WARM.path
        sp.NamedVideoStream(client, "film", path=str(path), inplace=True).len()
        ingested = time.perf_counter()
        _run(client, "W5", "film", path)
        done = time.perf_counter()
    return f"{imported - started} {ingested - imported} {done - ingested}"


def _timed(work: Callable[[], None]) -> str:
    """Return the seconds of wall clock and of CPU (all processes) that `work` takes."""
    started, cpu = time.perf_counter(), _cpu_seconds()
    work()
    return f"{time.perf_counter() - started} {_cpu_seconds() - cpu}"


def _cpu_seconds() -> float:
    """CPU time of this process and its children: what a busy machine changes little."""
    own = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in [own, *own.children(recursive=True)])


def _config(folder: str):
    import scannerpy as sp

    return sp.Config(config_path=f"{folder}/config.toml", db_path=f"{folder}/db")


def _run(client, name: str, stream: str, path: Path) -> None:
    import scannerpy as sp

    film = sp.NamedVideoStream(client, stream, path=str(path), inplace=True)
    frame = client.io.Input([film])
    column = {
        "W1": lambda: client.ops.DiscardFrame(ignore=frame),
        "W5": lambda: client.ops.Histogram(frame=frame),
        "W6": lambda: client.ops.Resize(frame=frame, width=[224], height=[224]).lossless(),
    }[name]()
    result = sp.NamedStream(client, f"{stream}-result")
    client.run(client.io.Output(column, [result]), show_progress=False)
    assert result.committed()


MEASURES = {"engine": measure_engine, "hand": measure_hand, "cold": measure_cold}

if __name__ == "__main__":
    main()
