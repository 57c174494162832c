"""The engine's one promise: the same answer whatever the packet sizes, batch, task split or number of instances.

Random graphs run through the client, and what is stored is compared with the reference interpreter. Each example is
one graph, up to three jobs, run once with drawn packet sizes. `world` says how to run more of them.
"""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st

import scannerpy as sp
from tests.scannerpy.reference.graphs import packets
from tests.scannerpy.reference.interpreter import counters
from tests.scannerpy.reference.meanings import digest
from tests.scannerpy.reference.world import examples, patience

SHARDS = 8  # of the inline examples, so that several test processes share them


@pytest.mark.slow
@patience
@pytest.mark.parametrize("shard", range(SHARDS))
def test_random_graphs_inline(inline, shard):
    """Blobs and stored frames, everything in this process."""

    @examples(0.8 / SHARDS, shard)
    @hypothesis.given(st.data())
    def some(data):
        inline.try_one(data)

    some()


@pytest.mark.slow
@patience
@pytest.mark.parametrize("shard", range(2))
def test_random_graphs_over_video(inline_video, shard):
    """Frames come from a decoder, through samplers in any order: bit for bit those of one sequential pass."""

    @examples(0.1 / 2, 100 + shard)
    @hypothesis.given(st.data())
    def some(data):
        inline_video.try_one(data)

    some()


@pytest.mark.slow
@patience
@pytest.mark.parametrize("instances", [1, 2, 3])
def test_random_graphs_in_worker_processes(processes, instances):
    """The same graphs on one to three pipeline instances."""

    @examples(0.1 / 3, 200 + instances)
    @hypothesis.given(st.data())
    def some(data):
        processes.try_one(data, instances)

    some()


@pytest.mark.slow
def test_a_counter_shows_exactly_the_warm_up_and_the_resets(inline):
    """An op that counts its executions since `reset` sees what section 5.4 says, for any rows and task size."""
    cl = inline.cl
    cl.new_table("thirty", ["column"], [[digest("thirty", row)] for row in range(30)], force=True)

    @examples(0.02, 300)
    @hypothesis.given(st.lists(st.integers(0, 29), min_size=1, max_size=12), st.integers(0, 4), packets())
    def some(rows, warmup, how):
        count = cl.ops.RefCounter(x=cl.io.Input([sp.NamedStream(cl, "thirty")]), bounded_state=warmup)
        out = sp.NamedStream(cl, "counts")
        sink = cl.io.Output(cl.streams.Gather(count, [rows]), [out])
        cl.run(sink, sp.PerfParams.manual(how.work, how.io), cache_mode=sp.CacheMode.Overwrite, show_progress=False)
        assert list(out.load()) == counters(rows, warmup, how.work if how.io == -1 else how.io)

    some()
