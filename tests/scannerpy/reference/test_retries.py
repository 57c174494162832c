"""A task done again gives the same answer: kernels that raise, or end their process, when they first see a row."""

import os
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

import scannerpy as sp
from tests.scannerpy.reference import drive
from tests.scannerpy.reference.description import Column, Graph, Op, Sample, Source
from tests.scannerpy.reference.graphs import packets
from tests.scannerpy.reference.interpreter import Interpreter
from tests.scannerpy.reference.meanings import digest
from tests.scannerpy.reference.world import examples, patience


@sp.register_python_op()
class RefFlaky(sp.Kernel):
    """What `RefMap` does, but the first time it meets one of the values in `fails` it does not."""

    def __init__(self, config, salt, fails, folder, ends):
        self.salt, self.fails, self.folder, self.ends = salt, fails, Path(folder), ends

    def execute(self, x: bytes) -> bytes:
        met = self.folder / x.hex()
        if x in self.fails and not met.exists():
            met.touch()
            if self.ends:
                os._exit(1)
            raise OSError("not now")
        return digest("map", self.salt, x)


def flaky(data, world, folder, instances, *, ends):
    """Run source → recent → flaky → gather → window, with up to two rows of each job that fail once."""
    table = data.draw(st.sampled_from(["blobs9a", "blobs13a", "blobs20a"]))
    rows = data.draw(st.lists(st.integers(0, 19), min_size=1, max_size=8))
    nodes = (
        Source((table,)),
        Op("RefRecent", (Column(0),), {"salt": 0, "keep": 2}),
        Op("RefMap", (Column(1),), {"salt": 1}),
        Sample(Column(2), "Gather", ({"rows": rows},)),
        Op("RefWindow", (Column(3),), {"salt": 2}),
    )
    fed = Interpreter(Graph(nodes, (Column(1),), 1), world.stored, 0).sink(Column(1))
    fails = data.draw(st.lists(st.sampled_from(fed), max_size=2, unique=True))
    right = drive.expected(Graph(nodes, (Column(4),), 1), world.stored)
    cl, how = world.cl, data.draw(packets(instances))
    here = folder / data.draw(st.uuids()).hex
    here.mkdir(exist_ok=True)
    recent = cl.ops.RefRecent(x=cl.io.Input([sp.NamedStream(cl, table)]), salt=0, keep=2)
    once = cl.ops.RefFlaky(x=recent, salt=1, fails=fails, folder=str(here), ends=ends)
    out = sp.NamedStream(cl, "flaky")
    sink = cl.io.Output(cl.ops.RefWindow(x=cl.streams.Gather(once, [rows]), salt=2), [out])
    perf = sp.PerfParams.manual(how.work, how.io, pipeline_instances_per_node=instances)
    cl.run(sink, perf, cache_mode=sp.CacheMode.Overwrite, show_progress=False)
    drive.check([[list(out.load())]], right)


@pytest.mark.slow
@patience
def test_an_exception_that_does_not_come_again_changes_nothing(inline, tmp_path):
    """Inline, where the same process goes on."""

    @examples(0.06, 400)
    @hypothesis.given(st.data())
    def some(data):
        flaky(data, inline, tmp_path, 1, ends=False)

    some()


@pytest.mark.slow
@patience
def test_a_worker_that_ends_in_the_middle_changes_nothing(processes, tmp_path):
    """In worker processes, which are replaced."""

    @examples(0.02, 401)
    @hypothesis.given(st.data())
    def some(data):
        flaky(data, processes, tmp_path, 2, ends=True)

    some()
