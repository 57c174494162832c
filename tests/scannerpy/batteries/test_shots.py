"""ShotBoundaries: cuts are found, pans and passers-by are not; checked against a plain loop over the same criterion."""

import itertools
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerpy.kernel import KernelConfig
from scannerpy.ops.shot_detection import LEAST_CHANGE, NEIGHBOURS, TIMES_TYPICAL, ShotBoundaries, boundaries


def histogram(*shares):
    """Three equal channels of 1,000 pixels, spread over the first bins in the given shares."""
    counts = np.zeros(16, np.int32)
    counts[: len(shares)] = np.array(shares) * 1000
    return [counts.copy() for _ in range(3)]


def film(*shots):
    return [histogram(*shot) for shot, length in shots for _ in range(length)]


def test_row_zero_lists_the_boundaries_and_the_others_are_none():
    rows = film(((1.0,), 20), ((0.0, 1.0), 15), ((0.5, 0.5), 10))
    result = ShotBoundaries(KernelConfig()).execute(rows)
    assert result == [[20, 35], *[None] * 44]


@pytest.mark.parametrize("length", [1, 2])
def test_a_stream_too_short_to_cut_has_no_boundaries(length):
    assert boundaries(film(((1.0,), length))) == []


def test_noise_below_the_least_change_is_no_cut():
    assert boundaries(film(((1.0,), 10), ((0.95, 0.05), 10))) == []


def test_a_steady_change_over_many_rows_is_no_cut():
    """A fast pan: every row differs from the one before by as much as some cuts do."""
    assert boundaries([histogram(1 - step / 8, step / 8) for step in range(9)]) == []


def test_a_cut_during_a_pan_is_found():
    pan = [histogram(1 - step / 20, step / 20) for step in range(10)]
    other = [histogram(0, 0, 1 - step / 20, step / 20) for step in range(10)]
    assert boundaries(pan + other) == [10]


def naive(rows):
    """The criterion of the module's head, one row at a time."""
    changes = [0.0]
    for a, b in itertools.pairwise(rows):
        moved = sum(abs(int(x) - int(y)) for ca, cb in zip(a, b, strict=True) for x, y in zip(ca, cb, strict=True))
        changes.append(moved / 2 / max(1, sum(int(x) for cb in b for x in cb)))
    found = []
    for row, change in enumerate(changes):
        near = [c for i, c in enumerate(changes) if i != row and abs(i - row) <= NEIGHBOURS]
        threshold = max(LEAST_CHANGE, TIMES_TYPICAL * statistics.median(near or [0.0]))
        before = changes[row - 1] if row else 0.0
        after = changes[row + 1] if row + 1 < len(changes) else 0.0
        if change >= threshold and change > before and change >= after:
            found.append(row)
    return found


@given(
    st.lists(st.sampled_from([(1.0,), (0.5, 0.5), (0.9, 0.1), (0.0, 1.0), (0.2, 0.3, 0.5)]), min_size=1, max_size=40)
)
def test_agrees_with_a_plain_loop(shots):
    rows = film(*[(shot, 1) for shot in shots])
    assert boundaries(rows) == naive(rows)
