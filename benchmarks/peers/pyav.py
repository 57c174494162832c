"""PyAV by hand, with FFmpeg's own threads (`thread_type = "AUTO"`): what its documentation advises for speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
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
    """Yield RGB frames; seek where the next row lies beyond the next keyframe."""
    with av.open(str(clip.path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        if rows is None:
            yield from (frame.to_ndarray(format="rgb24") for frame in container.decode(stream))
            return
        step = int(1 / (stream.average_rate * stream.time_base))
        wanted, at = list(rows)[::-1], 0
        while wanted:
            if wanted[-1] - at > clips.GOP:
                container.seek(wanted[-1] * step, stream=stream)
            for frame in container.decode(stream):
                at = (frame.pts - stream.start_time) // step
                if wanted and at == wanted[-1]:
                    wanted.pop()
                    yield frame.to_ndarray(format="rgb24")
                if not wanted or wanted[-1] - at > clips.GOP:
                    break


def encode(clip: Clip, out: Path) -> None:
    """W9: with the settings our encoder has."""
    width, height = kernels.ENCODED
    with av.open(str(out), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = width, height, "yuv420p", Fraction(1, 25)
        stream.options = dict(kernels.X264)
        for frame in frames(clip, None):
            small = cv2.resize(frame, (width, height))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(small, format="rgb24")))
        container.mux(stream.encode(None))
