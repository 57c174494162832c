"""Storage of row lineage: which source row each row of a table was made from, kept with the run.

One object a run, and none where every row is its own parent, which is most runs. Jobs that were sampled alike share
one map. A map is stored as the runs of its differences, compressed: a regular sampler's takes a few dozen bytes however
long it is.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from scannerpy._store.documents import decode, encode
from scannerpy._store.layout import job_folder
from scannerpy._store.objects import ObjectMissing, Objects

Rows = npt.NDArray[np.int64]


def write_origins(objects: Objects, job_id: int, maps: Mapping[int, Rows]) -> None:
    """Keep the row maps of a run, by the ids of its tables."""
    texts = {table: _to_text(rows) for table, rows in maps.items()}
    distinct = {text: number for number, text in enumerate(dict.fromkeys(texts.values()))}
    body = {"maps": list(distinct), "tables": {str(table): distinct[text] for table, text in texts.items()}}
    objects.put(_path(job_id), encode("origins", body))


def read_origins(objects: Objects, job_id: int, table: int) -> Rows | None:
    """Return the row map of a table, None where the run kept none. Raises CorruptObject, NewerFormat, StorageError."""
    path = _path(job_id)
    try:
        body = decode("origins", objects.get(path), objects, path)
    except ObjectMissing:
        return None
    number = body["tables"].get(str(table))
    return None if number is None else _from_text(body["maps"][number])


def has_origins(objects: Objects, job_id: int) -> bool:
    """Whether a run has kept its row maps."""
    return objects.exists(_path(job_id))


def _path(job_id: int) -> str:
    return f"{job_folder(job_id)}/origins.json"


def _to_text(rows: Rows) -> str:
    """Steps from row to row, and how often each is taken in a row."""
    steps = np.diff(rows, prepend=0)
    first = np.concatenate([np.flatnonzero(np.diff(steps, prepend=steps[:1] - 1)), [len(steps)]])
    runs = np.stack([steps[first[:-1]], np.diff(first)]).astype("<i8")
    return base64.b85encode(zlib.compress(runs.tobytes(), 6)).decode("ascii")


def _from_text(text: str) -> Rows:
    steps, counts = np.frombuffer(zlib.decompress(base64.b85decode(text)), "<i8").reshape(2, -1)
    return np.cumsum(np.repeat(steps, counts), dtype=np.int64)
