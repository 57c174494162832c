"""Compare hundreds of thousands of frames with a sequential decode, and count the wrong ones. Run by hand::

    python -m tests.exactness                       # 200,000 frames: every fixture, and the clips in ../shared/clips
    python -m tests.exactness --frames 1000000      # more of the same, with other random rows
    python -m tests.exactness h264 hevc             # only fixtures whose names contain one of these

Every fixture of `scannerpy.testing.videos` is made with some hundred frames, scanned copied and in place, and read in
every pattern with one and two FFmpeg threads. A row is right when it equals, bit for bit, what PyAV's
``container.decode`` presents, and bears the number that was drawn into it. Ends with 1 when any row is wrong.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from scannerpy.testing import videos
from tests.scannerpy.video.reference import Video, in_pieces, numbers, patterns

CLIPS = Path(__file__).resolve().parents[2] / "shared" / "clips"


def subjects(folder: Path, names: list[str], frames: int) -> Iterator[tuple[str, Video, list[int] | None]]:
    """Yield (name, scanned video, the numbers its rows bear or None)."""
    for name, recipe in videos.CATALOGUE.items():
        if any(part in name for part in names):
            longer = recipe if recipe.write else replace(recipe, frames=frames)
            path = folder / f"{name}.{recipe.suffix}"
            path.write_bytes(videos.make(longer, folder).read_bytes())
            yield name, Video(path), None if longer.shows is None else list(longer.shows)
    for path in sorted(CLIPS.glob("*.mp4")):
        if any(part in path.stem for part in names):
            yield path.stem, Video(path), None


def ways(video: Video) -> Iterator[dict[str, object]]:
    """Yield the ways a decoder can be opened."""
    for threads, inplace in itertools.product((1, 2), (False, True)):
        if not inplace or video.inplace.inplace_possible:
            yield {"threads": threads, "inplace": inplace}


def requests(video: Video, seed: str) -> Iterator[list[int]]:
    """Yield rows to ask for, one after another, of one decoder."""
    rows = video.index.rows
    yield from map(list, patterns(rows, seed))
    yield from in_pieces(range(0, rows, 3), 7)


def compare(video: Video, options: dict[str, object], seed: str) -> tuple[int, int]:
    """Return (frames compared, frames wrong) of one decoder."""
    decoder = video.decoder(**options)
    compared = wrong = 0
    for rows in requests(video, seed):
        got = list(decoder.frames(np.array(rows, np.int64)))
        compared += len(rows)
        wrong += abs(len(got) - len(rows))
        wrong += sum(
            row != asked or not np.array_equal(frame, video.golden[row])
            for asked, (row, frame) in zip(rows, got, strict=False)
        )
    return compared, wrong


def misnumbered(video: Video, shows: list[int] | None) -> int:
    """Return how many rows of the whole video do not bear their number."""
    if shows is None:
        return abs(len(video.golden) - video.index.rows)
    seen = numbers(frame for _, frame in video.decoder().frames(range(video.index.rows)))
    return sum(a != b for a, b in itertools.zip_longest(seen, shows))


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run until enough frames are compared; print a line per video and the sum."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", default=[""], help="parts of the names of fixtures and clips")
    parser.add_argument("--frames", type=int, default=200_000, help="how many frames to compare at least")
    parser.add_argument("--length", type=int, default=150, help="frames in each fixture")
    options = parser.parse_args()
    total: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for lap in itertools.count():
            for name, video, shows in subjects(Path(folder), options.names, options.length + 37 * lap):
                begin, found = time.perf_counter(), collections.Counter(wrong=misnumbered(video, shows))
                for way in ways(video):
                    compared, wrong = compare(video, way, f"{name} {lap} {way}")
                    found.update(compared=compared, wrong=wrong)
                total.update(found, videos=1)
                line = f"{name:26} {found['compared']:7,} compared {found['wrong']:3} wrong"
                say(f"{line}  {time.perf_counter() - begin:5.1f} s  {video.scan.decoded}")
            if total["compared"] >= options.frames or not total["videos"]:
                break
    say(f"{total['compared']:,} frames of {total['videos']} videos compared: {total['wrong']} wrong")
    return int(total["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
