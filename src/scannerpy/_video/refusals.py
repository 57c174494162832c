"""Diagnoses files in which FFmpeg finds no video, for the error message.

Looked at only after FFmpeg has given up, so a guess that is wrong costs a sentence, never a video.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from scannerpy.errors import IngestError

LOOKED_AT = 512


class NoVideo(IngestError):
    """A file that cannot become a table, with the whole sentence about it."""


def unopened(file: Path, reason: str) -> IngestError:
    """Why a file could not be opened, which FFmpeg calls `reason`."""
    with file.open("rb") as data:
        head = data.read(LOOKED_AT)
        boxes = set(_boxes(file)) if head[4:8] == b"ftyp" else None
    if boxes is not None and b"moov" not in boxes:
        return NoVideo(
            f"{file} is an mp4 without its table of contents (moov): the recording or download was cut off; "
            "copy it again"
        )
    if _is_text(head):
        begins = " ".join(head.decode("utf-8", "replace").split())[:40]
        return NoVideo(
            f"{file} is text, not a video; it begins with {begins!r}: if it was downloaded, see what the server "
            "answered"
        )
    return IngestError(f"{file} cannot be opened as a video: {reason}")


def without_stream(file: Path, kinds: Iterable[str]) -> IngestError:
    """Why a file that could be opened is of no use: it holds streams of these kinds only."""
    found = ", ".join(sorted(set(kinds)))
    if not found:
        return NoVideo(f"{file} holds no stream that can be read: its headers are damaged; copy or download it again")
    return NoVideo(f"{file} holds no video stream, only {found}: name the file with the pictures, or leave it out")


def picture(file: Path, format_name: str) -> IngestError:
    """A file that is a single picture."""
    return NoVideo(
        f"{file} is a picture ({format_name.removesuffix('_pipe')}), not a video: store pictures as bytes, with "
        "Client.new_table for instance, and decode them with the op ImageDecoder"
    )


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8", "strict" if len(head) < LOOKED_AT else "ignore")
    except UnicodeDecodeError:
        return False
    return bool(text) and all(letter.isprintable() or letter.isspace() for letter in text)


def _boxes(file: Path) -> Iterator[bytes]:
    """The names of an mp4's outermost boxes, as far as they can be followed."""
    with file.open("rb") as data:
        while len(head := data.read(8)) == 8:
            size = int.from_bytes(head[:4], "big")
            yield head[4:]
            if size == 1:
                size = int.from_bytes(data.read(8), "big") - 8
            if size < 8:
                return
            data.seek(size - 8, 1)
