"""The demo itself: histograms → shots → a montage and an annotated video, and the optical flow of a sampled range.

Every step reads streams and stores streams, so that each can use what the one before it found.
"""

from __future__ import annotations

import pickle
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from scannerpy._demo import ops, report
from scannerpy._demo.rows import Shot, key_rows, middle, shots_between
from scannerpy.client import Client
from scannerpy.common import CacheMode
from scannerpy.config import Config
from scannerpy.errors import JobFailed
from scannerpy.sink import Sink
from scannerpy.storage import NamedStream, NamedVideoStream

__all__ = ["Demo", "ops", "run_demo"]

TILES, TILES_PER_ROW, TILE_WIDTH = 12, 4, 320
VIDEO_WIDTH = 640
LONGEST_VIDEO = 3000
"""Rows of the annotated video at most: a film of two hours should not make a demo of one."""
FLOW_ROWS, FLOW_STRIDE = 48, 2
"""The optical flow is computed on every second of 48 rows."""


def run_demo(video: Path, out: Path, console: Console) -> None:
    """Run everything on `video`; what is made lies in `out` afterwards. Raises ScannerException."""
    shutil.rmtree(out / "db", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    config = Config(config_path=str(out / "scanner.toml"), db_path=str(out / "db"))
    started = time.perf_counter()
    with Client(config=config) as client:
        demo = Demo(client, video, out, console)
        demo.find_shots()
        demo.make_montage()
        demo.make_video()
        demo.measure_motion()
        demo.report(time.perf_counter() - started)


class Demo:
    """One clip, and what has been found out about it so far."""

    def __init__(self, client: Client, video: Path, out: Path, console: Console) -> None:
        self.client, self.out, self.console = client, out, console
        self.clip = NamedVideoStream(client, "clip", path=str(video))
        self.rows = self.clip.len()
        self.about = client.bulk_fetch_video_metadata([client.table("clip")])[0]
        self.fps = self.about.time_base_denom / max(1, self.about.time_base_num)
        self.histograms = NamedStream(client, "histograms")
        self.labels = NamedStream(client, "labels")
        self.shots: list[Shot] = []
        self.speeds: list[dict[str, float]] = []
        self.runs: list[int] = []
        report.clip(console, video, self.about, self.rows)

    def find_shots(self) -> None:
        """Count colours in every frame; find the rows where the picture changes at once."""
        cl = self.client
        report.step(self.console, "Histograms of all frames", "decoded once, on all cores")
        histograms = cl.ops.Histogram(frame=cl.io.Input([self.clip]))
        self._run(cl.io.Output(histograms, [self.histograms]), explain=True)

        report.step(self.console, "Shot boundaries", "from the stored histograms: no frame is decoded again")
        found = NamedStream(cl, "shots")
        boundaries = cl.ops.ShotBoundaries(histograms=cl.io.Input([self.histograms]))
        self._run(cl.io.Output(boundaries, [found]))
        self.shots = shots_between(next(found.load(rows=[0])), self.rows)
        cl.new_table("labels", ["column"], [[pickle.dumps(label)] for label in self._labels()], force=True)

    def make_montage(self) -> None:
        """Decode a few rows from all over the clip, caption them, and lay them out in one picture."""
        cl = self.client
        rows = key_rows(self.shots, TILES)
        report.step(self.console, "Montage", f"rows {', '.join(map(str, rows))}, and only what they need is decoded")
        frame, text, histogram = (
            cl.streams.Gather(cl.io.Input([stream]), [rows]) for stream in (self.clip, self.labels, self.histograms)
        )
        tile = cl.ops.Resize(frame=frame, width=[TILE_WIDTH], interpolation=["INTER_AREA"])
        captioned = cl.ops.DemoCaption(frame=tile, text=text, histogram=histogram)
        montage = cl.ops.Montage(
            frame=captioned, num_frames=len(rows), target_width=TILE_WIDTH, frames_per_row=TILES_PER_ROW
        )
        finished = cl.streams.Gather(montage, [[len(rows) - 1]])
        picture = NamedStream(cl, "montage")
        self._run(cl.io.Output(cl.ops.ImageEncoder(frame=finished), [picture]), explain=True)
        (self.out / "montage.png").write_bytes(next(picture.load(fn=bytes)))

    def make_video(self) -> None:
        """Resize and caption the clip, and store the result as H.264."""
        cl = self.client
        end = min(self.rows, LONGEST_VIDEO)
        report.step(self.console, "Annotated video", f"rows 0 to {end - 1}: resize, caption, encode")
        frame, text, histogram = (
            cl.streams.Range(cl.io.Input([stream]), [(0, end)]) for stream in (self.clip, self.labels, self.histograms)
        )
        small = cl.ops.Resize(frame=frame, width=[VIDEO_WIDTH], height=[self._even_height(VIDEO_WIDTH)])
        captioned = cl.ops.DemoCaption(frame=small, text=text, histogram=histogram)
        annotated = NamedVideoStream(cl, "annotated")
        self._run(cl.io.Output(captioned.compress_video(quality=20), [annotated]))
        annotated.save_mp4(str(self.out / "annotated"), fps=self.fps)

    def measure_motion(self) -> None:
        """Compute the optical flow between sampled frames in the middle of the longest shot."""
        cl = self.client
        start, end = middle(self.shots, FLOW_ROWS)
        report.step(self.console, "Optical flow", f"every {FLOW_STRIDE}nd row from {start} to {end - 1}")
        sampled = cl.streams.StridedRange(cl.io.Input([self.clip]), [(start, end, FLOW_STRIDE)])
        small = cl.ops.Resize(frame=sampled, width=[VIDEO_WIDTH], height=[self._even_height(VIDEO_WIDTH)])
        flow = cl.ops.OpticalFlow(frame=small)
        speeds, drawn = NamedStream(cl, "speeds"), NamedVideoStream(cl, "flow")
        self._run(
            cl.io.Output(cl.ops.DemoSpeed(flow=flow), [speeds]),
            cl.io.Output(cl.ops.DrawFlow(frame=small, flow=flow), [drawn]),
        )
        self.speeds = list(speeds.load())
        drawn.save_mp4(str(self.out / "flow"), fps=self.fps / FLOW_STRIDE)

    def report(self, seconds: float) -> None:
        """Print what was found, and where to look."""
        trace = self.client.get_profile(self.runs[0]).write_trace(str(self.out / "histograms.trace"))
        start, end = middle(self.shots, FLOW_ROWS)
        report.results(self.console, self.shots, list(self.histograms.load()), self.fps)
        report.motion(self.console, start, end, FLOW_STRIDE, self.speeds)
        report.files(self.console, self.out, Path(trace), seconds)

    def _run(self, *sinks: Sink, explain: bool = False) -> None:
        if explain:
            self.console.print(str(self.client.explain(list(sinks))), highlight=False, markup=False)
        run = self.client.run(list(sinks), cache_mode=CacheMode.Overwrite)
        assert run is not None  # noqa: S101  # None only under CacheMode.Ignore
        self.runs.append(run)
        _raise_on_failure(self.client.job_status(run))

    def _labels(self) -> list[str]:
        of = len(self.shots)
        return [
            f"shot {shot.number}/{of}  ·  row {row}  ·  {row / self.fps:.2f} s"
            for shot in self.shots
            for row in range(shot.start, shot.end)
        ]

    def _even_height(self, width: int) -> int:
        """H.264 stores colours for blocks of two by two pixels."""
        return max(2, 2 * round(width * int(self.about.height) / int(self.about.width) / 2))


def _raise_on_failure(status: Any) -> None:
    failures: Sequence[Any] = status.failures
    if failures:
        raise JobFailed(f"the demo could not finish: {failures[0]}")
