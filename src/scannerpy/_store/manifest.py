"""Manifests: which chunks a table's columns are made of.

``{column: [ChunkRef, …]}``, immutable and checksummed. A short one is not worth an object (and two syncs) of its own:
its text is then stored in the catalog, instead of the path. Callers need not care: what `write_manifest` returns,
`read_manifest` takes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from scannerpy._store.chunk_format import ChunkRef
from scannerpy._store.documents import decode, encode
from scannerpy._store.layout import key_folder
from scannerpy._store.objects import ObjectMissing, Objects
from scannerpy.errors import CorruptObject

LONGEST_INLINE = 600

Manifest = dict[str, list[ChunkRef]]


def write_manifest(objects: Objects, key: str, columns: Mapping[str, Sequence[ChunkRef]]) -> str:
    """Store the manifest of a table of that key and return what its `TableRecord.manifest` should be.

    The chunks of each column must follow one another from row 0, and the columns be equally long: ValueError if not.
    """
    for name, refs in columns.items():
        _check(name, refs)
    if len({refs[-1].end if refs else 0 for refs in columns.values()}) > 1:
        raise ValueError("the columns have different numbers of rows")
    body = {name: [_to_json(ref) for ref in refs] for name, refs in columns.items()}
    text = json.dumps(body, separators=(",", ":"))
    if len(text) <= LONGEST_INLINE:
        return text
    path = f"{key_folder(key)}/manifest-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}.json"
    objects.put(path, encode("manifest", body))
    return path


def read_manifest(objects: Objects, manifest: str) -> Manifest:
    """The chunks of every column. Raises CorruptObject, NewerFormat, StorageError."""
    if manifest.startswith("{"):
        return _from_json(json.loads(manifest))
    try:
        return _from_json(decode("manifest", objects.get(manifest), objects, manifest))
    except ObjectMissing as error:
        raise CorruptObject(
            f"{objects.where}/{manifest} is missing, so a stream cannot be read: it was deleted just now, or the "
            "database's files were touched by hand. Make the stream again"
        ) from error


def _check(name: str, refs: Sequence[ChunkRef]) -> None:
    row = 0
    for ref in refs:
        if ref.start != row:
            raise ValueError(f"column {name!r}: chunk {ref.path} starts at row {ref.start}, not {row}")
        row = ref.end


def _to_json(ref: ChunkRef) -> list[Any]:
    return [ref.path, ref.start, ref.end, ref.bytes, ref.checksum]


def _from_json(body: Mapping[str, Any]) -> Manifest:
    return {name: [ChunkRef(*ref) for ref in refs] for name, refs in body.items()}
