"""Whatever a kernel keeps, reuses, views or writes into: elements never change, and no two share memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scannerpy._kernels.host import KernelHost
from scannerpy.kernel import Kernel
from scannerpy.types import FrameType
from tests.scannerpy.kernels.hosting import run, vertex_of

SHAPE = (2, 3, 4)

WAYS = {
    "fresh": lambda kernel, frame: frame + 1,
    "fresh view": lambda kernel, frame: np.concatenate((frame, frame))[:3],
    "reshaped": lambda kernel, frame: (frame + 1).reshape(-1),
    "reversed": lambda kernel, frame: (frame + 1)[::-1],
    "input": lambda kernel, frame: frame,
    "view of input": lambda kernel, frame: frame[:1],
    "kept": lambda kernel, frame: kernel.keep(frame + 1),
    "kept input": lambda kernel, frame: kernel.keep(frame),
    "view of kept": lambda kernel, frame: kernel.keep(frame + 1)[1:],
    "base is kept": lambda kernel, frame: kernel.keep((frame + 1).reshape(-1)).base,
    "buffer": lambda kernel, frame: kernel.buffer,
    "view of buffer": lambda kernel, frame: kernel.buffer[:1],
    "view of a view": lambda kernel, frame: kernel.buffer[:1].reshape(-1)[2:],
    "memory": lambda kernel, frame: np.frombuffer(kernel.memory, np.uint8),
    "drawn": lambda kernel, frame: np.add(frame, 1, out=frame),
    "in a closure": lambda kernel, frame: kernel.keep_in_closure(frame + 1),
}


class Careless(Kernel):
    """Returns arrays in the ways it is told to, and overwrites all it can reach before it does so."""

    def __init__(self, config, ways):
        self.ways = list(ways)
        self.buffer = np.zeros(SHAPE, np.uint8)
        self.memory = bytearray(6)
        self.kept = []
        self.functions = []

    def keep(self, array):
        self.kept.append(array)
        return array

    def keep_in_closure(self, array):
        self.functions.append(lambda: array)
        return array

    def spoil(self):
        for array in (self.buffer, *self.kept, *(function() for function in self.functions)):
            array[:] = 111
        self.memory[:] = b"oooooo"

    def execute(self, frame: FrameType) -> FrameType:
        self.spoil()
        return WAYS[self.ways.pop(0)](self, frame)


class CarelessBatch(Careless):
    """The same, and keeps the lists it returns."""

    def execute(self, frame: Sequence[FrameType]) -> Sequence[FrameType]:
        self.spoil()
        results = [WAYS[self.ways.pop(0)](self, each) for each in frame]
        if len(results) % 2:
            self.kept += results
        return results


@given(st.lists(st.sampled_from(sorted(WAYS)), min_size=1, max_size=12), st.booleans(), st.booleans())
def test_elements_belong_to_nobody_else(ways, batches, owned):
    target, batch = (CarelessBatch, 3) if batches else (Careless, 1)
    host = KernelHost(vertex_of(target, batch=batch, args={"ways": ways}), owned=[owned])
    host.begin_task()
    inputs = [np.full(SHAPE, i, np.uint8) for i in range(len(ways))]
    given_away = inputs if not owned else [array.copy() for array in inputs]
    results, copies = [], []
    for i, frame in enumerate(given_away) if not batches else ():
        (result,) = run(host, [frame], first=i)
        results.append(result)
        copies.append(result.copy())
    if batches:
        results = run(host, given_away)
        copies = [result.copy() for result in results]
    host.kernel.spoil()
    if not owned:
        assert [array.max() for array in inputs] == list(range(len(ways)))
    for i, (result, copy) in enumerate(zip(results, copies, strict=True)):
        np.testing.assert_array_equal(result, copy)
        assert result.flags.c_contiguous
        assert not any(np.shares_memory(result, other) for other in results[:i])
        assert not any(np.shares_memory(result, array) for array in host.kernel.kept)
