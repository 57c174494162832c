"""The first program a user writes: frames in, a function op, a video out."""

import sys

import cv2

import scannerpy as sp


@sp.register_python_op()
def ShrinkTo(config, frame: sp.FrameType) -> sp.FrameType:
    return cv2.resize(frame, (config.args["width"], config.args["height"]))


def main():
    sc = sp.Client()
    video_stream = sp.NamedVideoStream(sc, "example", path=sys.argv[1])
    frames = sc.io.Input([video_stream])
    sampled_frames = sc.streams.Stride(frames, [2])
    resized_frames = sc.ops.ShrinkTo(frame=sampled_frames, width=32, height=24)
    output_stream = sp.NamedVideoStream(sc, "example_resized")
    output = sc.io.Output(resized_frames, [output_stream])
    sc.run(output, sp.PerfParams.estimate())
    output_stream.save_mp4("example_resized")
    print(len(video_stream), len(output_stream))
    for frame in output_stream.load(rows=[0, 5]):
        print(frame.shape, frame.dtype)
    video_stream.delete(sc)
    output_stream.delete(sc)
    print(sc.summarize().count("example"))


if __name__ == "__main__":
    main()
