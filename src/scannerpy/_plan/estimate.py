"""Estimated packet sizes, aligned with the keyframes of the video.

A task that begins at a keyframe decodes nothing it does not store. So where the choice is ours and keyframes come at
regular distances, the io packet becomes a whole number of those distances (or a whole fraction of one, so that at least
every keyframe begins a task), and the work packet a divisor of it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scannerpy._plan.rows import Rows
from scannerpy._words.sizing import LEAST_CUT

_REGULAR = 0.9
"""A stream counts as regular if this share of its keyframes comes at one distance (encoders add some at scene cuts)."""
_MUCH_SMALLER = 4
"""A work packet may shrink by this factor to divide the io packet, before a larger divisor is taken instead."""


def aligned(work: int, io: int, keyframes: Iterable[Rows]) -> tuple[int, int]:
    """Return the packet sizes nearest to `work` and `io` whose tasks begin at keyframes, if there are such.

    `keyframes` holds the keyframe rows of some streams, for a graph without samplers and slices.
    The io packet grows or shrinks by at most half; where nothing in that range fits, both stay as they are.
    """
    distance = keyframe_distance(keyframes)
    if distance is None:
        return work, io
    whole = max(1, round(io / distance)) * distance
    fitting = [n for n in (whole, *_divisors(distance)) if io / 2 <= n <= io * 3 / 2 and n >= LEAST_CUT]
    if not fitting:
        return work, io
    nearest = whole if whole in fitting else min(fitting, key=lambda n: abs(n - io))
    return _divisor(nearest, work), nearest


def keyframe_distance(keyframes: Iterable[Rows]) -> int | None:
    """Return the one distance between keyframes that nearly all streams keep, or None."""
    distances = [np.diff(rows) for rows in keyframes if len(rows) > 1]
    if not distances:
        return None
    values, counts = np.unique(np.concatenate(distances), return_counts=True)
    commonest = int(counts.argmax())
    return int(values[commonest]) if counts[commonest] >= _REGULAR * counts.sum() else None


def _divisor(number: int, wish: int) -> int:
    """Return the largest divisor up to `wish`, or the smallest above it where that one is much smaller."""
    divisors = _divisors(number)
    below = max(n for n in divisors if n <= max(1, wish))
    return below if below * _MUCH_SMALLER >= min(wish, number) else min(n for n in divisors if n > wish)


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]
