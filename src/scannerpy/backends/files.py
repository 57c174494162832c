"""Files: a stream is a list of paths, and an element the bytes of one file. In and out; on disks and in buckets.

::

    pictures = FilesStream(["a.jpg", "b.jpg"])
    frames = cl.ops.ImageDecoder(img=cl.io.Input([pictures]))

    results = FilesStream([f"out/{row}.png" for row in range(2)])
    cl.run(cl.io.Output(cl.ops.ImageEncoder(frame=frames), [results]))

An output's files appear when all of them are there: until then they lie beside, under hidden names. So a run that
fails or is interrupted leaves no new file, and with CacheMode.Overwrite the old files are whole until the end.
`delete` deletes nothing: files belong to the user.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from scannerpy.backends.handles import absolute, in_order, takes_client
from scannerpy.backends.places import Files, open_files
from scannerpy.errors import GraphError, ScannerException, SerializationError, StorageError
from scannerpy.sink import register_sink
from scannerpy.source import register_source
from scannerpy.storage import NullElement, StorageBackend, StoredStream

__all__ = ["FilesStorage", "FilesStream"]

LOOKED_AT = 20
"""How many files' sizes an estimate looks at."""


class FilesStorage(StorageBackend):
    """Files on this machine (``posix``), or in a bucket of S3 or GCS.

    `region` and `endpoint` are S3's. Credentials come from the environment.
    """

    def __init__(
        self,
        storage_type: str = "posix",
        bucket: str | None = None,
        region: str | None = None,
        endpoint: str | None = None,
    ) -> None:
        self._place = {"storage_type": storage_type, "bucket": bucket, "region": region, "endpoint": endpoint}
        self.files: Files = open_files(**self._place)  # type: ignore[arg-type]  # a str in every case

    def source(self, sc: Any, streams: Sequence[FilesStream]) -> Any:
        """Return the column ``output`` of the files' bytes."""
        return sc.sources.Files(paths=[self._full(stream) for stream in streams], **self._place)

    def sink(self, sc: Any, op: Any, streams: Sequence[FilesStream]) -> Any:
        """Return the sink that writes element i of a stream to its path i."""
        if op.output.is_video:
            raise GraphError(f"{op!r} holds frames, which are no files: encode them first, with cl.ops.ImageEncoder")
        paths = [self._full(stream) for stream in streams]
        _refuse_shared([path for each in paths for path in each])
        return sc.sinks.Files(input=op, paths=paths, **self._place)

    def delete(self, sc: Any, streams: Sequence[FilesStream]) -> None:
        """Delete nothing: the files are the user's, and a new run replaces them."""

    def _full(self, stream: FilesStream) -> list[str]:
        posix = self._place["storage_type"] == "posix"  # worker processes may be in another folder
        return [absolute(path) if posix else path for path in stream.paths]


def _refuse_shared(paths: Sequence[str]) -> None:
    seen: set[str] = set()
    for path in paths:
        if path in seen:
            raise GraphError(f"two elements would be written to {path}: give every element a path of its own")
        seen.add(path)


class FilesStream(StoredStream):
    """The files at `paths`, in that order; element i is what file i holds."""

    @takes_client
    def __init__(self, paths: Sequence[str], storage: FilesStorage | None = None) -> None:
        if isinstance(paths, str | bytes) or not all(isinstance(path, str | os.PathLike) for path in paths):
            raise ScannerException(f"FilesStream takes a list of paths, not {paths!r:.80}")
        if not paths:
            raise ScannerException("FilesStream was given no path: a stream has at least one element")
        self.paths = [os.fspath(path) for path in paths]
        self._storage = storage if storage is not None else FilesStorage()

    def __repr__(self) -> str:
        return f"FilesStream({self.name()!r})"

    def name(self) -> str:
        """Return the first path, and how many more there are."""
        more = len(self.paths) - 1
        return self.paths[0] + (f" and {more} more" if more else "")

    def storage(self) -> FilesStorage:
        """Return the backend."""
        return self._storage

    def exists(self) -> bool:
        """Whether any of the files exists."""
        return any(stamp is not None for stamp in self._storage.files.stamps(self.paths))

    def committed(self) -> bool:
        """Whether all of the files exist."""
        return None not in self._storage.files.stamps(self.paths)

    def len(self) -> int:
        """How many paths there are."""
        return len(self.paths)

    def type(self) -> Any:
        """Elements are bytes."""
        return

    def estimate_size(self) -> int:
        """Return the mean size of the first files."""
        stamps = [stamp for stamp in self._storage.files.stamps(self.paths[:LOOKED_AT]) if stamp is not None]
        if not stamps:
            raise NotImplementedError("FilesStream.estimate_size of files that do not exist")
        return sum(size for size, _ in stamps) // len(stamps)

    def load_bytes(self, rows: Sequence[int] | None = None) -> Iterator[bytes]:
        """Yield the bytes of the files at `rows` (any order; None: all)."""
        read = self._storage.files.read
        yield from in_order(lambda wanted: read([self.paths[row] for row in wanted]), len(self.paths), rows)


@register_source("Files", stream_params=("paths",))
class FilesReader:
    """Reads one stream's files in a worker."""

    def __init__(
        self,
        paths: Sequence[str],
        storage_type: str = "posix",
        bucket: str | None = None,
        region: str | None = None,
        endpoint: str | None = None,
    ) -> None:
        self._paths = _checked(paths)
        self._files = open_files(storage_type, bucket, region, endpoint)

    def __len__(self) -> int:
        return len(self._paths)

    def identity(self) -> Any:
        """Return size and time of every file. Raises StorageError for those that do not exist."""
        stamps = self._files.stamps(self._paths)
        missing = [path for path, stamp in zip(self._paths, stamps, strict=True) if stamp is None]
        if missing:
            more = f" (nor do {len(missing) - 1} others of {len(stamps)})" if len(missing) > 1 else ""
            raise StorageError(f"the input file {missing[0]} does not exist{more}: check the path")
        return list(zip(self._paths, stamps, strict=True))

    def read(self, rows: Sequence[int]) -> Iterator[bytes]:
        """Yield the files' bytes."""
        return self._files.read([self._paths[row] for row in rows])


def _checked(paths: Any) -> list[str]:
    if isinstance(paths, str) or not all(isinstance(path, str) for path in paths):
        raise GraphError(f"Files takes one list of paths per stream, as in paths=[['a', 'b']], not {paths!r:.80}")
    return list(paths)


@register_sink("Files", stream_params=("paths",))
class FilesWriter:
    """Stages one task's files beside their places; `commit` gives all files of the stream their names."""

    def __init__(self, paths: Sequence[str], **place: str | None) -> None:
        self._paths = paths
        self._files = _open(place)

    def write(self, start: int, elements: Sequence[Any]) -> None:
        """Stage the elements from row `start` on."""
        for row, element in enumerate(elements, start):
            if not isinstance(element, bytes):
                what = "null" if isinstance(element, NullElement) else f"a {type(element).__name__}"
                raise SerializationError(f"row {row} is {what}, which cannot be written as the file {self._paths[row]}")
            self._files.stage(self._paths[row], element)

    def finish(self) -> None:
        """Staged files are durable already."""

    @classmethod
    def check(cls, rows: int, paths: Sequence[str], **place: str | None) -> None:
        """Refuse a stream that has not as many rows as there are paths."""
        del place
        _refuse_shared(_checked(paths))
        if rows != len(paths):
            raise GraphError(f"the column has {rows} rows, but the FilesStream has {len(paths)} paths: give one a row")

    @classmethod
    def commit(cls, results: Sequence[None], paths: Sequence[str], **place: str | None) -> None:
        """Give the files their names."""
        del results
        _open(place).publish(paths)

    @classmethod
    def discard(cls, paths: Sequence[str], before: float | None = None, **place: str | None) -> None:
        """Remove what was staged; with `before`, by a run that was killed before that time."""
        _open(place).unstage(paths, before)


def _open(place: Any) -> Files:
    return open_files(
        place.get("storage_type", "posix"), place.get("bucket"), place.get("region"), place.get("endpoint")
    )
