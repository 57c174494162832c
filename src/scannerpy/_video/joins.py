"""Verifies a file that was joined from copied and encoded packets, by decoding it as a player would.

All packets are counted, and around every join frames are decoded as a player would, from the keyframe before it to a
few frames after it. Copied frames must be equal to the stored ones to the last bit, encoded ones close.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from scannerpy._plan.cut import Copy
from scannerpy._plan.decode import row_of_packet
from scannerpy._video.column import VideoChunk
from scannerpy._video.decode import Decoder
from scannerpy._video.pixels import Converter, Pixels
from scannerpy._video.remux import Timeline
from scannerpy._words.video import START

AFTER = 8
"""Frames looked at behind a join."""
CLOSE = 28.0
"""The PSNR in dB below which an encoded frame is not the picture it should be."""


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Frames [start, end) of a chunk, which are the file's from `at` on. `enter` is the last that can be sought."""

    chunk: VideoChunk
    start: int
    end: int
    at: int
    enter: int
    exact: bool


@dataclass(slots=True)
class Expected:
    """What a file is to show, piece by piece."""

    timeline: Timeline
    _pieces: list[_Piece] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """How many so far."""
        last = self._pieces[-1] if self._pieces else None
        return last.at + last.end - last.start if last else 0

    def copied(self, chunk: VideoChunk, block: Copy) -> None:
        """The frames of copied packets come next."""
        keys = np.flatnonzero(chunk.index.flags[block.first : block.stop] & START) + block.first
        last = int(row_of_packet(chunk.index)[keys].max())
        enter = self.frames + last - block.start
        self._pieces.append(_Piece(chunk, block.start, block.end, self.frames, enter, exact=True))

    def encoded(self, chunk: VideoChunk, start: int, end: int) -> None:
        """Frames [start, end) of a chunk come next, encoded."""
        enter = self._pieces[-1].enter if self._pieces and not self._pieces[-1].exact else self.frames
        self._pieces.append(_Piece(chunk, start, end, self.frames, enter, exact=False))

    def difference(self, file: Path) -> str:
        """Say how the file differs from it, as far as it is looked at; nothing where it does not."""
        with av.open(str(file)) as container:
            packets = [packet.pts for packet in container.demux(video=0) if packet.size and not packet.is_discard]
            base = container.streams.video[0].time_base or Fraction(1)
        scale = self.timeline.base / base
        times: list[int] = (self.timeline.pts * scale.numerator).tolist()
        if scale.denominator != 1 or sorted(packets) != times:  # type: ignore[type-var]  # an mp4's packets have times
            return "the joined packets do not have the times they were given"
        return next((why for first, last in self._windows() if (why := self._window(file, times, first, last))), "")

    def _windows(self) -> Iterator[tuple[int, int]]:
        """[first, last) of the frames around joins, from a keyframe on, without overlaps."""
        first, last = 0, 0 if self._pieces[0].exact else self._pieces[0].end - self._pieces[0].start
        for before, piece in itertools.pairwise(self._pieces):
            if before.enter > last:
                yield first, last
                first = before.enter
            last = min(piece.at + AFTER, self.frames) if piece.exact else piece.at + piece.end - piece.start
        yield first, last

    def _window(self, file: Path, times: list[int], first: int, last: int) -> str:
        played = _played(file, times[first])
        for number, (expected, exact) in enumerate(self._expected(first, last), first):
            frame = next(played, None)
            if frame is None or frame[0] != times[number]:
                return f"frame {number} of the joined packets is not shown when it should be"
            if exact and not np.array_equal(frame[1], expected):
                return f"frame {number} of the joined packets is shown otherwise than it is stored"
            if not exact and _psnr(frame[1], expected) < CLOSE:
                return f"frame {number} cannot be encoded closely enough to stand beside the stored ones"
        return ""

    def _expected(self, first: int, last: int) -> Iterator[tuple[Pixels, bool]]:
        converter = Converter()
        for piece in self._pieces:
            begin, end = max(first, piece.at), min(last, piece.at + piece.end - piece.start)
            if begin < end:
                shift = piece.start - piece.at
                decoder = Decoder(piece.chunk.index, piece.chunk.read_packets)
                for _, frame in decoder.pictures(range(begin + shift, end + shift)):
                    yield converter.convert(frame), piece.exact


def _played(file: Path, start: int) -> Iterator[tuple[Any, Pixels]]:
    """(time, pixels) of what a player shows after seeking to `start`."""
    converter = Converter()
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        if start:
            container.seek(start, stream=stream)
        try:
            for frame in container.decode(stream):
                if frame.pts is None or frame.pts >= start:
                    yield frame.pts, converter.convert(frame)
        except av.error.FFmpegError:
            return


def _psnr(one: Pixels, other: Pixels) -> float:
    error = float(np.square(one.astype(np.int32) - other).mean())
    return 10 * float(np.log10(255**2 / error)) if error else float("inf")
