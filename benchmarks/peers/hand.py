"""The roof, `by_hand.py`: PyAV again, but with one decoder a core, each on its own groups of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import by_hand
import kernels
from workloads import Workload

import clips


@contextmanager
def prepare(workload: Workload, out: Path) -> Iterator[Callable[[], None]]:
    """See `peers`."""
    kernel = kernels.KERNELS[workload.work]
    by_hand.run([clips.WARM.path], None, kernel, None)
    paths = [clip.path for clip in workload.clips]
    kept = None if workload.work == "touch" else out
    yield lambda: by_hand.run(paths, workload.rows, kernel, kept)
