"""Near-duplicate finder: which videos of a folder show the same, though re-encoded, scaled or trimmed.

    python apps/find_duplicates.py videos/

Two frames a second get a perceptual hash of 64 bits, which is stored. Two videos are near-duplicates where most hashes
of the shorter one match those of the longer one, all at one and the same shift in time. When files are added later,
only theirs are computed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

import scannerpy as sp
from scannerpy.errors import IngestError

PER_SECOND = 2
ENDINGS = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m4v"}


@sp.register_python_op(keeps_inputs=True, releases_gil=True)
def PerceptualHash(config, frame: sp.FrameType) -> bytes:
    """64 bits: which way the brightness goes between neighbours in a picture of 9 × 8. Empty for an even grey."""
    small = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA).astype(int)
    if small.std() < 4:
        return b""
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()


@dataclass(frozen=True)
class Pair:
    """Two videos, the share of the shorter one that the other shows too, and where: a's time minus b's, in seconds."""

    a: str
    b: str
    share: float
    shift: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("out/find_duplicates"), help="folder for picture and database")
    parser.add_argument("--share", type=float, default=0.6, help="how much of the shorter video must match")
    parser.add_argument("--bits", type=int, default=10, help="bits of 64 by which matching hashes may differ")
    chosen = parser.parse_args(arguments)

    files = sorted(path for path in chosen.folder.rglob("*") if path.suffix.lower() in ENDINGS)
    if len(files) < 2:
        raise SystemExit(f"{chosen.folder} has {len(files)} video files; two are needed")
    with sp.Client(config=sp.Config(db_path=str(chosen.out / "db"))) as cl:
        hashes = hash_videos(cl, files)
        pairs = [pair for a, b in combinations(hashes, 2) if (pair := compare(a, b, hashes, chosen)) is not None]
        pairs.sort(key=lambda pair: -pair.share)
        for pair in pairs:
            print(f"{pair.share:4.0%}  {pair.a}  =  {pair.b}  shifted by {pair.shift:+.1f} s")
        print(f"{len(hashes)} videos, {len(pairs)} near-duplicates")
        if pairs:
            cv2.imwrite(str(chosen.out / "pairs.png"), side_by_side(cl, pairs, hashes))
            print(f"see {chosen.out / 'pairs.png'}")


def hash_videos(cl: sp.Client, files: Sequence[Path]) -> dict[str, list[bytes]]:
    """Return the hashes of every file that can be read, by path; what an earlier run stored is not computed again."""
    new = [(str(file), str(file)) for file in files if not cl.has_table(str(file))]
    unreadable = ingest(cl, new) if new else []
    for path, reason in unreadable:
        print(f"left out {path}: {reason}")
    names = [str(file) for file in files if str(file) not in dict(unreadable)]
    videos = [sp.NamedVideoStream(cl, name) for name in names]
    stored = [sp.NamedStream(cl, f"{name}#hashes") for name in names]
    rows = [sampled_rows(name, video.len()) for name, video in zip(names, videos, strict=True)]
    frames = cl.streams.Gather(cl.io.Input(videos), rows)
    job = cl.run(cl.io.Output(cl.ops.PerceptualHash(frame=frames), stored), cache_mode=sp.CacheMode.Ignore)
    if job is not None and cl.job_status(job).failures:
        print(cl.job_status(job).failures)
    return {name: list(stream.load()) for name, stream in zip(names, stored, strict=True) if stream.committed()}


def ingest(cl: sp.Client, new: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Index new files where they lie; return those that cannot be read, with the reason."""
    try:
        _, unreadable = cl.ingest_videos(new, inplace=True)
    except IngestError as error:  # not one of them could be read
        return [(path, str(error)) for _, path in new]
    return unreadable


def sampled_rows(path: str, count: int) -> list[int]:
    """Return the row of every half second."""
    with av.open(path) as file:
        rate = float(file.streams.best("video").average_rate or 25)
    return [row for n in range(1 + int(count / rate * PER_SECOND)) if (row := round(n * rate / PER_SECOND)) < count]


def compare(a: str, b: str, hashes: dict[str, list[bytes]], chosen: argparse.Namespace) -> Pair | None:
    """Return how `a` and `b` match at the best shift, or None where they do not match well enough."""
    (rows_a, bits_a), (rows_b, bits_b) = (as_numbers(hashes[name]) for name in (a, b))
    if not len(bits_a) or not len(bits_b):
        return None
    distance = np.bitwise_count(bits_a[:, None] ^ bits_b[None, :]).astype(int)
    i, j = np.nonzero(distance <= chosen.bits)
    if not len(i):
        return None
    shifts = rows_a[i] - rows_b[j]
    closeness = np.bincount(shifts - shifts.min(), chosen.bits + 1 - distance[i, j])
    best = int(np.argmax(closeness)) + int(shifts.min())
    near = np.abs(shifts - best) <= 1  # rates differ: a frame may have its twin in the sample before or after
    matched = min(len(set(i[near].tolist())), len(set(j[near].tolist())))
    share = matched / min(len(bits_a), len(bits_b))
    return Pair(a, b, share, best / PER_SECOND) if share >= chosen.share else None


def as_numbers(hashes: Sequence[bytes]) -> tuple[Any, Any]:
    """Return the places of the hashes that say something, and the hashes as 64-bit numbers."""
    told = [(n, value) for n, value in enumerate(hashes) if value]
    return np.array([n for n, _ in told], int), np.frombuffer(b"".join(value for _, value in told), np.uint64)


def side_by_side(cl: sp.Client, pairs: Sequence[Pair], hashes: dict[str, list[bytes]]) -> Any:
    """Return a picture with one line for each of the best pairs: four moments of both, one above the other."""
    lines = []
    for pair in pairs[:8]:
        moments = moments_of(pair, hashes)
        for name, ns in ((pair.a, moments), (pair.b, [n - round(pair.shift * PER_SECOND) for n in moments])):
            video = sp.NamedVideoStream(cl, name)
            rows = sampled_rows(name, video.len())
            frames = video.load(rows=[rows[min(max(n, 0), len(rows) - 1)] for n in ns])
            lines.append(np.hstack([cv2.resize(frame, (240, 135), interpolation=cv2.INTER_AREA) for frame in frames]))
        lines.append(np.zeros((12, 960, 3), np.uint8))
    return np.vstack(lines)


def moments_of(pair: Pair, hashes: dict[str, list[bytes]]) -> list[int]:
    """Return four samples of `pair.a` that `pair.b` has too."""
    shift = round(pair.shift * PER_SECOND)
    start, end = max(0, shift), min(len(hashes[pair.a]), len(hashes[pair.b]) + shift)
    return [start + (2 * n + 1) * (end - start) // 8 for n in range(4)]


if __name__ == "__main__":
    main()
