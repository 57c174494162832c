"""The database a Client holds: its tables, by name, and what changes them outside of runs.

Every change is one entry of the catalog's log, so several clients may share a database. Data nobody refers to any more
is removed after the entry that let go of it.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from scannerpy._store import layout
from scannerpy._store.catalog import Catalog, ColumnRecord, DeleteTables, Event, State, TableRecord, numbered
from scannerpy._store.chunk_writer import ChunkWriter
from scannerpy._store.manifest import write_manifest
from scannerpy._store.objects import Objects, open_config
from scannerpy.errors import ScannerException, StreamExists

INDEX_COLUMN = "index"
"""The first column of ingested videos: the row's own number, made when it is read and stored nowhere."""


class Database:
    """The tables of one database, on a disk or in a bucket."""

    def __init__(self, storage_config: Mapping[str, Any]) -> None:
        self.storage_config = dict(storage_config)
        self.objects: Objects = open_config(storage_config)
        self.catalog = Catalog(self.objects)

    @cached_property
    def notes(self) -> Objects:
        """The same place, for what tells about runs: written whole, but no run waits until it has reached the disk."""
        return open_config(self.storage_config, durable=False)

    def record(self, name: str) -> TableRecord | None:
        """The visible table of that name, committed or not."""
        return self.catalog.state().table(name)

    def create(self, tables: Sequence[TableRecord], *, replacing: Sequence[int] = ()) -> State:
        """Add tables with the next ids, deleting others in the same entry; then remove what nobody refers to."""
        return self.change(lambda state: [*_deleted(replacing), numbered(state, tables)])

    def delete(self, names: Sequence[str]) -> None:
        """Delete tables by name; unknown ones are ignored."""
        self.change(lambda state: _deleted([state.names[name] for name in names if name in state.names]))

    def change(self, decide: Callable[[State], Sequence[Event]]) -> State:
        """Append what `decide` answers, then remove the data no table refers to any more."""
        before: list[State] = []

        def decided(state: State) -> Sequence[Event]:
            before[:] = [state]
            return decide(state)

        after = self.catalog.transact(decided)
        if after is not before[0]:
            layout.release(self.objects, before[0], after)
        return after

    def new_table(self, draft: BlobTable, *, force: bool) -> TableRecord:
        """Store rows of bytes as a committed table. Raises StreamExists unless `force`."""
        existing = self.record(draft.name)
        if existing is not None and not force:
            raise StreamExists(
                f"table {draft.name!r} exists already; pass force=True to replace it or choose another name"
            )
        key = f"t-{draft.digest()}"
        refs = {
            name: [_blob_chunk([row[c] for row in draft.rows]).to(self.objects, layout.chunk_path(key, name, 0))]
            for c, name in enumerate(draft.columns)
        }
        record = TableRecord(
            id=0, name=draft.name, columns=tuple(ColumnRecord(name, is_video=False) for name in draft.columns),
            rows=len(draft.rows), committed=True, job_id=None, key=key, created=time.time(),
            manifest=write_manifest(self.objects, key, refs), source=None,
        )  # fmt: skip
        self.create([record], replacing=[] if existing is None else [existing.id])
        return self._must_have(draft.name)

    def _must_have(self, name: str) -> TableRecord:
        record = self.record(name)
        if record is None:
            raise ScannerException(f"table {name!r} was deleted by another client the moment it was made; try again")
        return record


@dataclass(frozen=True, slots=True)
class BlobTable:
    """A table to be made from rows of bytes."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[bytes | None, ...], ...]

    @classmethod
    def checked(
        cls, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], fns: Sequence[Any] | None, protobufs: Any
    ) -> BlobTable:
        """Check what `Client.new_table` was given and serialize it with `fns`, called as ``fn(value, protobufs)``."""
        if not columns or len(set(columns)) != len(columns):
            raise ScannerException(f"new_table {name!r}: columns must be distinct names, not {list(columns)}")
        if fns is not None and len(fns) != len(columns):
            raise ScannerException(f"new_table {name!r}: {len(fns)} serializers for {len(columns)} columns")
        made = []
        for number, row in enumerate(rows):
            if len(row) != len(columns):
                raise ScannerException(
                    f"new_table {name!r}: row {number} has {len(row)} values, but there are {len(columns)} columns"
                )
            values = row if fns is None else [fn(value, protobufs) for fn, value in zip(fns, row, strict=True)]
            made.append(tuple(_bytes(value, name, number) for value in values))
        return cls(name, tuple(columns), tuple(made))

    def digest(self) -> str:
        """Name the content, so that equal tables share their chunks.

        Of all values at once: taken one by one, a million of them cost more to name than to store.
        """
        from scannerpy._store.fingerprint import fingerprint

        values = [value for row in self.rows for value in row]
        sizes = np.array([-1 if value is None else len(value) for value in values], np.int64)
        return fingerprint((self.columns, sizes, b"".join(value for value in values if value)))


def _bytes(value: Any, name: str, row: int) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise ScannerException(
        f"new_table {name!r}: row {row} holds {type(value).__name__}, but columns hold bytes; "
        "serialize it, or pass fns with a serializer for each column"
    )


def _blob_chunk(items: Sequence[bytes | None]) -> ChunkWriter:
    writer = ChunkWriter("blob")
    for item in items:
        writer.add(item)
    return writer


def _deleted(ids: Sequence[int]) -> list[Event]:
    return [DeleteTables(tuple(ids))] if ids else []


def index_bytes(row: int) -> bytes:
    """The value of the index column in `row`."""
    return struct.pack("=Q", row)
