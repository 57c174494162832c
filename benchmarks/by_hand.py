"""The roof: what a careful programmer writes for exactly one task, with PyAV and threads and no engine around it.

The videos are cut at their keyframes; each thread has a one-thread decoder and takes the longest span that is left.
Frames become RGB with one swscale thread. PyAV and OpenCV release the interpreter lock, so threads suffice. Packets
nobody needs are decoded all the same: leaving them out takes a reader for every codec's headers.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from kernels import Kernel


@dataclass(frozen=True)
class Span:
    """The wanted times of one group of pictures, sorted. `number` is the video's."""

    number: int
    path: Path
    start: int
    wanted: tuple[int, ...]


Results = dict[tuple[int, int], "np.ndarray | None"]


def run(paths: Sequence[Path], rows: Sequence[int] | None, kernel: Kernel, out: Path | None) -> None:
    """Call `kernel` on the wanted rows of every video, and store the results as one array."""
    results: Results = {}

    def work(span: Span) -> None:
        for pts, frame in frames(span):
            results[span.number, pts] = kernel(frame)

    in_threads(work, spans(paths, rows))
    if out is not None:
        store(out, [results[key] for key in sorted(results)])


def decode_only(paths: Sequence[Path], rows: Sequence[int] | None) -> None:
    """The limit: decode the same spans and convert nothing."""

    def work(span: Span) -> None:
        for _ in decoded(span):
            pass

    in_threads(work, spans(paths, rows))


def spans(paths: Sequence[Path], rows: Sequence[int] | None) -> list[Span]:
    """Return the groups of pictures (closed ones, in these clips) in which rows are wanted."""
    return [span for number, path in enumerate(paths) for span in _spans(number, path, rows)]


def _spans(number: int, path: Path, rows: Sequence[int] | None) -> Iterator[Span]:
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(container.streams.video[0]) if p.pts is not None]
    times = np.array(sorted(p.pts for p in packets))
    wanted = times if rows is None else times[list(rows)]
    keys = sorted(p.pts for p in packets if p.is_keyframe)
    for start, end in zip(keys, [*keys[1:], 1 << 62], strict=True):
        inside = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, end)]
        if len(inside):
            yield Span(number, path, start, tuple(inside.tolist()))


def in_threads(work: Callable[[Span], None], spans: Sequence[Span]) -> None:
    """Do all spans, the longest first, with one thread per core."""
    left: queue.SimpleQueue[Span] = queue.SimpleQueue()
    for span in sorted(spans, key=lambda span: span.start - span.wanted[-1]):
        left.put(span)

    def drain() -> None:
        while True:
            try:
                span = left.get_nowait()
            except queue.Empty:
                return
            work(span)

    threads = [threading.Thread(target=drain) for _ in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def decoded(span: Span) -> Iterator[av.VideoFrame]:
    """Yield the frames of a span up to the last wanted one."""
    with av.open(str(span.path)) as container:
        stream = container.streams.video[0]
        stream.thread_count, stream.thread_type = 1, "NONE"
        container.seek(span.start, stream=stream, backward=True)
        for frame in container.decode(stream):
            if frame.pts >= span.start:
                yield frame
            if frame.pts >= span.wanted[-1]:
                return


def frames(span: Span) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (time, RGB array) of the wanted frames of a span."""
    converter = av.video.reformatter.VideoReformatter()
    wanted = set(span.wanted)
    for frame in decoded(span):
        if frame.pts in wanted:
            yield frame.pts, converter.reformat(frame, format="rgb24", threads=1).to_ndarray()


def store(out: Path, results: Sequence[np.ndarray]) -> None:
    """Write one array, durably."""
    with out.open("wb") as file:
        np.save(file, np.stack(results))
        file.flush()
        os.fsync(file.fileno())
