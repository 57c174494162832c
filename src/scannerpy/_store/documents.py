"""Small JSON objects of the database (log entries, snapshots, manifests): one header line, then the body.

The header carries a format version and the body's CRC-32, so that a newer Scanner's writing and a flipped bit are both
told apart from data.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from scannerpy._store.objects import Objects
from scannerpy.errors import CorruptObject, NewerFormat

FORMAT = 1


def encode(kind: str, body: Any) -> bytes:
    """The object for `body`."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return json.dumps({"scanner": kind, "format": FORMAT, "crc": zlib.crc32(text)}).encode() + b"\n" + text


def decode(kind: str, data: bytes, objects: Objects, path: str) -> Any:
    """The body of an object of that kind. Raises NewerFormat, CorruptObject."""
    head, _, text = data.partition(b"\n")
    try:
        header = json.loads(head)
        found, version, crc = header["scanner"], header["format"], header["crc"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(objects, path, "its first line is not readable") from error
    if version > FORMAT:
        raise NewerFormat(
            f"{objects.where}/{path} has format {version} and this Scanner reads up to {FORMAT}: upgrade scanner-puddle"
        )
    if found != kind or zlib.crc32(text) != crc:
        raise _damaged(objects, path, "it fails its checksum" if found == kind else f"it is a {found}, not a {kind}")
    return json.loads(text.decode("utf-8", "surrogatepass"))


def _damaged(objects: Objects, path: str, what: str) -> CorruptObject:
    return CorruptObject(f"{objects.where}/{path} is damaged: {what}. Restore it from a backup of {objects.where}")
