"""The demo itself: histograms → shots → a montage and an annotated video, and the optical flow of a sampled range.

All clips go through together: a graph is written once, and every list in it has one entry per clip. Every step reads
streams and stores streams, so that each can use what the one before it found.
"""

from __future__ import annotations

import pickle
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from scannerpy._demo import ops, report
from scannerpy._demo.clip import frame_rate
from scannerpy._demo.rows import Shot, key_rows, middle, shots_between
from scannerpy.client import Client
from scannerpy.common import CacheMode
from scannerpy.config import Config
from scannerpy.errors import JobFailed
from scannerpy.op import OpColumn
from scannerpy.sink import Sink
from scannerpy.storage import NamedStream, NamedVideoStream

__all__ = ["Clip", "Demo", "ops", "run_demo"]

TILES, TILES_PER_ROW, TILE_WIDTH = 12, 4, 320
VIDEO_WIDTH = 640
LONGEST_VIDEO = 3000
"""Rows of the annotated video at most: a film of two hours should not make a demo of one."""
FLOW_ROWS, FLOW_STRIDE, FLOW_WIDTH = 48, 2, 480
"""The optical flow is computed on every second of 48 rows, at a smaller size: it takes longest of all."""


def run_demo(videos: Sequence[Path], out: Path, console: Console) -> None:
    """Run everything on `videos`; what is made lies in `out` afterwards. Raises ScannerException."""
    shutil.rmtree(out / "db", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    config = Config(config_path=str(out / "scanner.toml"), db_path=str(out / "db"))
    started = time.perf_counter()
    with Client(config=config) as client:
        demo = Demo(client, [Clip(client, video) for video in videos], out, console)
        demo.count_colours()
        demo.find_shots()
        demo.make_montages()
        demo.make_videos()
        demo.measure_motion()
        demo.tell(time.perf_counter() - started)


class Clip:
    """One video, the names of its streams, and what has been found out about it so far."""

    def __init__(self, client: Client, video: Path) -> None:
        self.client, self.name = client, video.stem
        self.film = NamedVideoStream(client, self.name, path=str(video))
        self.rows = self.film.len()
        self.about = client.bulk_fetch_video_metadata([client.table(self.name)])[0]
        self.fps = frame_rate(video)
        self.shots: list[Shot] = []

    def stream(self, what: str) -> NamedStream:
        """Return the stream of this clip that holds `what`."""
        return NamedStream(self.client, f"{self.name}/{what}")

    def video_stream(self, what: str) -> NamedVideoStream:
        """Return the stream of frames of this clip that holds `what`."""
        return NamedVideoStream(self.client, f"{self.name}/{what}")

    @property
    def key_rows(self) -> list[int]:
        """The rows of the montage."""
        return key_rows(self.shots, TILES)

    def height_at(self, width: int) -> int:
        """The height that goes with a width; even, as H.264 stores colours for blocks of two by two pixels."""
        return max(2, 2 * round(width * int(self.about.height) / int(self.about.width) / 2))

    def labels(self) -> list[str]:
        """Return a caption for every row."""
        return [
            f"shot {shot.number}/{len(self.shots)}  ·  row {row}  ·  {row / self.fps:.2f} s"
            for shot in self.shots
            for row in range(shot.start, shot.end)
        ]


class Demo:
    """The steps, in order."""

    def __init__(self, client: Client, clips: Sequence[Clip], out: Path, console: Console) -> None:
        self.client, self.clips, self.out, self.console = client, clips, out, console
        self.runs: list[tuple[str, int]] = []
        self.title = ""
        for clip in clips:
            report.clip(console, clip.name, clip.about, clip.rows, clip.fps)

    def count_colours(self) -> None:
        """Store a histogram of every frame."""
        cl = self.client
        self._step("Histograms", "of every frame of every clip, on all cores")
        histograms = cl.ops.Histogram(frame=self._films())
        self._run(self._output(histograms, "histograms"), explain=True)

    def find_shots(self) -> None:
        """Find the rows where the picture changes at once; store a caption for every row."""
        cl = self.client
        self._step("Shot boundaries", "from the stored histograms: no frame is decoded again")
        boundaries = cl.ops.ShotBoundaries(histograms=self._input("histograms"))
        self._run(self._output(boundaries, "boundaries"))
        for clip in self.clips:
            clip.shots = shots_between(next(clip.stream("boundaries").load(rows=[0])), clip.rows)
            captions = [[pickle.dumps(label)] for label in clip.labels()]
            cl.new_table(clip.stream("captions").name(), ["column"], captions, force=True)

    def make_montages(self) -> None:
        """Decode a few rows from all over each clip, caption them, and lay them out in one picture."""
        cl = self.client
        self._step("Montage", "a few rows from all shots; only what they need is decoded")
        rows = [clip.key_rows for clip in self.clips]
        frame, text, histogram = self._sampled(lambda column: cl.streams.Gather(column, rows))
        tile = cl.ops.Resize(frame=frame, width=self._each(TILE_WIDTH), interpolation=self._each("INTER_AREA"))
        captioned = cl.ops.DemoCaption(frame=tile, text=text, histogram=histogram)
        montage = cl.ops.Montage(
            frame=captioned, num_frames=TILES, target_width=TILE_WIDTH, frames_per_row=TILES_PER_ROW
        )
        finished = cl.streams.Gather(montage, [[len(each) - 1] for each in rows])
        self._run(self._output(cl.ops.ImageEncoder(frame=finished), "montage"), explain=True)
        for clip in self.clips:
            self._path(clip, "montage.png").write_bytes(next(clip.stream("montage").load(fn=bytes)))

    def make_videos(self) -> None:
        """Resize and caption the clips, and store the results as H.264."""
        cl = self.client
        self._step("Annotated video", "resize, caption, encode")
        ranges = [(0, min(clip.rows, LONGEST_VIDEO)) for clip in self.clips]
        frame, text, histogram = self._sampled(lambda column: cl.streams.Range(column, ranges))
        small = self._resized(frame, VIDEO_WIDTH)
        captioned = cl.ops.DemoCaption(frame=small, text=text, histogram=histogram)
        self._run(self._video_output(captioned.compress_video(quality=20), "annotated"))
        for clip in self.clips:
            clip.video_stream("annotated").save_mp4(str(self._path(clip, "annotated")), fps=clip.fps)

    def measure_motion(self) -> None:
        """Compute the optical flow between sampled frames in the middle of the longest shot."""
        cl = self.client
        self._step("Optical flow", f"every {FLOW_STRIDE}nd of {FLOW_ROWS} rows of the longest shot")
        ranges = [(*middle(clip.shots, FLOW_ROWS), FLOW_STRIDE) for clip in self.clips]
        frame = self._resized(cl.streams.StridedRange(self._films(), ranges), FLOW_WIDTH)
        flow = cl.ops.OpticalFlow(frame=frame)
        drawn = cl.ops.DrawFlow(frame=frame, flow=flow)
        self._run(self._output(cl.ops.DemoSpeed(flow=flow), "speeds"), self._video_output(drawn, "flow"))
        for clip in self.clips:
            clip.video_stream("flow").save_mp4(str(self._path(clip, "flow")), fps=clip.fps / FLOW_STRIDE)

    def tell(self, seconds: float) -> None:
        """Print what was found, and where to look."""
        trace = self.client.get_profile(self.runs[0][1]).write_trace(str(self.out / "histograms.trace"))
        for clip in self.clips:
            report.shots(self.console, clip.name, clip.shots, list(clip.stream("histograms").load()), clip.fps)
        for clip in self.clips:
            start, _ = middle(clip.shots, FLOW_ROWS)
            report.motion(self.console, clip.name, start, FLOW_STRIDE, list(clip.stream("speeds").load()))
        pictures = [self._path(clip, "montage.png") for clip in self.clips]
        videos = [self._path(clip, f"{what}.mp4") for clip in self.clips for what in ("annotated", "flow")]
        report.bottlenecks(
            self.console, [(title, self.client.get_profile(run).bottleneck()) for title, run in self.runs]
        )
        report.files(self.console, pictures, videos, Path(trace), self.out / "db")
        self.console.print(f"\nAll of it took {seconds:.1f} s.\n", highlight=False)

    # A graph is written once for all clips: one entry of each list per clip.

    def _films(self) -> OpColumn:
        return self.client.io.Input([clip.film for clip in self.clips])

    def _input(self, what: str) -> OpColumn:
        return self.client.io.Input([clip.stream(what) for clip in self.clips])

    def _sampled(self, sample: Callable[[OpColumn], OpColumn]) -> tuple[OpColumn, OpColumn, OpColumn]:
        return sample(self._films()), sample(self._input("captions")), sample(self._input("histograms"))

    def _resized(self, frame: OpColumn, width: int) -> OpColumn:
        heights = [clip.height_at(width) for clip in self.clips]
        small: OpColumn = self.client.ops.Resize(frame=frame, width=self._each(width), height=heights)
        return small

    def _each(self, value: Any) -> list[Any]:
        return [value] * len(self.clips)

    def _output(self, column: OpColumn, what: str) -> Sink:
        return self.client.io.Output(column, [clip.stream(what) for clip in self.clips])

    def _video_output(self, column: OpColumn, what: str) -> Sink:
        return self.client.io.Output(column, [clip.video_stream(what) for clip in self.clips])

    def _step(self, title: str, detail: str) -> None:
        self.title = title
        report.step(self.console, title, detail)

    def _path(self, clip: Clip, name: str) -> Path:
        return self.out / f"{clip.name}-{name}"

    def _run(self, *sinks: Sink, explain: bool = False) -> None:
        if explain:
            report.plan(self.console, self.client.explain(list(sinks)))
        started = time.perf_counter()
        run = self.client.run(list(sinks), cache_mode=CacheMode.Overwrite)
        assert run is not None  # noqa: S101  # None only under CacheMode.Ignore
        self.runs.append((self.title, run))
        failures = self.client.job_status(run).failures
        if failures:
            raise JobFailed(f"the demo could not finish: {failures[0]}")
        report.done(self.console, time.perf_counter() - started)
