"""Reading many video files at once: in threads while they are few, in processes while they are many.

Indexing a small file is mostly Python, which threads cannot share; and a file that makes FFmpeg crash takes only the
process with it that read it. Files that were being read then are read again one by one, so that only the one that
crashes is blamed.

Chunks are put without waiting for the disk; who enters them into the catalog syncs first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Self

from scannerpy._client.database import Database
from scannerpy._engine.pool import child_context, starting_children
from scannerpy._store.catalog import Catalog
from scannerpy._store.objects import Objects
from scannerpy._words import sizing
from scannerpy.errors import IngestError, StorageError

if TYPE_CHECKING:
    from scannerpy._video.ingest import Ingested, Known

MANY = 200
"""Files from which on processes are worth their start (a second or two)."""

File = tuple[str, bool]
"""A path, and whether it is to be read in place."""


class Readers:
    """Reads files into one database. A context manager: leaving it ends the processes."""

    def __init__(self, database: Database, files: int, *, inline: bool) -> None:
        """`files`: how many there will be. `inline`: stay in this process, as debuggers like it."""
        self._database = database
        self._pool: ProcessPoolExecutor | None = None
        self._in_processes = files >= MANY and not inline and sizing.machine_cpus() > 1 and _can_travel(database)
        self._objects = database.objects if files == 1 else database.objects.unsynced()
        self._batch = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def each(self, files: Sequence[File]) -> Iterator[Ingested | IngestError]:
        """Yield what became of each file, in order."""
        self._batch += 1
        if self._in_processes:
            yield from self._each_in_processes(files)
        else:
            yield from self._each_in_threads(files)

    def _each_in_threads(self, files: Sequence[File]) -> Iterator[Ingested | IngestError]:
        from scannerpy._video.ingest import Known

        known = Known(self._database.catalog.state())
        if len(files) == 1:  # no thread for the commonest case
            yield _ingested(self._objects, files[0], known)
            return
        with ThreadPoolExecutor(sizing.machine_cpus(), "scanner-ingest") as pool:
            yield from pool.map(lambda file: _ingested(self._objects, file, known), files)

    def _each_in_processes(self, files: Sequence[File]) -> Iterator[Ingested | IngestError]:
        if self._pool is None:
            self._pool = self._start(sizing.machine_cpus())
        crashed = False
        for file, future in zip(files, self._submit(self._pool, files), strict=True):
            try:
                yield future.result()
            except BrokenProcessPool:
                crashed = True
                yield self._alone(file)
        if crashed:
            self._pool.shutdown()
            self._pool = None

    def _alone(self, file: File) -> Ingested | IngestError:
        """Read a file that may have crashed its process, in a process where it can crash nobody else's."""
        with self._start(1) as pool:
            try:
                return self._submit(pool, [file])[0].result()
            except BrokenProcessPool:
                return IngestError(
                    f"{file[0]} makes FFmpeg crash: re-encode it (ffmpeg -i in -c:v libx264 -crf 18 out.mp4) if "
                    "another program can read it, or download it again"
                )

    def _start(self, processes: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(processes, mp_context=child_context(), initializer=_open, initargs=(self._objects,))

    def _submit(self, pool: ProcessPoolExecutor, files: Sequence[File]) -> list[Future[Ingested | IngestError]]:
        with starting_children():
            return [pool.submit(_read, self._batch, file) for file in files]


def _can_travel(database: Database) -> bool:
    try:
        database.objects.__reduce_ex__(2)
    except StorageError:  # a database in this process's memory
        return False
    return True


def _ingested(objects: Objects, file: File, known: Known) -> Ingested | IngestError:
    from scannerpy._video.ingest import ingest

    path, inplace = file
    try:
        return ingest(objects, path, inplace=inplace, known=known)
    except IngestError as error:
        return error


# In the processes


class _Child:
    """What a process keeps from file to file."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._catalog = Catalog(objects)
        self._batch = -1
        self._known: Known | None = None

    def known(self, batch: int) -> Known:
        """Return the files known when `batch` began; looked up once for each."""
        from scannerpy._video.ingest import Known

        if self._known is None or batch != self._batch:
            self._batch, self._known = batch, Known(self._catalog.state())
        return self._known


_child: list[_Child] = []


def _open(objects: Objects) -> None:
    _child[:] = [_Child(objects)]


def _read(batch: int, file: File) -> Ingested | IngestError:
    return _ingested(_child[0].objects, file, _child[0].known(batch))
