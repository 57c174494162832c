"""Writes one chunk of frames, as H.264 or raw, depending on the column's compression and the first frame.

``default`` means H.264 for uint8 frames of three channels and raw for all others, ``video`` H.264, ``raw`` raw.

A column is one or the other from its first frame on: a later frame of the other kind is refused, here or, where it
begins another chunk, by `column.check_alike`. So how a column is stored does not depend on where its tasks are cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeGuard

import numpy as np

from scannerpy._store.chunk import ChunkRef
from scannerpy._store.chunk_writer import ChunkWriter, SpoolingChunkWriter
from scannerpy._store.objects import Objects
from scannerpy._video.encode import Encoder
from scannerpy._video.index import to_bytes
from scannerpy._video.pixels import Pixels
from scannerpy._video.raw import RawCoder, describe
from scannerpy._words.elements import NULL, Frame, NullElement
from scannerpy._words.encoding import EncoderOptions
from scannerpy.errors import VideoError


class FrameWriter:
    """Takes the frames of rows `start`, `start` + 1, … of a column and makes one chunk of them.

    Ends with `to` or `abort`. Frames are not kept (raw ones go to a file beside the store), nor changed.
    """

    def __init__(
        self,
        objects: Objects,
        codec: str = "default",
        options: Mapping[str, int] | None = None,
        *,
        start: int = 0,
    ) -> None:
        """`codec` is ``default``, ``video`` or ``raw``; `options` are `compress_video`'s. Raises VideoError."""
        self._objects = objects
        self._codec = codec
        self._options = _encoder_options(options or {})
        self._start = start
        self._rows = 0
        self._coder: _VideoCoder | _RawFile | None = None

    @property
    def rows(self) -> int:
        """How many rows were written."""
        return self._rows

    def write(self, frames: Iterable[Frame | NullElement]) -> None:
        """Add rows. Raises VideoError naming the row for a frame that cannot be stored this way."""
        for frame in frames:
            self._add(frame)
            self._rows += 1

    def to(self, path: str, *, create: bool = True) -> ChunkRef:
        """Store the chunk, durably. With `create`, one that is already there wins and is referred to."""
        coder = self._coder or self._begin(NULL)
        try:
            return coder.to(self._objects, path, create=create)
        finally:
            self.abort()

    def abort(self) -> None:
        """Forget what was written."""
        if self._coder is not None:
            self._coder.close()

    def _add(self, frame: Frame | NullElement) -> None:
        if self._coder is None:
            if isinstance(frame, NullElement):
                return  # made up for when the first frame tells the kind
            self._coder = self._begin(frame)
        self._coder.add(frame, self._start + self._rows)

    def _begin(self, frame: Frame | NullElement) -> _VideoCoder | _RawFile:
        coder = self._coder_for(frame)
        self._coder = coder
        for k in range(self._rows):
            coder.add(NULL, self._start + k)
        return coder

    def _coder_for(self, frame: Frame | NullElement) -> _VideoCoder | _RawFile:
        if self._codec == "raw" or isinstance(frame, NullElement) or (self._codec == "default" and not _is_rgb(frame)):
            return _RawFile(self._objects, self._start, like=None if self._codec == "raw" else frame)
        if not _is_rgb(frame):
            raise VideoError(
                f"row {self._start + self._rows} is {describe(frame)}: H.264 holds uint8 frames of 3 channels only; "
                "store this column with lossless() or the default compression"
            )
        return _VideoCoder(frame, self._options, self._start)


class _VideoCoder:
    """A chunk of kind ``video`` being made. Its section ``nulls`` is there only if there are any."""

    def __init__(self, first: Pixels, options: EncoderOptions, start: int) -> None:
        self._like = first.shape
        self._described = describe(first)
        self._first_row = start
        self._writer = ChunkWriter("video", start=start)
        height, width = first.shape[:2]
        self._encoder = Encoder(width, height, self._writer.add, options)
        self._nulls = bytearray()

    def add(self, frame: Frame | NullElement, row: int) -> None:
        self._nulls.append(isinstance(frame, NullElement))
        if isinstance(frame, NullElement):
            return
        if not _is_rgb(frame) or frame.shape != self._like:
            raise VideoError(
                f"row {row} is {describe(frame)}, but this column's H.264 video began as {self._described}: "
                "make all frames one size, or store the column with lossless()"
            )
        self._encoder.add(frame)

    def to(self, objects: Objects, path: str, *, create: bool) -> ChunkRef:
        index = self._encoder.finish()
        self._writer.section("index", to_bytes(index))
        self._writer.meta = {"codec": "h264", "width": self._encoder.width, "height": self._encoder.height}
        if any(self._nulls):
            self._writer.section("nulls", np.packbits(np.frombuffer(self._nulls, np.uint8)).tobytes())
        return self._writer.to(objects, path, create=create, rows=len(self._nulls))

    def close(self) -> None:
        """Nothing is held outside of memory."""


class _RawFile:
    """A chunk of kind ``raw`` being made, in a file: raw frames may be more than memory holds.

    After a frame `like` this, none may come that would have been stored as video if it had been the first.
    """

    def __init__(self, objects: Objects, start: int, *, like: Frame | NullElement | None) -> None:
        self._began = describe(like) if isinstance(like, np.ndarray) else None
        self._writer = SpoolingChunkWriter(objects, "raw", start=start)
        self._writer.__enter__()
        self._coder = RawCoder(self._writer)

    def add(self, frame: Frame | NullElement, row: int) -> None:
        if self._began and not isinstance(frame, NullElement) and _is_rgb(frame):
            raise VideoError(
                f"row {row} is {describe(frame)}, which the default compression stores as H.264, but this column began "
                f"as {self._began}, which it stores raw: make all frames alike, or store the column with lossless()"
            )
        self._coder.add(frame, row)

    def to(self, objects: Objects, path: str, *, create: bool) -> ChunkRef:
        self._coder.finish()
        return self._writer.to(objects, path, create=create)

    def close(self) -> None:
        self._writer.__exit__(None, None, None)


def _is_rgb(frame: Frame) -> TypeGuard[Pixels]:
    return frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3 and frame.size > 0


def _encoder_options(told: Mapping[str, int]) -> EncoderOptions:
    try:
        return EncoderOptions.of(told)
    except ValueError as error:
        raise VideoError(str(error)) from error
