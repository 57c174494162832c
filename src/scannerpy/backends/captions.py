"""Captions: an SRT file as a stream of time windows, each the JSON list of the captions that overlap it. Input only."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from scannerpy.backends.handles import InputStream, absolute, file_identity, read_file, takes_client
from scannerpy.errors import IngestError, ScannerException
from scannerpy.source import register_source
from scannerpy.storage import StorageBackend

__all__ = ["CaptionStorage", "CaptionStream", "parse_srt"]

TIMES = re.compile(
    r"(?:(\d+):)?(\d+):(\d+)(?:[,.](\d{1,3}))?\s*-->\s*(?:(\d+):)?(\d+):(\d+)(?:[,.](\d{1,3}))?(?:\s.*)?"
)


class CaptionStorage(StorageBackend):
    """SRT files on this machine."""

    def source(self, sc: Any, streams: Sequence[CaptionStream]) -> Any:
        """Return the column ``output`` of the windows' captions, as JSON."""
        return sc.sources.Captions(
            path=[absolute(stream.path) for stream in streams],
            window_size=[stream.window_size for stream in streams],
            max_time=[stream.max_time for stream in streams],
        )


class CaptionStream(InputStream):
    """The captions of the SRT file at `path`, in ``floor(max_time / window_size)`` windows of `window_size` seconds.

    Element i is the JSON list of the captions shown at some time within window i, each an object with ``index``,
    ``start`` and ``end`` (seconds) and ``line`` (the lines of the caption, joined by spaces). A caption that goes on
    into the next window is in both.
    """

    @takes_client
    def __init__(
        self,
        path: str | os.PathLike[str],
        window_size: float,
        max_time: float,
        storage: CaptionStorage | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.window_size, self.max_time = window_size, max_time
        self._storage = storage if storage is not None else CaptionStorage()

    def __repr__(self) -> str:
        return f"CaptionStream({self.path!r}, {self.window_size}, {self.max_time})"

    def storage(self) -> CaptionStorage:
        """Return the backend."""
        return self._storage

    def name(self) -> str:
        """Return the path."""
        return self.path

    def open(self) -> CaptionReader:
        """Return a reader of the file."""
        return CaptionReader(self.path, self.window_size, self.max_time)


@register_source("Captions", stream_params=("path", "window_size", "max_time"))
class CaptionReader:
    """Reads an SRT file whole, and gives its windows by number."""

    def __init__(self, path: str, window_size: float, max_time: float) -> None:
        if window_size <= 0 or max_time < 0:
            raise ScannerException(
                f"the captions of {path} cannot be cut into windows of {window_size} s up to {max_time} s: "
                "window_size must be positive, max_time not negative"
            )
        self._path = path
        self._window = Fraction(str(window_size))
        self._count = int(Fraction(str(max_time)) / self._window)
        self._captions = parse_srt(path)

    def __len__(self) -> int:
        return self._count

    def identity(self) -> Any:
        """Return the file's path, size and time, and how it is cut."""
        return (*file_identity(self._path, "the caption file"), str(self._window))

    def read(self, rows: Sequence[int]) -> Iterator[bytes]:
        """Yield the windows' captions."""
        for row in rows:
            begin, end = row * self._window, (row + 1) * self._window
            shown = [each for each in self._captions if each["start"] < end and each["end"] > begin]
            yield json.dumps(shown, ensure_ascii=False).encode()


def parse_srt(path: str) -> list[dict[str, Any]]:
    """Return the captions of an SRT file, in the file's order. Raises IngestError, naming the line at fault."""
    text = _decoded(path).replace("\r\n", "\n").replace("\r", "\n")
    captions: list[dict[str, Any]] = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if line.strip():
            block.append((number, line.strip()))
        elif block:
            captions.append(_caption(path, block))
            block = []
    return captions


def _decoded(path: str) -> str:
    data = read_file(path, "the caption file")
    try:
        return data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise IngestError(f"the caption file {path} is not UTF-8 text ({error.reason} at byte {error.start})") from None


def _caption(path: str, block: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """Read one block: a number, the times, and the lines of text (none, for a caption that says nothing)."""
    first, text = block[0]
    if not text.isdecimal():
        raise IngestError(f"{path} is no SRT file: line {first} should be a caption's number, and is {text!r:.60}")
    times = TIMES.fullmatch(block[1][1]) if len(block) > 1 else None
    if times is None:
        found = repr(block[1][1])[:60] if len(block) > 1 else "missing"
        wanted = "times like 00:00:01,000 --> 00:00:02,500"
        raise IngestError(f"{path} is no SRT file: line {first + 1} should be {wanted}, and is {found}")
    return {
        "index": int(text),
        "start": _seconds(*times.group(1, 2, 3, 4)),
        "end": _seconds(*times.group(5, 6, 7, 8)),
        "line": " ".join(line for _, line in block[2:]),
    }


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return whole + int((fraction or "0").ljust(3, "0")) / 1000
