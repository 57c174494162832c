"""Daft, with its own `read_video_frames`. See `peers.by_tables`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import daft
import kernels
from workloads import Workload

import clips
from peers.by_tables import to_array


@contextmanager
def prepare(workload: Workload, out: Path) -> Iterator[Callable[[], None]]:
    """See `peers`."""
    yield from prepared(workload, out, frames)


def prepared(
    workload: Workload, out: Path, frames: Callable[[Workload, Any], daft.DataFrame]
) -> Iterator[Callable[[], None]]:
    """Yield the work, warmed up; convert its result afterwards."""
    table = out.with_suffix(".parquet")
    frames(workload, [clips.WARM]).write_parquet(str(out.with_suffix(".warm")))
    yield lambda: frames(workload, workload.clips).write_parquet(str(table)) and None
    to_array(table, workload, out)


def frames(workload: Workload, of: Any) -> daft.DataFrame:
    """Return a frame's path, number and result, row by row."""
    kernel = kernels.KERNELS[workload.work]

    @daft.func.batch(return_dtype=daft.DataType.binary())
    def compute(frames: daft.Series) -> list[bytes]:
        return [kernel(frame).tobytes() for frame in frames.to_pylist()]

    paths = [str(clip.path) for clip in of]
    read = daft.read_video_frames(paths, image_height=of[0].height, image_width=of[0].width)
    return read.select("path", "frame_index", compute(daft.col("data")).alias("result"))
