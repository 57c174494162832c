"""Frames as chunks of a column, written as a task writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scannerpy._store.chunk import ChunkRef
from scannerpy._store.objects import Objects
from scannerpy._video.write import FrameWriter
from scannerpy._words.elements import Frame, NullElement


def write_frames(
    objects: Objects,
    path: str,
    frames: Iterable[Frame | NullElement],
    codec: str = "default",
    options: Mapping[str, int] | None = None,
    *,
    start: int = 0,
) -> ChunkRef:
    """Store `frames` as one chunk."""
    writer = FrameWriter(objects, codec, options, start=start)
    try:
        writer.write(frames)
        return writer.to(path)
    finally:
        writer.abort()
