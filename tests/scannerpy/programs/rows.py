"""Every way to choose rows: samplers in all their forms, partitions, nulls, and the older `sampler` of one stream."""

import pickle
from typing import Any

import scannerpy as sp

ROWS = 20


@sp.register_python_op()
def Keep(config, x: Any) -> Any:
    return x


def main():
    sc = sp.Client(debug=True)
    sc.new_table("numbers", ["column"], [[pickle.dumps(n)] for n in range(ROWS)])
    numbers = sc.io.Input([sp.NamedStream(sc, "numbers")])
    streams, parts = sc.streams, sc.partitioner

    def joined(partition, inner=None):
        sliced = streams.Slice(numbers, partitions=[partition])
        return streams.Unslice(sc.ops.Keep(x=inner(sliced) if inner else sliced))

    chosen = {
        "all": streams.All(input=numbers),
        "stride": streams.Stride(input=numbers, strides=[6]),
        "stride dict": streams.Stride(numbers, [{"stride": 6}]),
        "range": streams.Range(input=numbers, ranges=[(17, 1000)]),
        "range dict": streams.Range(numbers, [{"start": 0, "end": 2}]),
        "ranges": streams.Ranges(input=numbers, intervals=[[(0, 2), (18, 99), (30, 40), (4, 5)]]),
        "strided range": streams.StridedRange(input=numbers, ranges=[(1, 99, 7)]),
        "strided ranges": streams.StridedRanges(input=numbers, intervals=[(0, 5), (10, 14)], stride=2),
        "strided ranges per stream": streams.StridedRanges(numbers, intervals=[[(0, 5), (10, 14)]], stride=[3]),
        "gather": streams.Gather(input=numbers, indices=[[5, 1, 1, 19, 99]]),
        "gather range": streams.Gather(numbers, [range(0, 1000, 9)]),
        "repeat": streams.Repeat(streams.Range(numbers, [(0, 2)]), spacings=[3]),
        "repeat dict": streams.Repeat(streams.Range(numbers, [(0, 2)]), [{"spacing": 2}]),
        "repeat null": streams.RepeatNull(streams.Range(numbers, [(0, 2)]), spacings=[3]),
        "nothing": streams.Range(numbers, [(7, 7)]),
        "chain": streams.Stride(streams.Range(streams.Stride(numbers, [2]), [(2, 8)]), [3]),
        "sampler": sc.sampler.Gather(sc.sampler.StridedRange(numbers, 0, 20, 5), [3, 0]),
        "sampler range": sc.sampler.Ranges(numbers, [(0, 1), (9, 10)]),
        "groups": joined(parts.all(8), lambda s: streams.Range(s, [sp.SliceList([(0, 1), (0, 2), (3, 9)])])),
        "strided groups": joined(parts.strided(5, group_size=3)),
        "one group": joined(parts.range(3, 6), lambda s: streams.Stride(s, [2])),
        "overlapping": joined(parts.ranges([(0, 3), (1, 4)])),
        "strided range group": joined(parts.strided_range(0, 10, 4)),
        "strided range groups": joined(parts.strided_ranges([(0, 4), (10, 14)], 3)),
        "gathered groups": joined(parts.gather([[9, 1], [4]])),
    }
    for name, column in chosen.items():
        stream = sp.NamedStream(sc, name)
        sc.run(sc.io.Output(sc.ops.Keep(x=column) if "Unslice" not in repr(column) else column, [stream]),
               sp.PerfParams.manual(2, 4), show_progress=False)  # fmt: skip
        rows = ["-" if isinstance(row, sp.NullElement) else row for row in stream.load()]
        print(f"{name}: {' '.join(map(str, rows))}")
    for wrong in (
        lambda: streams.Range(numbers, [(5, 1)]),
        lambda: streams.Stride(numbers, [0]),
        lambda: streams.Gather(numbers, [[-1]]),
        lambda: joined(parts.range(0, 21)),
        lambda: joined(parts.range(5, 1)),
        lambda: joined(parts.strided(0)),
        lambda: joined(parts.all(0)),
    ):
        try:
            sc.run(
                sc.io.Output(wrong(), [sp.NamedStream(sc, "wrong")]), sp.PerfParams.manual(2, 4), show_progress=False
            )
            print("not refused")
        except sp.ScannerException:
            pass
    print(sc.has_table("wrong"))


if __name__ == "__main__":
    main()
