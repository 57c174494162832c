"""Packet sizes: given by hand, or estimated from the inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerpy._words.sizing import LEAST_CUT, Sizing
from scannerpy.common import PerfParams, pool_bytes
from scannerpy.errors import ConfigError


class Stream:
    """Stands for a stored stream that knows its size."""

    def __init__(self, size: int, rows: int) -> None:
        self.size, self.rows = size, rows

    def estimate_size(self) -> int:
        return self.size

    def __len__(self) -> int:
        return self.rows


class Silent:
    """Stands for a stream whose class can tell neither size nor length."""

    def estimate_size(self) -> int:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


def test_manual_returns_a_callable_that_keeps_its_numbers() -> None:
    params = PerfParams.manual(10, 100, cpu_pool="1G", pipeline_instances_per_node=3)(inputs=[], ops=[])
    assert (params.work_packet_size, params.io_packet_size) == (10, 100)
    assert (params.cpu_pool, params.pipeline_instances_per_node, params.queue_size_per_pipeline) == ("1G", 3, 4)


def test_estimate_forwards_the_other_arguments() -> None:
    make = PerfParams.estimate(queue_size_per_pipeline=2, pipeline_instances_per_node=3)
    params = make(inputs=[[Silent()]], ops=[])
    assert (params.work_packet_size, params.io_packet_size) == (10, 100)
    assert (params.queue_size_per_pipeline, params.pipeline_instances_per_node) == (2, 3)


def test_a_long_stream_is_cut_into_several_tasks_for_each_pipeline() -> None:
    params = PerfParams.estimate(total_memory=1 << 40, pipeline_instances_per_node=4)(inputs=[[Stream(100, 10_000)]])
    assert 10_000 / params.io_packet_size >= 4 * 3


def test_many_short_streams_are_not_cut_since_they_keep_all_pipelines_busy_as_they_are() -> None:
    make = PerfParams.estimate(total_memory=1 << 40, pipeline_instances_per_node=2)
    alone = make(inputs=[[Stream(100, 125)]]).io_packet_size
    assert 125 / alone >= 2 * 3
    assert make(inputs=[[Stream(100, 125)] * 40]).io_packet_size == 125
    assert make(inputs=[[Stream(100, 125)] * 1000]).io_packet_size == 125
    few = make(inputs=[[Stream(100, 1000)] * 3]).io_packet_size
    assert 1000 / 4 < few < 1000 / 2


@given(rows=st.integers(1, 5000), streams=st.integers(1, 5000), ratio=st.floats(0.01, 1))
def test_no_stream_leaves_a_few_rows_over_for_a_task_of_their_own(rows, streams, ratio) -> None:
    """A task is written durably, which is dear: 3,000 clips of 16 rows are 3,000 tasks, not 6,000."""
    _, io = Sizing(1 << 40, 0.7, ratio, 4, 2).packets([100], rows, rows * streams)
    assert -(-rows // io) <= max(1, -(-8 // streams))


@given(
    memory=st.integers(1 << 20, 1 << 42),
    share=st.floats(0.05, 1),
    ratio=st.floats(0.01, 1),
    queue=st.integers(1, 16),
    pipelines=st.integers(1, 256),
    size=st.integers(1, 1 << 27),
    rows=st.none() | st.integers(0, 10_000_000),
)
def test_an_estimate_is_always_usable(memory, share, ratio, queue, pipelines, size, rows) -> None:
    work, io = Sizing(memory, share, ratio, queue, pipelines).packets([size], rows)
    assert work >= 1
    assert io >= work
    assert io % work == 0
    assert rows is None or io - work < max(LEAST_CUT, rows, 100), "at most the end of the last step is beyond"


@pytest.mark.parametrize(("text", "size"), [("512M", 512 << 20), ("4g", 4 << 30), ("7K", 7 << 10), (None, None)])
def test_pool_sizes_are_powers_of_1024(text, size) -> None:
    assert pool_bytes(text) == size


def test_only_a_cpu_pool_may_be_pinned() -> None:
    assert pool_bytes("p2G", pinned_allowed=True) == 2 << 30
    with pytest.raises(ConfigError, match="'p2G' is not a pool size"):
        pool_bytes("p2G")


@pytest.mark.parametrize("text", ["", "12", "5T", "M", "1.5G", "-1G", "5GB"])
def test_other_pool_sizes_are_refused_with_an_example(text) -> None:
    with pytest.raises(ConfigError, match="512M"):
        pool_bytes(text, pinned_allowed=True)
