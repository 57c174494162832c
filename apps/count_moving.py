"""Moving-object counter: how many things cross the picture of a camera that stands still.

    python apps/count_moving.py car-park.mp4

The background is the median of frames from all over the video. What differs from it is a blob; blobs are followed from
frame to frame, and one that lives long enough and moves far enough is counted. Finding blobs is done on all cores;
following them needs every earlier row, but reads only the stored boxes, no frame.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import scannerpy as sp
from scannerpy import protobufs
from scannerpy.types import BboxList


@sp.register_python_op(keeps_inputs=True)
class MovingBlobs(sp.Kernel):
    """Boxes, as fractions of the picture, around what differs from `background` by more than `threshold`."""

    def __init__(self, config, background: Any, threshold: int, least: float):
        super().__init__(config)
        self.background, self.threshold, self.least = background, threshold, least
        self.brightness = float(np.median(background))

    def execute(self, frame: sp.FrameType) -> BboxList:
        height, width = frame.shape[:2]
        exposure = self.brightness / max(1.0, float(np.median(frame)))  # cameras darken when something bright comes
        differs = cv2.absdiff(cv2.convertScaleAbs(frame, alpha=exposure), self.background).max(axis=2)
        mask = (cv2.GaussianBlur(differs, (5, 5), 0) > self.threshold).astype(np.uint8)
        reach = max(3, height // 20) | 1  # windows and bumpers of one car belong together
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
        _, _, found, _ = cv2.connectedComponentsWithStats(mask)
        return [
            protobufs.BoundingBox(x1=x / width, y1=y / height, x2=(x + w) / width, y2=(y + h) / height, score=1.0)
            for x, y, w, h, area in found[1:]
            if area >= self.least * width * height
        ]


@sp.register_python_op(unbounded_state=True)
class FollowBlobs(sp.Kernel):
    """Give each box a `track_id` that it keeps from row to row. A box continues the track it overlaps most."""

    def __init__(self, config, patience: int = 5):
        super().__init__(config)
        self.patience = patience

    def reset(self):
        self.row, self.tracks, self.next_id = 0, {}, 1  # track id → (its last box, the row it was seen at)

    def execute(self, bboxes: BboxList) -> BboxList:
        self.row += 1
        self.tracks = {i: track for i, track in self.tracks.items() if self.row - track[1] <= self.patience}
        pairs = [(overlap(box, track[0]), n, i) for n, box in enumerate(bboxes) for i, track in self.tracks.items()]
        taken: dict[int, int] = {}
        for share, n, i in sorted(pairs, reverse=True):
            if share > 0 and n not in taken and i not in taken.values():
                taken[n] = i
        for n, box in enumerate(bboxes):
            if n not in taken:
                taken[n], self.next_id = self.next_id, self.next_id + 1
            box.track_id = taken[n]
            self.tracks[box.track_id] = (box, self.row)
        return bboxes


@sp.register_python_op()
class DrawCounted(sp.Kernel):
    """Draw the boxes of counted tracks with their numbers, and how many have come so far."""

    def __init__(self, config, numbers: dict[int, int]):
        super().__init__(config)
        self.numbers = numbers

    def execute(self, frame: sp.FrameType, bboxes: BboxList, so_far: bytes) -> sp.FrameType:
        height, width = frame.shape[:2]
        thick = max(1, height // 200)
        for box in bboxes:
            if box.track_id in self.numbers:
                corner = (int(box.x1 * width), int(box.y1 * height))
                cv2.rectangle(frame, corner, (int(box.x2 * width), int(box.y2 * height)), (255, 176, 0), thick)
                write(frame, str(self.numbers[box.track_id]), (corner[0] + 2 * thick, corner[1] + height // 12))
        write(frame, f"{so_far.decode()} so far", (height // 30, height - height // 30))
        return frame


def overlap(a: Any, b: Any) -> float:
    """Return the area two boxes share, over that of the smaller one."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    smaller = min((box.x2 - box.x1) * (box.y2 - box.y1) for box in (a, b))
    return max(0.0, width) * max(0.0, height) / max(smaller, 1e-9)


def write(frame: Any, text: str, place: tuple[int, int]) -> None:
    """Write white on black."""
    size, thick = frame.shape[0] / 350, max(1, frame.shape[0] // 250)
    for colour, more in (((0, 0, 0), 2 * thick), ((255, 255, 255), 0)):
        cv2.putText(frame, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thick + more, cv2.LINE_AA)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument(
        "--out", type=Path, default=Path("out/count_moving"), help="folder for the video and the database"
    )
    parser.add_argument("--threshold", type=int, default=40, help="grey levels that count as a difference")
    parser.add_argument("--least", type=float, default=0.005, help="smallest object, as a share of the picture")
    parser.add_argument("--rows", type=int, default=8, help="rows an object must be seen in")
    parser.add_argument("--way", type=float, default=0.2, help="how far it must move, as a share of the picture's side")
    chosen = parser.parse_args(arguments)

    with sp.Client(config=sp.Config(db_path=str(chosen.out / "db"))) as cl:
        video = sp.NamedVideoStream(cl, chosen.video.stem, path=str(chosen.video))
        tracks = find_tracks(cl, video, chosen)
        counted = [track for track, seen in tracks.items() if len(seen) >= chosen.rows and way_of(seen) >= chosen.way]
        draw(cl, video, {track: n for n, track in enumerate(counted, 1)}, tracks, chosen)
    for number, track in enumerate(counted, 1):
        rows = [row for row, _, _ in tracks[track]]
        print(f"object {number:3}  rows {rows[0]:6} to {rows[-1]:6}  moved {way_of(tracks[track]):.0%} of the picture")
    print(f"{len(counted)} moving objects; see {chosen.out / chosen.video.stem}.mp4")


Track = list[tuple[int, float, float]]
"""The row and the centre of each box of one track."""


def find_tracks(cl: sp.Client, video: sp.NamedVideoStream, chosen: argparse.Namespace) -> dict[int, Track]:
    """Store the boxes of every row with their track's numbers; return the tracks in order of appearance."""
    samples = video.load(rows=[(2 * n + 1) * video.len() // 50 for n in range(25)])
    background = np.median(np.stack(list(samples)), axis=0).astype(np.uint8)
    background = cv2.cvtColor(background, cv2.COLOR_BGR2RGB)  # loaded frames are BGR, ops see RGB
    boxes = sp.NamedStream(cl, f"{video.name()}/boxes")
    followed = sp.NamedStream(cl, f"{video.name()}/followed")
    blobs = cl.ops.MovingBlobs(
        frame=cl.io.Input([video]), background=background, threshold=chosen.threshold, least=chosen.least
    )
    run(cl, cl.io.Output(blobs, [boxes]))
    run(cl, cl.io.Output(cl.ops.FollowBlobs(bboxes=cl.io.Input([boxes])), [followed]))
    tracks: dict[int, Track] = {}
    for row, found in enumerate(followed.load()):
        for box in found:
            tracks.setdefault(box.track_id, []).append((row, (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2))
    return tracks


def way_of(track: Track) -> float:
    """Return how far apart the farthest two places of a track are, along the longer axis."""
    _, xs, ys = zip(*track, strict=True)
    return max(max(xs) - min(xs), max(ys) - min(ys))


def draw(
    cl: sp.Client,
    video: sp.NamedVideoStream,
    numbers: dict[int, int],
    tracks: dict[int, Track],
    chosen: argparse.Namespace,
) -> None:
    """Write the video with the counted objects marked."""
    begins = [tracks[track][0][0] for track in numbers]
    counts = [[str(sum(begin <= row for begin in begins)).encode()] for row in range(video.len())]
    cl.new_table(f"{video.name()}/counts", ["column"], counts, force=True)
    drawn = cl.ops.DrawCounted(
        frame=cl.io.Input([video]),
        bboxes=cl.io.Input([sp.NamedStream(cl, f"{video.name()}/followed")]),
        so_far=cl.io.Input([sp.NamedStream(cl, f"{video.name()}/counts")]),
        numbers=numbers,
    )
    marked = sp.NamedVideoStream(cl, f"{video.name()}/marked")
    run(cl, cl.io.Output(drawn.compress_video(quality=23), [marked]))
    marked.save_mp4(str(chosen.out / chosen.video.stem))


def run(cl: sp.Client, output: Any) -> None:
    """Run, and stop the program where the video could not be computed."""
    job = cl.run(output, cache_mode=sp.CacheMode.Overwrite)
    failures = cl.job_status(job).failures
    if failures:
        raise SystemExit(str(failures))


if __name__ == "__main__":
    main()
