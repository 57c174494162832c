"""decord, by `next`: `get_batch` starts at a keyframe for every row that does not follow the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import decord
import numpy as np
from workloads import Workload

import clips
from clips import Clip
from peers.by_arrays import prepared


def prepare(workload: Workload, out: Path) -> AbstractContextManager:
    """See `peers`."""
    return prepared(workload, out, frames)


def frames(clip: Clip, rows: Sequence[int] | None) -> Iterator[np.ndarray]:
    """Yield RGB frames. `skip_frames` decodes what it skips, but converts nothing."""
    reader = decord.VideoReader(str(clip.path), num_threads=0)
    at = 0
    for row in range(clip.frames) if rows is None else rows:
        if row - at > clips.GOP:
            reader.seek_accurate(row)
        elif row > at:
            reader.skip_frames(row - at)
        at = row + 1
        yield reader.next().asnumpy()
