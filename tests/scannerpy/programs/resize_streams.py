"""Arguments that differ per stream, for the shipped Resize and for samplers, and a compressed result."""

import sys
from itertools import pairwise

import scannerpy as sp


def main():
    sc = sp.Client()
    videos = [sp.NamedVideoStream(sc, f"v{i}", path=path) for i, path in enumerate(sys.argv[1:3])]
    frames = sc.io.Input(videos)
    some = sc.streams.Gather(frames, indices=[[0, 3, 5], list(range(0, 1000, 7))])
    small = sc.ops.Resize(frame=some, width=[32, 48], height=[24, 0], preserve_aspect=[False, True])
    compressed = small.compress_video(quality=20, keyframe_distance=2)
    outputs = [sp.NamedVideoStream(sc, f"small{i}") for i in range(2)]
    sc.run(sc.io.Output(compressed, outputs), sp.PerfParams.manual(4, 8), show_progress=False)
    for stream in outputs:
        frames = list(stream.load())
        print(len(frames), frames[0].shape, frames[0].dtype)
        keyframes = [*sc.table(stream.name()).column("frame").keyframes(), len(frames)]
        print(keyframes[0], max(b - a for a, b in pairwise(keyframes)) <= 2)


if __name__ == "__main__":
    main()
