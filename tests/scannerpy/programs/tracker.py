"""A stateful kernel class: follows the brightest spot, smooths over what it remembers, writes boxes of a registered
type.
"""

import sys
from typing import Any

import cv2
import numpy as np

import scannerpy as sp
from scannerpy import protobufs
from scannerpy.types import BboxList


@sp.register_python_op(unbounded_state=True)
class TrackBrightest(sp.Kernel):
    def __init__(self, config, smooth):
        self.config = config
        self.smooth = smooth

    def fetch_resources(self):
        print("resources fetched")

    def setup_with_resources(self):
        self.ready = True

    def new_stream(self, label):
        self.label = label

    def reset(self):
        self.position = None
        self.seen = 0

    def execute(self, frame: sp.FrameType) -> BboxList:
        assert self.ready
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        _, _, _, (x, y) = cv2.minMaxLoc(cv2.blur(gray, (5, 5)))
        here = np.array([x / gray.shape[1], y / gray.shape[0]])
        self.position = here if self.position is None else self.smooth * self.position + (1 - self.smooth) * here
        self.seen += 1
        x, y = self.position
        return [
            protobufs.BoundingBox(x1=x, y1=y, x2=x + 0.1, y2=y + 0.1, score=1.0, label=self.label, track_id=self.seen)
        ]


@sp.register_python_op(name="CountBoxes")
class Counter(sp.Kernel):
    def execute(self, bboxes: BboxList) -> Any:
        return {"boxes": len(bboxes), "label": bboxes[0].label}


def main():
    sc = sp.Client()
    videos = [sp.NamedVideoStream(sc, f"v{i}", path=path) for i, path in enumerate(sys.argv[1:3])]
    frames = sc.io.Input(videos)
    boxes = sc.ops.TrackBrightest(frame=frames, smooth=0.5, label=[7, 8])
    counts = sc.ops.CountBoxes(bboxes=boxes)
    box_streams = [sp.NamedStream(sc, f"boxes{i}") for i in range(2)]
    count_streams = [sp.NamedStream(sc, f"counts{i}") for i in range(2)]
    outputs = [sc.io.Output(boxes, box_streams), sc.io.Output(counts, count_streams)]
    sc.run(outputs, sp.PerfParams.manual(5, 10), show_progress=False)
    for boxed, counted in zip(box_streams, count_streams):
        tracks = [row[0].track_id for row in boxed.load()]
        print(tracks == list(range(1, len(tracks) + 1)), len(tracks), next(counted.load()))


if __name__ == "__main__":
    main()
