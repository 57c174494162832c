"""Slices: independent groups, one argument per group, and state that starts afresh in each."""

import sys
from typing import Any

import numpy as np

import scannerpy as sp
from scannerpy import SliceList


def number_of(frame):
    h, w = frame.shape[:2]
    fields = [
        (frame[y * h // 4 + 2 : (y + 1) * h // 4 - 2, x * w // 4 + 2 : (x + 1) * w // 4 - 2])
        for y in range(4)
        for x in range(4)
    ]
    return sum(int(np.mean(field) > 128) << bit for bit, field in enumerate(fields))


@sp.register_python_op(unbounded_state=True)
class RunningSum(sp.Kernel):
    def new_stream(self, start):
        self.start = start

    def reset(self):
        self.total = 0

    def execute(self, frame: sp.FrameType) -> Any:
        self.total += number_of(frame)
        return self.start + self.total


def main():
    sc = sp.Client()
    frames = sc.io.Input([sp.NamedVideoStream(sc, "example", path=sys.argv[1])])
    sliced = sc.streams.Slice(frames, partitions=[sc.partitioner.strided_ranges([(0, 15), (5, 25), (15, 35)], 1)])
    inner = sc.streams.Range(
        sliced,
        ranges=[SliceList([{"start": 0, "end": 10}, {"start": 5, "end": 15}, {"start": 5, "end": 15}])],
    )
    sums = sc.ops.RunningSum(frame=inner, start=[SliceList([1000, 2000, 3000])])
    joined = sc.streams.Unslice(sums)
    stream = sp.NamedStream(sc, "sums")
    sc.run(sc.io.Output(joined, [stream]), sp.PerfParams.manual(2, 4), show_progress=False)
    print(list(stream.load()))
    all_groups = sc.streams.Slice(frames, partitions=[sc.partitioner.all(10)])
    plain = sc.streams.Unslice(sc.ops.RunningSum(frame=all_groups, start=[0]))
    stream = sp.NamedStream(sc, "plain")
    sc.run(sc.io.Output(plain, [stream]), sp.PerfParams.manual(100, 100), show_progress=False)
    print([value for row, value in enumerate(stream.load()) if row % 10 == 9])


if __name__ == "__main__":
    main()
