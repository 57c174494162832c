"""W1 to W9: which rows of which clips, and what is made of them. The same for us and for every peer.

Rows are sorted, so that nobody pays for jumping back. W1 to W4 keep nothing: there the kernel only touches a frame.
That all decode the same rows to the same pixels is shown by another, untimed run that stores thumbnails (`shown`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

import clips
from clips import Clip

LIBRARIES = "the best library"
DATAFLOW = "the best dataflow engine"
LOOP = "a loop over OpenCV"
COMMAND = "ffmpeg's command line"


@dataclass(frozen=True)
class Workload:
    """Work on `rows` of each clip (all, if None). `work` is a key of `kernels.KERNELS`, or ``flow`` or ``encode``.

    `targets` are the least ratios (the peer's seconds by ours) aimed for first, and where we want to be.
    """

    name: str
    what: str
    clips: tuple[Clip, ...]
    work: str
    rows: tuple[int, ...] | None = None
    targets: tuple[tuple[str, float, float], ...] = ()

    @property
    def shown(self) -> Workload:
        """The same, but with a result that can be compared."""
        return replace(self, work="thumbnail") if self.work == "touch" else self

    @property
    def stored(self) -> str:
        """The name of the file peers leave their result in."""
        return "result.mp4" if self.work == "encode" else "result.npy"

    def rows_of(self, clip: Clip) -> range | Sequence[int]:
        """The rows wanted of one clip."""
        return range(clip.frames) if self.rows is None else self.rows


def _every(step: int, frames: int) -> tuple[int, ...]:
    return tuple(range(0, frames, step))


def _at_random(count: int, frames: int) -> tuple[int, ...]:
    return tuple(sorted(np.random.default_rng(3).choice(frames, count, replace=False).tolist()))


def _ranges(count: int, length: int, frames: int) -> tuple[int, ...]:
    """Ranges that start anywhere, one in each of `count` equal parts."""
    part = frames // count
    starts = part * np.arange(count) + np.random.default_rng(4).integers(0, part - length, count)
    return tuple(int(start) + row for start in starts for row in range(length))


def _sampled(clip: Clip, suffix: str = "") -> list[Workload]:
    targets = ((LIBRARIES, 2.0, 3.0),)
    name = "H.264" if not suffix else clip.codec.upper()
    every, some = _every(30, clip.frames), _at_random(100, clip.frames)
    of = f"of {clip.frames} frames of 720p {name}"
    return [
        Workload(f"W2{suffix}", f"every 30th {of}", (clip,), "touch", every, targets),
        Workload(f"W3{suffix}", f"100 random rows {of}", (clip,), "touch", some, targets),
    ]


_FLOWS = "500 frames of 426×240: Farnebäck's optical flow of neighbours"

ALL = [
    Workload("W1", "572 frames of 1080p to RGB", (clips.FULL_HD,), "touch", None, ((LIBRARIES, 1.15, 1.5),)),
    *_sampled(clips.LONG),
    Workload(
        "W4",
        "10 ranges of 50 of 2053 frames of 720p",
        (clips.LONG,),
        "touch",
        _ranges(10, 50, clips.LONG.frames),
        ((LIBRARIES, 1.5, 2.0),),
    ),
    Workload(
        "W5",
        "572 frames of 720p: histograms, stored",
        (clips.HD,),
        "histogram",
        None,
        ((LIBRARIES, 1.5, 2.0), (DATAFLOW, 2.5, 5.0)),
    ),
    Workload(
        "W6",
        "572 frames of 720p: 224×224, stored",
        (clips.HD,),
        "resize",
        None,
        ((LIBRARIES, 1.15, 1.5), (DATAFLOW, 2.5, 5.0)),
    ),
    Workload("W7", _FLOWS, (clips.SMALL,), "flow", None, ((LOOP, 1.8, 1.95),)),
    Workload(
        "W8",
        "40 clips of 125 frames of 640×360: histograms, stored",
        clips.SHORT,
        "histogram",
        None,
        ((LIBRARIES, 1.5, 2.0), (DATAFLOW, 2.5, 5.0)),
    ),
    Workload("W9", "572 frames of 720p: 320×240, as H.264", (clips.HD,), "encode", None, ((COMMAND, 0.9, 1.1),)),
    *(workload for codec, clip in clips.OTHER_CODECS.items() for workload in _sampled(clip, f"-{codec}")),
]

BY_NAME = {workload.name: workload for workload in ALL}
