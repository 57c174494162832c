"""How frames are stored and come back: compressed or not, of any type and shape, in which order of colours."""

import os
import sys
from typing import Any

import numpy as np

import scannerpy as sp


@sp.register_python_op()
def Red(config, frame: sp.FrameType) -> sp.FrameType:
    red = np.zeros_like(frame)
    red[:, :, 0] = 250
    return red


@sp.register_python_op()
def AsType(config, frame: sp.FrameType) -> sp.FrameType:
    return frame.astype(config.args["dtype"]) / 2 if config.args["dtype"] != "uint8" else frame[:, ::-1, :1]


@sp.register_python_op()
def Flat(config, frame: sp.FrameType) -> sp.FrameType:
    return frame[0, :, 0].astype(np.float64)


@sp.register_python_op()
def Describe(config, frame: sp.FrameType) -> Any:
    return frame.shape, str(frame.dtype), frame.flags.c_contiguous, [int(v) for v in frame.reshape(-1)[:3]]


def main():
    sc = sp.Client(debug=True)
    video = sp.NamedVideoStream(sc, "example", path=sys.argv[1])
    frames = sc.streams.Range(sc.io.Input([video]), [(0, 12)])
    red = sc.ops.Red(frame=frames)
    columns = {
        "default": red,
        "compressed": red.compress_video(quality=15, keyframe_distance=4),
        "compress()": red.compress("video", bitrate=100_000),
        "raw": red.lossless(),
        "compress(raw)": red.compress("raw"),
        "floats": sc.ops.AsType(frame=red, dtype="float32"),
        "doubles": sc.ops.AsType(frame=red, dtype="float64"),
        "gray": sc.ops.AsType(frame=red, dtype="uint8"),
        "flat": sc.ops.Flat(frame=red),
        "again": red.lossless().compress_default(),
    }
    for name, column in columns.items():
        stream = sp.NamedVideoStream(sc, name)
        sc.run(sc.io.Output(column, [stream]), sp.PerfParams.manual(6, 12), show_progress=False)
        frame = next(stream.load(rows=[7]))
        seen = sp.NamedStream(sc, f"{name} seen")
        sc.run(sc.io.Output(sc.ops.Describe(frame=sc.io.Input([stream])), [seen]), sp.PerfParams.manual(6, 12),
               show_progress=False)  # fmt: skip
        shape, dtype, contiguous, kernel = next(seen.load(rows=[7]))
        channel = int(np.argmax(frame[5, 5])) if frame.ndim == 3 and frame.shape[2] == 3 else -1
        keyframes = sc.table(name).column("frame").keyframes()
        print(
            f"{name}: {frame.shape} {frame.dtype} strongest {channel}, in a kernel {kernel.index(max(kernel))};",
            end=" ",
        )
        print(f"{len(keyframes)} keyframes {(shape, dtype, contiguous) == (frame.shape, str(frame.dtype), True)}")
    try:
        sp.NamedVideoStream(sc, "raw").save_mp4("raw")
    except sp.ScannerException:
        print("raw frames are no mp4")
    print(sp.NamedVideoStream(sc, "default").save_mp4("red.mp4", fps=10, scale=(32, 24)), os.path.exists("red.mp4.mp4"))
    print(video.len(), len(video), video.estimate_size() == 64 * 48 * 3, video.type(), video.committed())
    for column in (sc.ops.Describe(frame=frames), sc.streams.All(sc.ops.Describe(frame=frames))):
        try:
            column.compress_video()
        except sp.ScannerException:
            print("only frames are compressed")


if __name__ == "__main__":
    main()
