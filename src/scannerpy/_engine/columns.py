"""Tables of the database as sources and sinks of a run: what ``Column`` and ``FrameColumn`` open in a worker.

Readers take ``{"manifest", "column", "is_video", "name"}`` (or ``{"index": True}`` for the row numbers of an ingested
video), writers ``{"key", "column"}``. A writer's chunk has a name made of key and task only, so finishing a task twice
does no harm. FFmpeg is imported when a column of frames is opened, which happens in workers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from scannerpy._engine.ports import Reader, TaskOutput, WorkerContext, Writer
from scannerpy._plan.rows import Rows
from scannerpy._store.blobs import BlobColumn
from scannerpy._store.chunk import ChunkRef, ChunkWriter
from scannerpy._store.layout import chunk_path
from scannerpy._store.manifest import read_manifest
from scannerpy._store.objects import Objects, open_config
from scannerpy._words.elements import Element, Frame, NullElement
from scannerpy.errors import SerializationError, StorageError


def open_column(args: Mapping[str, Any], context: WorkerContext, /) -> Reader:
    """Open a stored column for reading."""
    if args.get("index"):
        return _IndexReader()
    objects = _database(context)
    refs = read_manifest(objects, args["manifest"])[args["column"]]
    if args["is_video"]:
        from scannerpy._video.column import FrameColumn

        return FrameColumn(objects, refs, threads=context.threads, name=args.get("name", ""))
    return _BlobReader(BlobColumn(objects, refs))


def create_column(args: Mapping[str, Any], output: TaskOutput, context: WorkerContext, /) -> Writer:
    """Open a writer of the chunk that holds one task's rows."""
    path = chunk_path(args["key"], args["column"], output.task)
    edge = output.edges[0]
    if edge.is_video:
        return _FrameWriter(_database(context), path, output, dict(edge.compression.options))
    return _BlobWriter(_database(context), path, output.start)


def _database(context: WorkerContext) -> Objects:
    if context.database is None:
        raise StorageError(
            "the run names no database, so its tables cannot be opened; this is a fault of Scanner's own"
        )
    return _opened(tuple(sorted(context.database.items())))


@lru_cache(maxsize=8)
def _opened(config: tuple[tuple[str, Any], ...]) -> Objects:
    return open_config(dict(config))


class _IndexReader:
    def read(self, rows: Rows) -> Iterator[Element]:
        return (struct.pack("=Q", row) for row in rows.tolist())

    def close(self) -> None:
        """Nothing is open."""


class _BlobReader:
    def __init__(self, column: BlobColumn) -> None:
        self._column = column

    def read(self, rows: Rows) -> Iterator[Element]:
        return self._column.read(rows)

    def close(self) -> None:
        """Chunks keep no file open."""


class _BlobWriter:
    def __init__(self, objects: Objects, path: str, start: int) -> None:
        self._objects = objects
        self._path = path
        self._chunk = ChunkWriter("blob", start=start)

    def write(self, *columns: Sequence[Element]) -> None:
        for element in columns[0]:
            if isinstance(element, np.ndarray):
                raise SerializationError("a frame came where this column holds serialized values")
            self._chunk.add(None if isinstance(element, NullElement) else element)

    def finish(self) -> ChunkRef:
        return self._chunk.to(self._objects, self._path)

    def abort(self) -> None:
        """What was written is in memory only."""


class _FrameWriter:
    def __init__(self, objects: Objects, path: str, output: TaskOutput, options: Mapping[str, int]) -> None:
        from scannerpy._video.write import FrameWriter

        codec = output.edges[0].compression.codec
        self._writer = FrameWriter(objects, codec, options, start=output.start)
        self._path = path

    def write(self, *columns: Sequence[Element]) -> None:
        self._writer.write(map(_frame, columns[0]))

    def finish(self) -> ChunkRef:
        return self._writer.to(self._path)

    def abort(self) -> None:
        self._writer.abort()


def _frame(element: Element) -> Frame | NullElement:
    if isinstance(element, bytes):
        raise SerializationError("a serialized value came where this column holds frames")
    return element
