"""A stencil op over a range: flow between each frame and the next, from the shipped op and from one written here."""

import sys
from typing import Sequence

import cv2
import numpy as np

import scannerpy as sp


@sp.register_python_op(stencil=[0, 1])
def MeanDifference(config, frame: Sequence[sp.FrameType]) -> bytes:
    before, after = (cv2.cvtColor(f, cv2.COLOR_RGB2GRAY).astype(np.float64) for f in frame)
    return np.float64(np.abs(after - before).mean()).tobytes()


def main():
    sc = sp.Client()
    frames = sc.io.Input([sp.NamedVideoStream(sc, "example", path=sys.argv[1])])
    some = sc.streams.Range(frames, ranges=[(0, 6)])
    flow = sc.ops.OpticalFlow(frame=some, stencil=[-1, 0])
    difference = sc.ops.MeanDifference(frame=some)
    flow_stream = sp.NamedVideoStream(sc, "flow")
    difference_stream = sp.NamedStream(sc, "difference")
    sinks = [sc.io.Output(flow, [flow_stream]), sc.io.Output(difference, [difference_stream])]
    sc.run(sinks, sp.PerfParams.manual(3, 6))
    flows = list(flow_stream.load())
    print(len(flows), flows[0].shape, flows[0].dtype, float(np.abs(flows[0]).max()))
    values = [np.frombuffer(value)[0] for value in difference_stream.load()]
    print([bool(value > 0) for value in values])


if __name__ == "__main__":
    main()
