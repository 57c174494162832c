"""Values of the program as an input stream, beside a video: each frame is cropped by a box of its own."""

import sys
from typing import Any

import scannerpy as sp
from scannertools.storage.python import PythonStream


class Box:
    def __init__(self, x, y, size):
        self.x, self.y, self.size = x, y, size


@sp.register_python_op()
class Crop(sp.Kernel):
    def execute(self, frame: sp.FrameType, box: Any) -> Any:
        return frame[box.y : box.y + box.size, box.x : box.x + box.size].shape


@sp.register_python_op()
def Length(config, data: bytes) -> Any:
    return len(data)


def main():
    sc = sp.Client()
    video = sp.NamedVideoStream(sc, "example", path=sys.argv[1])
    boxes = PythonStream([Box(i, 0, 4 + i) for i in range(12)])
    frames = sc.streams.Range(sc.io.Input([video]), [(0, 12)])
    shapes = sp.NamedStream(sc, "shapes")
    crops = sc.ops.Crop(frame=frames, box=sc.io.Input([boxes]))
    sc.run(sc.io.Output(crops, [shapes]), sp.PerfParams.manual(3, 6), show_progress=False)
    print(list(shapes.load())[::4])
    lengths = [sp.NamedStream(sc, name) for name in ("few", "many")]
    blobs = sc.io.Input([PythonStream([b"a", b""]), PythonStream([b"x" * n for n in range(5)])])
    sc.run(sc.io.Output(sc.ops.Length(data=blobs), lengths), sp.PerfParams.estimate(), show_progress=False)
    print([list(stream.load()) for stream in lengths])


if __name__ == "__main__":
    main()
