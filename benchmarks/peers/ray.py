"""Ray Data, with its own `read_videos`. The cluster runs before the clock does. See `peers.by_tables`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kernels
import ray
from workloads import Workload

import clips
from peers.by_tables import to_array


@contextmanager
def prepare(workload: Workload, out: Path) -> Iterator[Callable[[], None]]:
    """See `peers`."""
    yield from prepared(workload, out, frames)


def prepared(workload: Workload, out: Path, frames: Callable[[Workload, Any], Any]) -> Iterator[Callable[[], None]]:
    """Yield the work, with a cluster that is up and warm; convert its result afterwards."""
    ray.init(num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        table = out.with_suffix(".parquet")
        frames(workload, [clips.WARM]).write_parquet(str(out.with_suffix(".warm")))
        yield lambda: frames(workload, workload.clips).write_parquet(str(table))
        to_array(table, workload, out)
    finally:
        ray.shutdown()


def frames(workload: Workload, of: Any) -> Any:
    """Return a frame's path, number and result, row by row."""
    kernel = kernels.KERNELS[workload.work]

    def compute(batch: dict[str, Any]) -> dict[str, Any]:
        results = [kernel(frame).tobytes() for frame in batch["frame"]]
        return {"path": batch["path"], "frame_index": batch["frame_index"], "result": results}

    read = ray.data.read_videos([str(clip.path) for clip in of], include_paths=True)
    return read.map_batches(compute, batch_size=None)
