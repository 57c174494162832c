"""No peer, but what decoding alone takes: one-thread decoders on groups of pictures, no pixels converted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import by_hand
from workloads import Workload

import clips


@contextmanager
def prepare(workload: Workload, out: Path) -> Iterator[Callable[[], None]]:
    """See `peers`; there is no result."""
    del out
    by_hand.decode_only([clips.WARM.path], None)
    paths = [clip.path for clip in workload.clips]
    yield lambda: by_hand.decode_only(paths, workload.rows)
