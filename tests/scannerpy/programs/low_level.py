"""The layer below `register_python_op` and `io`: ops by the names of their columns, sources and sinks by hand."""

import struct
import sys

import numpy as np

import scannerpy as sp
from scannerpy import ColumnType, DeviceType, protobufs


def mean(config, columns):
    (frame,) = columns
    return [struct.pack("=d", float(np.mean(frame)) * config.args.get("scale", 1))]


class Difference(sp.Kernel):
    """Batches of windows of frames, all untyped."""

    def execute(self, columns):
        (windows,) = columns
        return [[struct.pack("=d", abs(float(b.mean()) - float(a.mean()))) for a, b in windows]]


class Both:
    def __init__(self, config):
        self.config = config

    def execute(self, columns):
        left, right = columns
        return [left + right, right + left]


def main():
    with sp.Client() as sc:
        sc.ingest_videos([("example", sys.argv[1])])
        sc.register_op("RawMean", [("frame", ColumnType.Video)], ["mean"])
        sc.register_python_kernel("RawMean", DeviceType.CPU, mean)
        sc.register_op("RawDifference", [("frame", ColumnType.Video)], ["difference"], stencil=[0, 1])
        sc.register_python_kernel("RawDifference", DeviceType.CPU, Difference, batch=4)
        sc.register_op("RawBoth", ["left", "right"], [("a", ColumnType.Blob), "b"])
        sc.register_python_kernel("RawBoth", DeviceType.CPU, Both)

        frames = sc.sources.FrameColumn(table_name=["example"], column_name=["frame"])
        index = sc.sources.Sequence(table_name=["example"], column_name="index")
        half = sc.ops.RawMean(frame=frames, scale=0.5)
        difference = sc.ops.RawDifference(frame=frames)
        _, b = sc.ops.RawBoth(left=half, right=index)
        image = sc.ops.ImageEncoder(frame=frames, args=protobufs.ImageEncoderArgs(format="jpg"))
        sinks = [
            sc.sinks.Column(columns={"mean": half}, table_name=["means"], column_name=["mean"]),
            sc.sinks.Column(difference, table_name=["differences"], column_name="column"),
            sc.sinks.Column(input=b, table_name=["both"], column_name=["column"]),
            sc.sinks.FrameColumn(columns={"frame": frames}, table_name=["copy"], column_name=["frame"]),
            sc.sinks.Sequence(columns={"img": image}, table_name=["images"], column_name=["img"]),
        ]
        sc.run(sinks, sp.PerfParams.manual(4, 8), show_progress=False)

        means = [struct.unpack("=d", m)[0] for m in sc.table("means").column("mean").load()]
        steps = list(sc.sequence("differences").load(fn=lambda d: struct.unpack("=d", d)[0]))
        print(len(means), all(15 < m < 100 for m in means))
        print(len(steps), steps[-1], abs(steps[0] - 2 * abs(means[1] - means[0])) < 1e-9)
        print([struct.unpack("=Qd", x)[0] for x in sp.NamedStream(sc, "both").load(rows=[0, 7])])
        print(sc.table("copy").column_names(), next(sc.sequence("copy").load()).shape)
        print(next(sc.table("images").column("img").load(fn=lambda data: data[:3])))
        try:
            sc.sources.Column(table_name="example", column_name="index")
            print("one stream")
            sc.sources.Column(bucket=["x"])
        except sp.ScannerException as error:
            print("table_name" in str(error))


if __name__ == "__main__":
    main()
