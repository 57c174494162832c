"""OpenCV's VideoCapture. Rows that are near are reached by `grab`, which converts nothing; others by a seek."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import cv2
import numpy as np
from workloads import Workload

import clips
from clips import Clip
from peers.by_arrays import prepared


def prepare(workload: Workload, out: Path) -> AbstractContextManager:
    """See `peers`."""
    return prepared(workload, out, frames, "bgr")


def frames(clip: Clip, rows: Sequence[int] | None) -> Iterator[np.ndarray]:
    """Yield BGR frames."""
    capture = cv2.VideoCapture(str(clip.path), cv2.CAP_FFMPEG)
    at = 0
    for row in range(clip.frames) if rows is None else rows:
        if row - at > clips.GOP:
            capture.set(cv2.CAP_PROP_POS_FRAMES, row)
            at = row
        while at < row:
            capture.grab()
            at += 1
        ok, frame = capture.read()
        assert ok, f"OpenCV cannot read row {row} of {clip.path.name}"
        at += 1
        yield frame
    capture.release()
