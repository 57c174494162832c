"""What the libraries that hand out frames as arrays have in common: kernels beside decoding, and a pool for many clips.

The kernel runs in a thread of its own while the library decodes on: both release the interpreter lock. Many short
clips go to a pool of processes, one per core, started and warm before the clock runs.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import cv2
import kernels
import numpy as np
from by_hand import store
from workloads import Workload

import clips
from clips import Clip

Frames = Callable[[Clip, "Sequence[int] | None"], Iterable[np.ndarray]]
AHEAD = 8


@contextmanager
def prepared(workload: Workload, out: Path, frames: Frames, order: str = "rgb") -> Iterator[Callable[[], None]]:
    """Return the work, given how the library yields the frames of a clip, and the `order` of its channels."""
    computed(workload, clips.WARM, frames, order)
    if len(workload.clips) == 1:
        yield lambda: _save(workload, out, [computed(workload, workload.clips[0], frames, order)])
        return
    with multiprocessing.get_context("spawn").Pool(os.cpu_count(), _one_thread_each) as pool:
        arguments = [(workload, clip, frames, order) for clip in workload.clips]
        pool.starmap(computed, [(workload, clips.WARM, frames, order)] * 4, 1)
        yield lambda: _save(workload, out, pool.starmap(computed, arguments, 1))


def computed(workload: Workload, clip: Clip, frames: Frames, order: str) -> np.ndarray | None:
    """Return the results of one clip, channels in RGB order."""
    wanted = frames(clip, None if workload.rows is None else [row for row in workload.rows if row < clip.frames])
    if workload.work == "flow":
        return _flows(wanted, order)
    results = list(_beside(kernels.KERNELS[workload.work], wanted))
    if workload.work == "touch":
        return None
    array = np.stack(results)
    if order == "bgr":
        return array[:, ::-1] if workload.work == "histogram" else array[..., ::-1]
    return array


def _beside(kernel: kernels.Kernel, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray | None]:
    if kernel is kernels.touch:
        yield from map(kernel, frames)
        return
    running: deque[Future] = deque()
    with ThreadPoolExecutor(1) as pool:
        for frame in frames:
            running.append(pool.submit(kernel, frame))
            if len(running) > AHEAD:
                yield running.popleft().result()
        yield from (future.result() for future in running)


def _flows(frames: Iterable[np.ndarray], order: str) -> np.ndarray:
    """A plain loop: this is what W7 is measured against."""
    grey = cv2.COLOR_BGR2GRAY if order == "bgr" else cv2.COLOR_RGB2GRAY
    flows = [kernels.flow(*pair) for pair in pairwise(cv2.cvtColor(frame, grey) for frame in frames)]
    return np.stack([*flows, np.zeros(2, np.float32)])


def _one_thread_each() -> None:
    cv2.setNumThreads(1)


def _save(workload: Workload, out: Path, parts: Sequence[np.ndarray | None]) -> None:
    if workload.work != "touch":
        store(out, np.concatenate(parts))
