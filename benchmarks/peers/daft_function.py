"""Daft, with PyAV in a function. See `peers.by_tables`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import daft
from workloads import Workload

from peers import by_tables
from peers.daft import prepared


@contextmanager
def prepare(workload: Workload, out: Path) -> Iterator[Callable[[], None]]:
    """See `peers`."""
    yield from prepared(workload, out, frames)


def frames(workload: Workload, of: Any) -> daft.DataFrame:
    """Return a frame's path, number and result, row by row; a clip is one call."""
    frame = daft.DataType.struct({"frame_index": daft.DataType.int64(), "result": daft.DataType.binary()})

    @daft.func(return_dtype=daft.DataType.list(frame))
    def compute(path: str) -> list[dict[str, Any]]:
        results = by_tables.whole_clip(path, workload.work)
        return [{"frame_index": k, "result": result.tobytes()} for k, result in enumerate(results)]

    clips = daft.from_pydict({"path": [str(clip.path) for clip in of]}).into_batches(1)
    each = clips.select("path", compute(daft.col("path")).alias("frame")).explode("frame")
    return each.select("path", daft.col("frame")["frame_index"], daft.col("frame")["result"])
