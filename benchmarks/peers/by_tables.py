"""What the dataflow engines have in common: a result is a Parquet table, put in order after the clock has stopped.

Both are measured twice: with the video reader they come with, and with PyAV called in a function of ours
(`whole_clip`), where frames never become rows of theirs. People resort to the second; it is mostly PyAV's speed.
"""

from __future__ import annotations

from pathlib import Path

import av
import kernels
import numpy as np
import pyarrow.parquet
from workloads import Workload

SHAPES = {"histogram": (np.int32, (3, 16)), "resize": (np.uint8, (kernels.SIDE, kernels.SIDE, 3))}


def whole_clip(path: str, work: str) -> list[np.ndarray]:
    """Return the results of all frames of one clip."""
    kernel = kernels.KERNELS[work]
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return [kernel(frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)]


def to_array(table: Path, workload: Workload, out: Path) -> None:
    """Write the table's results, by clip and frame, as the array the other peers write."""
    dtype, shape = SHAPES[workload.work]
    columns = pyarrow.parquet.read_table(table, columns=["path", "frame_index", "result"])
    paths, frames = columns["path"].to_pylist(), columns["frame_index"].to_pylist()
    order = sorted(range(len(paths)), key=lambda k: (paths[k], frames[k]))
    array = np.frombuffer(b"".join(columns["result"].to_pylist()), dtype).reshape(-1, *shape)
    np.save(out, array[order])
