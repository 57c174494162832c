"""The layout of a chunk, and how its end is read.

::

    magic  data: the items, back to back  sections  sizes  crcs  nulls  footer (JSON)  tail (24 bytes)

The tail gives the footer's length and checksum; the footer says what is where and carries the checksum of every
part. One read of the object's end opens a small chunk, two open a large one. Each item has a CRC-32 of its own:
whatever subset is read is verified, at 2 GB/s, and damage is never mistaken for data.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any, ClassVar

from scannerpy._store.objects import Objects
from scannerpy.errors import CorruptObject, NewerFormat, ScannerException

FORMAT = 1
MAGIC = b"SCNCHUNK"
MAGIC_NUMBER = int.from_bytes(MAGIC, "little")
TAIL = struct.Struct("<QIIQ")  # footer bytes, footer CRC-32, format, magic
FIRST_READ = 64 << 10


class RowOutOfRange(ScannerException, IndexError):
    """A row is asked of a chunk or column that has fewer."""

    code: ClassVar[str] = "row"


@dataclass(frozen=True, slots=True)
class ChunkRef:
    """One chunk of a column: rows [start, end) of it, the object's size, and the checksum its footer must have."""

    path: str
    start: int
    end: int
    bytes: int
    checksum: int

    @property
    def rows(self) -> int:
        """How many rows."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """The end of a chunk, read and verified: the last bytes, the footer among them, and who the chunk is."""

    tail: bytes
    footer: dict[str, Any]
    ref: ChunkRef


def read_end(objects: Objects, path: str) -> End:
    """Read a chunk's end. Raises ObjectMissing, CorruptObject, NewerFormat, StorageError."""
    tail, size = _read_tail(objects, path)
    footer_bytes, crc, _, _ = TAIL.unpack(tail[-TAIL.size :])
    encoded = tail[len(tail) - TAIL.size - footer_bytes : len(tail) - TAIL.size]
    if zlib.crc32(encoded) != crc:
        raise damaged(objects, path, "its footer fails its checksum")
    footer: dict[str, Any] = json.loads(encoded)
    return End(tail, footer, ChunkRef(path, footer["start"], footer["end"], size, crc))


def damaged(objects: Objects, path: str, what: str) -> CorruptObject:
    """The error for a chunk that cannot be trusted."""
    return CorruptObject(
        f"{objects.where}/{path} is damaged: {what}. Delete the stream it belongs to and run its job "
        "(or ingest its video) again; if this repeats, check the disk"
    )


def _read_tail(objects: Objects, path: str) -> tuple[bytes, int]:
    tail, size = objects.get_tail(path, FIRST_READ)
    if len(tail) < TAIL.size + len(MAGIC):
        raise damaged(objects, path, f"it has only {size} bytes")
    footer_bytes, _, version, magic = TAIL.unpack(tail[-TAIL.size :])
    if magic != MAGIC_NUMBER:
        raise damaged(objects, path, "it does not end like a chunk")
    if version > FORMAT:
        raise NewerFormat(
            f"{objects.where}/{path} has format {version} and this Scanner reads up to {FORMAT}: upgrade scanner-puddle"
        )
    if version < 1 or footer_bytes + TAIL.size > size:
        raise damaged(objects, path, "it is shorter than it says")
    if footer_bytes + TAIL.size > len(tail):
        tail = objects.get_range(path, size - footer_bytes - TAIL.size, size)
    return tail, size
