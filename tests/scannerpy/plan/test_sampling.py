"""Each sampler: how many rows come out, and which they are (spec §6.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerpy._plan.sampling import SAMPLERS, BadArgument, row_map
from tests.scannerpy.plan.anything import sampler_args
from tests.scannerpy.plan.reference import sampled


def rows_of(name: str, args: dict[str, Any], size: int) -> list[int | None]:
    it = row_map(name, args, size)
    return [None if row < 0 else row for row in it.source(np.arange(it.length)).tolist()]


@given(st.data(), st.sampled_from(sorted(SAMPLERS)), st.integers(0, 30))
def test_every_sampler_yields_the_rows_it_means(data, name, size):
    args = data.draw(sampler_args(name, size))
    expected = sampled(name, args, size)
    it = row_map(name, args, size)
    assert it.length == len(expected)
    assert rows_of(name, args, size) == expected
    some = data.draw(st.sets(st.integers(0, len(expected) - 1))) if expected else ()
    wanted = np.array(sorted(some), np.int64)
    assert [None if row < 0 else row for row in it.source(wanted).tolist()] == [expected[row] for row in wanted]


@given(st.data(), st.sampled_from(sorted(SAMPLERS)), st.integers(0, 30))
def test_what_a_map_promises_of_itself_is_so(data, name, size):
    """`ascending` and `nulls` spare the planner sorting; they must not promise too much."""
    args = data.draw(sampler_args(name, size))
    it, rows = row_map(name, args, size), sampled(name, args, size)
    assert not it.ascending or rows == sorted(set(rows) - {None})
    assert it.nulls or None not in rows


@pytest.mark.parametrize(
    ("name", "args", "size", "expected"),
    [
        ("Stride", {"stride": 3}, 8, [0, 3, 6]),
        ("Range", {"start": 0, "end": 1000}, 4, [0, 1, 2, 3]),  # an overrun is clamped
        ("Range", {"start": 9, "end": 12}, 4, []),  # empty where it starts beyond the end
        ("Range", {"start": 2, "end": 2}, 4, []),
        ("Ranges", {"intervals": [(2, 9), (0, 2)]}, 4, [2, 3, 0, 1]),  # each is clamped by itself; none is dropped
        ("Ranges", {"intervals": []}, 4, []),
        ("StridedRange", {"start": 1, "end": 100, "stride": 3}, 9, [1, 4, 7]),
        ("StridedRanges", {"intervals": [(0, 4), (1, 100)], "stride": 2}, 5, [0, 2, 1, 3]),
        ("Gather", {"rows": [3, 0, 3, 9, 1]}, 4, [3, 0, 3, 1]),  # any order, duplicates; beyond the end is dropped
        ("Gather", {"rows": range(0, 1000, 100)}, 720, [0, 100, 200, 300, 400, 500, 600, 700]),
        ("Gather", {"rows": (1, 2)}, 4, [1, 2]),
        ("Repeat", {"spacing": 2}, 3, [0, 0, 1, 1, 2, 2]),
        ("RepeatNull", {"spacing": 3}, 2, [0, None, None, 1, None, None]),
        ("All", {}, 2, [0, 1]),
        ("Repeat", {"spacing": 4}, 0, []),
        ("Stride", {"stride": 4}, 0, []),
        ("Stride", {"stride": np.int32(2)}, 3, [0, 2]),  # numpy's integers are integers
    ],
)
def test_examples(name, args, size, expected):
    assert rows_of(name, args, size) == expected


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        ("Range", {"start": 5, "end": 2}, "ends before it starts"),
        ("Range", {"start": -1, "end": 2}, "start is -1"),
        ("Range", {"start": 1}, "'end' is missing"),
        ("Range", {"start": 0.5, "end": 2}, "whole number, not 0.5"),
        ("Ranges", {"intervals": [(0, 2), (5, 3)]}, r"\[5, 3\) ends before it starts"),
        ("Ranges", {"intervals": [(-2, 3)]}, r"\[-2, 3\) starts before row 0"),
        ("Ranges", {"intervals": [(0, 1, 2)]}, r"list of \(start, end\)"),
        ("Ranges", {"intervals": [(0, 1), 3]}, r"list of \(start, end\)"),
        ("Ranges", {"intervals": 7}, r"list of \(start, end\)"),
        ("Stride", {"stride": 0}, "at least 1"),
        ("Stride", {"stride": -3}, "stride is -3"),
        ("StridedRange", {"start": 0, "end": 2, "stride": 0}, "at least 1"),
        ("StridedRanges", {"intervals": [(0, 2)], "stride": -1}, "at least 1"),
        ("Gather", {"rows": [0, -4, 2]}, "negative row -4"),
        ("Gather", {"rows": [0.0, 1.5]}, "whole numbers"),
        ("Gather", {"rows": 3}, "whole numbers"),
        ("Gather", {"rows": [[1, 2], [3]]}, "whole numbers"),
        ("Gather", {}, "'rows' is missing"),
        ("Repeat", {"spacing": 0}, "spacing is 0"),
        ("RepeatNull", {"spacing": "two"}, "whole number"),
        ("Shuffle", {}, "no such sampler"),
    ],
)
def test_wrong_arguments_are_refused_with_the_reason(name, args, text):
    with pytest.raises(BadArgument, match=text):
        row_map(name, args, 10)


def test_lengths_are_whole_numbers_even_where_floats_round():
    assert row_map("Stride", {"stride": 3}, 2**60 + 1).length == (2**60 + 3) // 3
