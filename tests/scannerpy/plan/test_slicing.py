"""How a stream is cut into groups; unlike samplers, partitions do not clamp (spec §6.3)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerpy._graph.node import Partition
from scannerpy._plan.sampling import BadArgument
from scannerpy._plan.slicing import groups
from tests.scannerpy.plan.anything import partitions
from tests.scannerpy.plan.reference import grouped


def rows_of(partition: Partition, size: int) -> list[list[int]]:
    return [each.source(np.arange(each.length)).tolist() for each in groups(partition, size)]


@given(st.data(), st.integers(0, 30))
def test_every_partition_makes_the_groups_it_means(data, size):
    partition = data.draw(partitions(size))
    assert rows_of(partition, size) == grouped(partition, size)
    assert groups(partition, size).sizes.tolist() == [len(rows) for rows in grouped(partition, size)]


@pytest.mark.parametrize(
    ("kind", "args", "expected"),
    [
        ("all", {"group_size": 4}, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]),
        ("strided", {"stride": 3, "group_size": 2}, [[0, 3], [6, 9]]),  # groups count strided rows
        ("range", {"start": 2, "end": 5}, [[2, 3, 4]]),
        ("ranges", {"intervals": [(4, 6), (0, 2), (5, 5)]}, [[4, 5], [0, 1], []]),
        ("strided_range", {"start": 1, "end": 10, "stride": 4}, [[1, 5, 9]]),
        ("strided_ranges", {"intervals": [(0, 5), (5, 10)], "stride": 2}, [[0, 2, 4], [5, 7, 9]]),
        ("gather", {"groups": [[9, 0], [3, 3], []]}, [[9, 0], [3, 3], []]),
        ("gather", {"groups": []}, []),
        ("ranges", {"intervals": []}, []),
    ],
)
def test_examples_over_ten_rows(kind, args, expected):
    assert rows_of(Partition(kind, args), 10) == expected


def test_nothing_makes_no_groups():
    assert rows_of(Partition("all", {"group_size": 250}), 0) == []


@pytest.mark.parametrize(
    ("kind", "args", "text"),
    [
        ("range", {"start": 0, "end": 11}, r"\[0, 11\) ends beyond the stream, which has 10 rows"),
        ("ranges", {"intervals": [(0, 5), (5, 20)]}, r"\[5, 20\) ends beyond"),
        ("ranges", {"intervals": [(5, 4)]}, "ends before it starts"),
        ("strided_ranges", {"intervals": [(0, 5)], "stride": 0}, "stride is 0"),
        ("strided", {"stride": 0, "group_size": 2}, "stride is 0"),
        ("all", {"group_size": 0}, "group_size is 0"),
        ("all", {}, "'group_size' is missing"),
        ("gather", {"groups": [[1], [2, 10]]}, "group 1 holds row 10, but the stream has only 10 rows"),
        ("gather", {"groups": [[-1]]}, "negative row -1"),
        ("gather", {}, "'groups' is missing"),
        ("thirds", {}, "no partition 'thirds'"),
    ],
)
def test_wrong_partitions_are_refused_with_the_reason(kind, args, text):
    with pytest.raises(BadArgument, match=text):
        groups(Partition(kind, args), 10)


def test_a_million_groups_are_two_arrays():
    made = groups(Partition("all", {"group_size": 1}), 1_000_000)
    assert len(made) == 1_000_000
    assert made[999_999].source(np.array([0])).tolist() == [999_999]
