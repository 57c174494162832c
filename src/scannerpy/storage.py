"""Streams: handles to what a graph reads and stores, and the backends behind them.

A handle is cheap and may name something that does not exist yet. `NamedStream` and `NamedVideoStream` are two views of
one name space, the tables of the client's database: what is stored follows the op's column, not the handle's class.
Subclass `StoredStream` and `StorageBackend` for a storage of your own.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from scannerpy import _preview as preview
from scannerpy import types
from scannerpy._tabular import tables
from scannerpy._values import values
from scannerpy._words.elements import Element, NullElement
from scannerpy.errors import NotCommitted, NotSupported, ScannerException

if TYPE_CHECKING:
    from scannerpy.client import Client
    from scannerpy.column import Column
    from scannerpy.op import OpColumn
    from scannerpy.sink import Sink

__all__ = [
    "NamedStorage",
    "NamedStream",
    "NamedVideoStorage",
    "NamedVideoStream",
    "NullElement",
    "StorageBackend",
    "StoredStream",
]


class StorageBackend:
    """Where streams of one kind live, and how a graph reads and writes them."""

    def source(self, sc: Client, streams: Sequence[Any]) -> OpColumn:
        """Return the column that reads `streams`, one per job."""
        raise ScannerException(f"{type(self).__name__} cannot serve as an input: it does not define source()")

    def sink(self, sc: Client, op: OpColumn, streams: Sequence[Any]) -> Sink:
        """Return the sink that writes column `op` to `streams`, one per job."""
        raise ScannerException(f"{type(self).__name__} cannot serve as an output: it does not define sink()")

    def delete(self, sc: Client, streams: Sequence[Any]) -> None:
        """Delete `streams` where they exist."""
        raise ScannerException(f"{type(self).__name__} cannot delete streams: it does not define delete()")


class StoredStream:
    """A handle to a stream in some storage backend; it may not exist (see `exists`)."""

    def load_bytes(self, rows: Sequence[int] | None = None) -> Iterator[Element]:
        """Yield the stored elements of `rows` (None: all), serialized; frames as arrays, nulls as NullElement."""
        raise ScannerException(f"{type(self).__name__} cannot be loaded: it does not define load_bytes()")

    def committed(self) -> bool:
        """Whether the stream is complete. A stream may exist and not be committed when the job that makes it failed."""
        raise NotImplementedError(f"{type(self).__name__}.committed")

    def exists(self) -> bool:
        """Whether any part of the stream is in storage."""
        raise NotImplementedError(f"{type(self).__name__}.exists")

    def storage(self) -> StorageBackend:
        """Return the backend the stream lives in."""
        raise NotImplementedError(f"{type(self).__name__}.storage")

    def len(self) -> int:
        """How many elements the stream holds."""
        raise NotImplementedError(f"{type(self).__name__}.len")

    def __len__(self) -> int:
        return self.len()

    def name(self) -> str:
        """Return the stream's name, for messages."""
        raise NotImplementedError(f"{type(self).__name__}.name")

    def type(self) -> Any:
        """Return the registered type of the elements, or None where the backend records none."""
        raise NotImplementedError(f"{type(self).__name__}.type")

    def estimate_size(self) -> int:
        """Guess the bytes of one element; used for choosing packet sizes only."""
        raise NotImplementedError(f"{type(self).__name__}.estimate_size")

    def load(
        self, ty: Any = None, fn: Callable[[bytes], Any] | None = None, rows: Sequence[int] | None = None
    ) -> Iterator[Any]:
        """Yield the elements of `rows` (any order, duplicates allowed; None: all), one at a time.

        Blobs are turned into values by `fn`, else by ``ty.deserialize``, else by the recorded type, else stay bytes.
        Frames come as arrays: those stored as video in **BGR** (OpenCV's order), those stored raw as they were made.
        Nulls come as `NullElement`. Raises NotCommitted, at the first ``next()``, for an incomplete stream.
        """
        self._check_committed()
        yield from values(self.load_bytes(rows), ty, fn, self.type)

    def __iter__(self) -> Iterator[Any]:
        """Yield all elements, as `load` does."""
        return self.load()

    @overload
    def __getitem__(self, rows: int) -> Any: ...

    @overload
    def __getitem__(self, rows: slice) -> list[Any]: ...

    def __getitem__(self, rows: int | slice) -> Any:
        """Return the element of a row, or a list of those of a slice, as `load` gives them.

        As in lists, ``-1`` is the last row. Raises IndexError for a row that is not there, and NotCommitted.
        """
        self._check_committed()
        if isinstance(rows, slice):
            return list(self.load(rows=range(*rows.indices(self.len()))))
        row = operator.index(rows)
        if not -self.len() <= row < self.len():
            raise IndexError(f"there is no row {row}: stream {label(self)!r} has {self.len()}, counted from 0")
        return next(self.load(rows=[row % self.len()]))

    def to_pandas(self, rows: Sequence[int] | None = None, values: bool = True) -> Any:
        """Return a DataFrame with columns ``row``, ``time`` (videos from files, in seconds) and ``value`` or ``frame``.

        `rows` are the rows wanted, as for `load`. ``values=False`` leaves the values out: the rows and times of a
        video, without decoding it. Values are as `load` gives them, but that a null is None, an `Image` the bytes of
        its file, and a protobuf message (`Bbox`) a dict. All is held in memory. Needs pandas: the extra ``data``.
        """
        return tables.to_pandas(self, label(self), rows, values=values)

    def to_arrow(self, rows: Sequence[int] | None = None, values: bool = True) -> Any:
        """Return a pyarrow Table with the columns of `to_pandas`. Needs pyarrow: the extra ``data``.

        Histograms are lists of lists, `Bbox` structs, frames fixed-shape tensors, bytes and `Image` binary. Values of
        `Any` and of a program's own types get the narrowest type that holds them all, found by a look at each; where
        there is none they become text (JSON, with ``repr`` for what JSON cannot hold). Nulls are null.
        """
        return tables.to_arrow(self, label(self), rows, values=values)

    def to_parquet(self, path: str | Path, rows: Sequence[int] | None = None, values: bool = True) -> str:
        """Write the table of `to_arrow` to a Parquet file, some rows at a time, and return the path.

        Memory does not grow with the stream. A file of that name is replaced once the new one is complete.
        """
        return tables.to_parquet(self, label(self), path, rows, values=values)

    def _check_committed(self) -> None:
        if not self.committed():
            raise NotCommitted(
                f"stream {label(self)!r} cannot be loaded: it "
                + ("is not committed (its job failed or is still running)" if self.exists() else "does not exist")
            )

    def _times(self) -> npt.NDArray[np.float64] | None:
        """Return the time of each row in seconds, where rows have times."""
        return None

    def _type_name(self) -> str:
        """Return the registered name of the elements' type, "" for frames and plain bytes."""
        kind = self.type()
        return types.get_type_info(kind).cpp_name if kind is not None else ""

    def delete(self, sc: Client) -> None:
        """Delete the stream where it exists."""
        self.storage().delete(sc, [self])


def label(stream: StoredStream) -> str:
    """Return the stream's name, or its class where it has none."""
    try:
        return str(stream.name())
    except NotImplementedError:
        return type(stream).__name__


class NamedStorage(StorageBackend):
    """The client's own database: tables of packed chunks on a local disk, S3 or GCS."""

    def __init__(self, storage_config: Any = None) -> None:
        self._storage_config = storage_config

    def source(self, sc: Client, streams: Sequence[NamedStream]) -> OpColumn:
        """Read tables; a stored column of frames comes as frames whatever the handle's class."""
        return sc._stored_source(streams, default_column="column")

    def sink(self, sc: Client, op: OpColumn, streams: Sequence[NamedStream]) -> Sink:
        """Write tables with one column named ``column``."""
        names = [stream.name() for stream in streams]
        sink: Sink = sc.sinks.Column(op, table_name=names, column_name=["column"] * len(names))
        return sink

    def delete(self, sc: Client, streams: Sequence[NamedStream]) -> None:
        """Delete the tables; unknown ones are ignored."""
        sc.delete_tables([stream.name() for stream in streams])


class NamedVideoStorage(NamedStorage):
    """The same database, for frames: ingested videos stay compressed."""

    def ingest(self, sc: Client, streams: Sequence[NamedVideoStream], batch: int = 500) -> None:
        """Bring every stream that has a path up to date with its file, `batch` at a time."""
        sc._ingest_streams(streams, batch)

    def source(self, sc: Client, streams: Sequence[NamedStream]) -> OpColumn:
        """Read tables of frames."""
        return sc._stored_source(streams, default_column="frame")

    def sink(self, sc: Client, op: OpColumn, streams: Sequence[NamedStream]) -> Sink:
        """Write tables with one column named ``frame``."""
        names = [stream.name() for stream in streams]
        sink: Sink = sc.sinks.FrameColumn(op, table_name=names, column_name=["frame"] * len(names))
        return sink


class NamedStream(StoredStream):
    """The table `name` of the client's database."""

    def __init__(self, sc: Client, name: str, storage: NamedStorage | None = None) -> None:
        if not isinstance(name, str) or not name:
            raise ScannerException(f"a stream's name must be a non-empty string, not {name!r}")
        self._sc = sc
        self._name = name
        self._storage: NamedStorage = storage if storage is not None else NamedStorage()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r})"

    def _repr_html_(self) -> str:
        return preview.stream_page(self)

    def storage(self) -> NamedStorage:
        """Return the backend."""
        return self._storage

    def name(self) -> str:
        """Return the table's name."""
        return self._name

    def exists(self) -> bool:
        """Whether a table of that name exists, complete or not."""
        return self._sc.table(self._name).exists()

    def committed(self) -> bool:
        """Whether the table is complete."""
        return self._sc.table(self._name).committed()

    def len(self) -> int:
        """How many rows the table has."""
        return self._sc.table(self._name).num_rows()

    def type(self) -> Any:
        """Return the registered type of the elements, or None for frames and plain bytes."""
        return self._column().type()

    def estimate_size(self) -> int:
        """Guess the bytes of one element from what is stored: the stored size, or a frame's pixels."""
        return self._column().estimate_size()

    def load_bytes(self, rows: Sequence[int] | None = None) -> Iterator[Element]:
        """Yield the stored elements (see `StoredStream.load_bytes`)."""
        yield from self._column().elements(rows)

    def _times(self) -> npt.NDArray[np.float64] | None:
        return self._column()._stored().times()

    def _column(self) -> Column:
        return self._sc.sequence(self._name)


class NamedVideoStream(NamedStream):
    """The table `name`, made from the video file at `path` where one is given (copied, or read in place).

    A file is scanned when the stream is first used, and again only when the file has changed.
    """

    def __init__(
        self,
        sc: Client,
        name: str,
        path: str | None = None,
        inplace: bool = False,
        storage: NamedVideoStorage | None = None,
    ) -> None:
        super().__init__(sc, name, storage if storage is not None else NamedVideoStorage())
        self._path = str(path) if path is not None else None
        self._inplace = inplace
        self._ingested = path is None

    def exists(self) -> bool:
        """Whether the table exists; a stream with a path is ingested first."""
        self._ingest()
        return super().exists()

    def committed(self) -> bool:
        """Whether the table is complete; a stream with a path is ingested first."""
        self._ingest()
        return super().committed()

    def len(self) -> int:
        """How many frames there are."""
        self._ingest()
        return super().len()

    def estimate_size(self) -> int:
        """Return width x height x channels of a frame, in bytes."""
        self._ingest()
        return super().estimate_size()

    def load_bytes(self, rows: Sequence[int] | None = None) -> Iterator[Element]:
        """Yield the frames of `rows` (see `StoredStream.load`)."""
        self._ingest()
        yield from super().load_bytes(rows)

    def save_mp4(
        self,
        output_name: str,
        fps: float | None = None,
        scale: tuple[int, int] | None = None,
        *,
        rows: Sequence[int] | None = None,
        seconds: tuple[float, float] | Sequence[tuple[float, float]] | None = None,
    ) -> None:
        """Write the stream, or some of its `rows` or `seconds`, to ``output_name + ".mp4"`` (see `Column.save_mp4`)."""
        self._ingest()
        self._column().save_mp4(output_name, fps, scale, rows=rows, seconds=seconds)

    def as_hwang(self) -> Any:
        """Not available: the hwang decoder is gone. ``load(rows=[...])`` decodes exactly the frames wanted."""
        raise NotSupported(f"as_hwang() of {self._name!r}: hwang is no longer maintained; use load(rows=[...]) instead")

    def _ingest(self) -> None:
        if not self._ingested:
            self._sc._ingest_streams([self])

    def __len__(self) -> int:
        return self.len()


def paths_of(streams: Iterable[StoredStream]) -> list[NamedVideoStream]:
    """Return those streams that come from a file."""
    return [each for each in streams if isinstance(each, NamedVideoStream) and each._path is not None]
