"""Audio: the sound of any file FFmpeg reads, as a stream of equally long pieces. Input only.

An element is a float32 *frame* of shape (samples, 1, 1): the first channel, between −1 and 1. Time 0 is where the file
begins, so that pieces line up with the frames of a video; where there is no sound yet, or none any more, they are zero.

A piece is the same however it is reached: sound is always decoded from the beginning of the file on, since decoders of
AAC, MP3 and Opus carry state from one packet to the next. A reader goes on where it stopped; only for pieces before
that, or at the start of a task in another worker, the file is decoded from its beginning again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from scannerpy.backends.handles import InputStream, absolute, file_identity, takes_client
from scannerpy.errors import IngestError, ScannerException
from scannerpy.source import register_source
from scannerpy.storage import StorageBackend

__all__ = ["AudioStorage", "AudioStream"]

Samples = npt.NDArray[np.float32]


class AudioStorage(StorageBackend):
    """Sound and video files on this machine."""

    def source(self, sc: Any, streams: Sequence[AudioStream]) -> Any:
        """Return the column ``output`` of pieces of sound."""
        return sc.sources.Audio(
            path=[absolute(stream.path) for stream in streams],
            frame_size=[stream.frame_size for stream in streams],
        )


class AudioStream(InputStream):
    """The first audio track of the file at `path`, in pieces of `frame_size` seconds.

    There are ``floor(duration / frame_size)`` of them: what is left at the end is no piece.
    """

    @takes_client
    def __init__(self, path: str | os.PathLike[str], frame_size: float, storage: AudioStorage | None = None) -> None:
        self.path, self.frame_size = os.fspath(path), frame_size
        self._storage = storage if storage is not None else AudioStorage()

    def __repr__(self) -> str:
        return f"AudioStream({self.path!r}, {self.frame_size})"

    def storage(self) -> AudioStorage:
        """Return the backend."""
        return self._storage

    def name(self) -> str:
        """Return the path."""
        return self.path

    def open(self) -> AudioReader:
        """Return a reader of the file."""
        return AudioReader(self.path, self.frame_size)

    def estimate_size(self) -> int:
        """Return the bytes of a piece."""
        return self.open().row_bytes


@register_source("Audio", stream_params=("path", "frame_size"), is_video=True)
class AudioReader:
    """Reads pieces of the first audio track of a file."""

    def __init__(self, path: str, frame_size: float) -> None:
        if frame_size <= 0:
            raise ScannerException(f"the sound of {path} cannot be cut into pieces of {frame_size} s: give more than 0")
        self._path = path
        self._identity = (*file_identity(path, "the sound file"), str(frame_size))
        with _opened(path) as (container, stream):
            self._rate = int(stream.rate)
            self._origin = _origin(container)
            duration = _end(container, stream) - self._origin
        self._step = Fraction(str(frame_size)) * self._rate
        self._samples = int(self._step)
        if not self._samples:
            raise ScannerException(
                f"{path} has {self._rate} samples a second: {frame_size} s are less than one of them"
            )
        self._count = max(0, int(duration * self._rate / self._step))
        self.row_bytes = 4 * self._samples
        self._track: _Track | None = None

    def __len__(self) -> int:
        return self._count

    def identity(self) -> Any:
        """Return the file's path, size and time, and how it is cut."""
        return self._identity

    def read(self, rows: Sequence[int]) -> Iterator[Samples]:
        """Yield the pieces."""
        for row in rows:
            start = round(row * self._step)
            if self._track is None or start < self._track.start:
                self.close()
                self._track = _Track(self._path, self._origin, self._rate)
            yield self._track.take(start, start + self._samples).reshape(-1, 1, 1)

    def close(self) -> None:
        """Close the file."""
        track, self._track = self._track, None
        if track is not None:
            track.close()


class _Track:
    """A cursor over the samples of a track. `start` is the first that can still be had."""

    def __init__(self, path: str, origin: Fraction, rate: int) -> None:
        self._frames = _decoded(path, origin, rate)
        self._held: Samples = np.zeros(0, np.float32)
        self._ended = False
        self.start = 0

    def take(self, start: int, stop: int) -> Samples:
        """Return samples [start, stop), zeros beyond the end. Asked for with ascending `start`."""
        while not self._ended and self.start + len(self._held) < stop:
            self._grow(start)
        self._drop(start)
        piece = self._held[: stop - start]
        return np.concatenate([piece, np.zeros(stop - start - len(piece), np.float32)])

    def close(self) -> None:
        """Close the file."""
        self._frames.close()

    def _grow(self, start: int) -> None:
        self._drop(start)
        found = next(self._frames, None)
        if found is None:
            self._ended = True
            return
        at, samples = found
        gap = at - (self.start + len(self._held))
        padding = np.zeros(max(0, gap), np.float32)
        self._held = np.concatenate([self._held, padding, samples[max(0, -gap) :]])

    def _drop(self, start: int) -> None:
        """Forget the samples before `start`."""
        gone = min(len(self._held), start - self.start)
        self._held, self.start = self._held[gone:], self.start + gone


def _decoded(path: str, origin: Fraction, rate: int) -> Any:
    """Yield (number of the first sample, samples of the first channel) of every decoded frame."""
    import av

    with _opened(path) as (container, stream):
        to_float = av.AudioResampler(format="fltp", rate=rate)
        following = 0
        try:
            for frame in container.decode(stream):
                at = following if frame.pts is None else round((frame.pts * frame.time_base - origin) * rate)
                at = (
                    following if abs(at - following) <= rate // 50 else at
                )  # times are coarser than samples in mkv, avi
                for part in to_float.resample(frame):
                    samples = part.to_ndarray()[0]
                    yield at, samples
                    at += len(samples)
                following = at
        except av.FFmpegError as error:
            if not following:
                raise IngestError(f"the sound of {path} cannot be decoded: {error.strerror}") from error


class _opened:  # noqa: N801  # reads as a function
    """The container of a file and its first audio track. Raises IngestError where there is none."""

    def __init__(self, path: str) -> None:
        import av

        try:
            self._container = av.open(path)
        except (av.FFmpegError, OSError) as error:
            raise IngestError(f"{path} is no sound or video file that FFmpeg can read: {error.strerror}") from error
        if not self._container.streams.audio:
            self._container.close()
            raise IngestError(f"{path} has no audio track: give a file that has one")

    def __enter__(self) -> tuple[Any, Any]:
        return self._container, self._container.streams.audio[0]

    def __exit__(self, *error: object) -> None:
        self._container.close()


def _origin(container: Any) -> Fraction:
    """Return the file's time 0 in seconds, that of its earliest stream; what lies before 0 is only for decoders."""
    starts: list[Fraction] = [
        each.start_time * each.time_base for each in container.streams if each.start_time is not None
    ]
    return max(Fraction(0), min(starts, default=Fraction(0)))


def _end(container: Any, stream: Any) -> Fraction:
    """Return when the track ends, in seconds: as its header says, else as its packets do."""
    if stream.duration:
        return Fraction(((stream.start_time or 0) + stream.duration) * stream.time_base)
    ends: Iterator[Fraction] = (
        Fraction(packet.pts + (packet.duration or 0)) * packet.time_base
        for packet in container.demux(stream)
        if packet.pts is not None
    )
    return max(ends, default=Fraction(0))
