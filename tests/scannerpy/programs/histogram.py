"""A histogram of every 30th frame of two videos, as tutorial 00 does it, through several cache modes."""

import sys

import scannerpy as sp
import scannertools.imgproc  # noqa: F401 -- as it was done


def main():
    sc = sp.Client()
    paths = sys.argv[1:3]
    inputs = [sp.NamedVideoStream(sc, f"video{i}", path=p) for i, p in enumerate(paths)]
    frames = sc.io.Input(inputs)
    strided = sc.streams.Stride(frames, [{"stride": 30}] * len(inputs))
    hists = sc.ops.Histogram(frame=strided)
    outputs = [sp.NamedStream(sc, f"hist{i}") for i in range(len(inputs))]
    output_op = sc.io.Output(hists, outputs)
    perf = sp.PerfParams.manual(work_packet_size=10, io_packet_size=20)
    sc.run(output_op, perf, cache_mode=sp.CacheMode.Overwrite)
    for stream in outputs:
        rows = list(stream.load())
        assert all(len(hist) == 3 for hist in rows)
        assert all(channel.shape == (16,) and channel.dtype == "int32" for hist in rows for channel in hist)
        print(len(stream), [int(sum(channel)) for channel in rows[0]])
    print(sc.run(output_op, perf, cache_mode=sp.CacheMode.Ignore))
    try:
        sc.run(output_op, perf)
    except sp.ScannerException as error:
        print(type(error).__mro__.index(sp.ScannerException) >= 0, "cache_mode" in str(error))
    print(isinstance(sc.run(output_op, perf, cache_mode=sp.CacheMode.Overwrite), int))


if __name__ == "__main__":
    main()
