"""A ten-minute stream saved as mp4: its packets wrapped anew, against every frame decoded and encoded.

    python benchmarks/remux.py [--minutes 10] [--size 640x360] [--encode-minutes 1]

Prints the seconds of both and their ratio. Encoding takes as long for each minute, so it is measured on a part and
scaled up; ``--encode-minutes 0`` encodes the whole. Also plays the saved file and compares every frame with the stored.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from tests.clips import repeat_clip

import clips
import scannerpy as sp

GOP_FRAMES = 250


def main() -> None:
    """Make the clip, measure both ways, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--encode-minutes", type=float, default=1)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips.write(folder / "once.mp4", clips.Clip(width, height, GOP_FRAMES))
        film = repeat_clip(folder / "once.mp4", folder / "film.mp4", round(options.minutes * 60 * 25 / GOP_FRAMES))
        with sp.Client(config=sp.Config(db_path=str(folder / "db")), debug=True) as cl:
            measure(sp.NamedVideoStream(cl, "film", path=str(film)), folder, options.encode_minutes * 60, options.size)


def measure(stream: Any, folder: Path, part: float, size: str) -> None:
    """Time `save_mp4` both ways, and look at what it saved."""
    frames = stream.len()
    remuxed = seconds(lambda: stream.save_mp4(str(folder / "remuxed")))
    width, height = map(int, size.split("x"))
    encoded_part = min(part or frames / 25, frames / 25)
    encoded = seconds(
        lambda: stream.save_mp4(str(folder / "encoded"), scale=(width, height), seconds=(0, encoded_part))
    ) * (frames / 25 / encoded_part)
    cut = seconds(lambda: stream.save_mp4(str(folder / "cut"), rows=range(100, frames - 100)))
    print(
        f"{frames / 25 / 60:.0f} minutes of {size} H.264, {frames} frames: wrapped anew in {remuxed:.2f} s, encoded in "
        f"{encoded:.1f} s ({encoded_part:.0f} s of it measured), {encoded / remuxed:.0f} times as long; "
        f"all but 100 frames at each end, cut exactly, in {cut:.2f} s"
    )
    same = sum(np.array_equal(a, b) for a, b in zip(played(folder / "remuxed.mp4"), stream.load(), strict=True))
    print(f"played: {same} of {frames} frames equal to load(), bit for bit")


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def played(path: Path) -> Any:
    """Every frame of a file, in BGR as `load` gives them."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


if __name__ == "__main__":
    main()
