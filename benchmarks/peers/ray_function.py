"""Ray Data, with PyAV in a function. See `peers.by_tables`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from workloads import Workload

from peers import by_tables
from peers.ray import prepared


@contextmanager
def prepare(workload: Workload, out: Path) -> Iterator[Callable[[], None]]:
    """See `peers`."""
    yield from prepared(workload, out, frames)


def frames(workload: Workload, of: Any) -> Any:
    """Return a frame's path, number and result, row by row; a clip is one call."""

    def compute(row: dict[str, Any]) -> list[dict[str, Any]]:
        results = by_tables.whole_clip(row["path"], workload.work)
        return [{**row, "frame_index": k, "result": result.tobytes()} for k, result in enumerate(results)]

    paths = [{"path": str(clip.path)} for clip in of]
    return ray.data.from_items(paths, override_num_blocks=len(paths)).flat_map(compute)
