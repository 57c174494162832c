"""ShotBoundaries: where a film cuts from one shot to the next, from the frames' histograms.

The criterion. The *change* at row r is the share of pixels (averaged over the channels) that sit in another bin of the
histogram than at row r − 1: 0 for a still picture, 1 where nothing stays. Row r begins a new shot if the change is

* at least `LEAST_CHANGE`: noise, slow pans and small objects stay below it;
* at least `TIMES_TYPICAL` times the median change of the `NEIGHBOURS` rows on either side: a hard cut stands alone,
  whereas a fast pan or something crossing the picture changes many rows in succession; and
* the largest among the rows next to it, so that one cut is told once.

Dissolves and fades have no row where they happen, and are not found. Row 0 begins the first shot and is not listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from scannerpy.kernel import Kernel
from scannerpy.op import register_python_op
from scannerpy.types import Histogram

LEAST_CHANGE = 0.1
TIMES_TYPICAL = 4.0
NEIGHBOURS = 8


@register_python_op(name="ShotBoundaries", columns=["boundaries"], batch=10_000_000, keeps_inputs=True)
class ShotBoundaries(Kernel):
    """Find hard cuts. Row 0 of the result is the list of rows at which a new shot begins; all other rows are None."""

    def execute(self, histograms: Sequence[Histogram]) -> Sequence[Any]:
        """Take the histograms of a whole stream."""
        rows = len(histograms)
        return [boundaries(histograms), *[None] * (rows - 1)]


def boundaries(histograms: Sequence[Any]) -> list[int]:
    """Return the rows at which a new shot begins; see the head of this module for the criterion."""
    changes = change(histograms)
    threshold = np.maximum(LEAST_CHANGE, TIMES_TYPICAL * _typical(changes))
    before, after = np.append(0.0, changes[:-1]), np.append(changes[1:], 0.0)
    cuts = (changes >= threshold) & (changes > before) & (changes >= after)
    return [int(row) for row in np.flatnonzero(cuts)]


def change(histograms: Sequence[Any]) -> npt.NDArray[np.float64]:
    """Return, for each row, the share of pixels whose bin is not the one of the row before; 0 for row 0."""
    counts = np.array([np.concatenate(row) for row in histograms], np.int64)
    moved = np.abs(np.diff(counts, axis=0)).sum(axis=1) / 2
    return np.append(0.0, moved / np.maximum(1, counts[1:].sum(axis=1)))


def _typical(changes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the median change of each row's neighbours, the row itself left out."""
    padded = np.pad(changes, NEIGHBOURS, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
    neighbours = np.sort(np.delete(windows, NEIGHBOURS, axis=1), axis=1)  # the missing ones beyond the ends come last
    present = np.count_nonzero(~np.isnan(neighbours), axis=1)
    rows = np.arange(len(changes))
    middle = (neighbours[rows, np.maximum(0, present - 1) // 2] + neighbours[rows, present // 2]) / 2
    return np.nan_to_num(middle)
