"""imageio-ffmpeg: the `ffmpeg` program behind a pipe. W9 needs no pipe: it is ffmpeg's own command line."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import imageio_ffmpeg
import kernels
import numpy as np
from workloads import Workload

import clips
from clips import Clip
from peers.by_arrays import prepared


@contextmanager
def prepare(workload: Workload, out: Path) -> Iterator[Callable[[], None]]:
    """See `peers`."""
    if workload.work == "encode":
        encode(clips.WARM, out)
        yield lambda: encode(workload.clips[0], out)
        return
    with prepared(workload, out, frames) as work:
        yield work


def frames(clip: Clip, rows: Sequence[int] | None) -> Iterator[np.ndarray]:
    """Yield RGB frames; ffmpeg's filter `select` chooses, so that only what is wanted goes through the pipe."""
    chosen = [] if rows is None else ["-vf", f"select={_chosen(rows)}", "-fps_mode", "passthrough"]
    reader = imageio_ffmpeg.read_frames(str(clip.path), pix_fmt="rgb24", output_params=chosen)
    width, height = next(reader)["size"]
    for frame in reader:
        yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)


def encode(clip: Clip, out: Path) -> None:
    """W9: with the settings our encoder has, and the filter our Resize has."""
    width, height = kernels.ENCODED
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-i", str(clip.path)]
    command += ["-vf", f"scale={width}:{height}:flags=bilinear", "-c:v", "libx264", "-an"]
    settings = [part for name, value in kernels.X264.items() for part in (f"-{name}", value)]
    subprocess.run([*command, *settings, str(out)], check=True)


def _chosen(rows: Sequence[int]) -> str:
    """Return rows as an expression of ffmpeg's: a sum of ranges, or a stride."""
    steps = {after - before for before, after in pairwise(rows)}
    if len(steps) == 1:
        return f"'not(mod(n-{rows[0]},{steps.pop()}))'"
    ranges: list[list[int]] = []
    for row in rows:
        if ranges and row == ranges[-1][1] + 1:
            ranges[-1][1] = row
        else:
            ranges.append([row, row])
    return "'" + "+".join(f"between(n,{first},{last})" for first, last in ranges) + "'"
