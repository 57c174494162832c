"""Reading many video files at once: in threads while they are few, in processes while they are many.

Indexing a small file is mostly Python, which threads cannot share; and a file that makes FFmpeg crash, or hang, takes
only the process with it that read it. A process that dies is replaced, and its file read once more, in case it was not
the file's fault.

Chunks are put without waiting for the disk; who enters them into the catalog syncs first.
"""

from __future__ import annotations

import pickle
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import RawArray
from typing import TYPE_CHECKING, Self

from scannerpy._client.database import Database
from scannerpy._client.watching import LEAVE_SECONDS, File, Raised, WatchedThreads
from scannerpy._engine.pool import child_context, starting_children
from scannerpy._store.catalog import Catalog
from scannerpy._store.layout import new_token
from scannerpy._store.objects import Objects
from scannerpy._words import heartbeat, sizing
from scannerpy._words.heartbeat import COUNTERS, Counters, GivenUp, Heartbeat
from scannerpy.errors import IngestError, ScannerException, StorageError

if TYPE_CHECKING:
    from scannerpy._video.ingest import Ingested, Known

MANY = 200
"""Files from which on processes are worth their start (a second or two)."""
_REENCODE = (
    "re-encode it (ffmpeg -i in -c:v libx264 -crf 18 out.mp4) if another program can read it, or download it again"
)


class Readers:
    """Reads files into one database. A context manager: leaving it ends the processes."""

    def __init__(self, database: Database, files: int, *, inline: bool, timeout: float) -> None:
        """`files`: how many there will be. `inline`: stay in this process, as debuggers like it.

        `timeout`: seconds in which nothing more can be read of a file before it is given up; 0: never.
        """
        objects = database.objects if files == 1 else database.objects.unsynced()
        cpus = sizing.machine_cpus()
        apart = files >= MANY and not inline and cpus > 1 and _can_travel(database)
        self._batch = _Batch(database)
        new_reader = partial(_InOwnProcess if apart else _InThisProcess, objects, self._batch)
        self._threads = WatchedThreads(new_reader, cpus, timeout, partial(_stuck, timeout))

    def __enter__(self) -> Self:
        self._threads.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.__exit__(*error)

    @property
    def token(self) -> str:
        """Whose the keys are under which the last files' chunks were stored, where they were not found."""
        return self._batch.token

    def each(self, files: Sequence[File]) -> Iterator[Ingested | IngestError]:
        """Yield what became of each file, in order."""
        self._batch.begin()
        yield from self._threads.each(files)


class _Batch:
    """The files that are read together, known by the token their chunks are stored under.

    All of them see the files that were known when the first was begun.
    """

    def __init__(self, database: Database) -> None:
        self.token = ""
        self._database = database
        self._lock = threading.Lock()
        self._known: Known | None = None

    def begin(self) -> None:
        """Another batch begins."""
        self.token = new_token()
        self._known = None

    def known(self) -> Known:
        """The files this batch need not scan again. Looked up when first asked for."""
        from scannerpy._video.ingest import Known

        with self._lock:
            if self._known is None:
                self._known = Known(self._database.catalog.state(), self.token)
            return self._known


def _stuck(timeout: float, path: str) -> IngestError:
    return IngestError(
        f"{path} was given up: for {timeout:g} s nothing more could be read of it. Either the disk or network it is on "
        f"does not answer: copy the file to this machine; or FFmpeg is stuck in it: {_REENCODE}. Raise file_timeout "
        "where files are only slow to come"
    )


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


class _InThisProcess:
    """Reads files in this process, in the thread that asks."""

    def __init__(self, objects: Objects, batch: _Batch) -> None:
        self.heartbeat = Heartbeat()
        self._objects = objects
        self._batch = batch

    @property
    def counters(self) -> Counters:
        """As `FileReader.counters`."""
        return self.heartbeat.counters

    def read(self, file: File) -> Ingested | IngestError:
        """As `FileReader.read`."""
        with heartbeat.attached(self.heartbeat):
            return _ingested(self._objects, file, self._batch.known())

    def end(self) -> None:
        """A thread cannot be ended."""


class _InOwnProcess:
    """Reads files in a process of its own, which can be ended. It is started for the first file."""

    def __init__(self, objects: Objects, batch: _Batch) -> None:
        self.heartbeat = Heartbeat()
        self.counters: Counters = self.heartbeat.counters
        self._objects = objects
        self._batch = batch
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._ended = False

    def read(self, file: File) -> Ingested | IngestError:
        """As `FileReader.read`. Raises also what reading raised in the process."""
        for _ in range(2):
            child = self._living()
            try:
                answer = child.ask(self._batch.token, file)
            except (EOFError, OSError):
                self._bury(child)
                continue
            if isinstance(answer, Raised):
                raise answer.error
            return answer
        return IngestError(f"{file[0]} makes FFmpeg crash: {_REENCODE}")

    def end(self) -> None:
        """Kill the process: whatever it is stuck in."""
        with self._lock:
            self._ended = True
            if self._child is not None:
                self._child.kill()

    def _living(self) -> _Child:
        with self._lock:
            if self._ended:
                raise GivenUp
            if self._child is None:
                self._child = _Child(self._objects)
                self.counters = self._child.counters
            return self._child

    def _bury(self, child: _Child) -> None:
        with self._lock:
            child.kill()
            self._child = None


class _Child:
    """A process that reads files, as its parent sees it."""

    def __init__(self, objects: Objects) -> None:
        context = child_context()
        self.counters: Counters = RawArray("q", COUNTERS)
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(  # type: ignore[attr-defined]  # every context has it
            target=_serve, args=(theirs, self.counters, objects), name="scanner-reader", daemon=True
        )
        with starting_children():
            self._process.start()
        theirs.close()

    def ask(self, batch: str, file: File) -> Ingested | IngestError | Raised:
        """Have a file read; what came of it. Raises EOFError or OSError where the process dies."""
        self._pipe.send((batch, file))
        answer: Ingested | IngestError | Raised = self._pipe.recv()
        return answer

    def kill(self) -> None:
        """End the process, and see it out."""
        self._process.kill()
        self._process.join(LEAVE_SECONDS)


# In the processes


def _serve(pipe: Connection, counters: Counters, objects: Objects) -> None:
    """Read files until the parent is gone."""
    from scannerpy._engine.worker import die_with_server

    die_with_server()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reader = _Reader(objects)
    with heartbeat.attached(Heartbeat(counters)), suppress(EOFError, OSError):
        while True:
            pipe.send(reader.answer(*pipe.recv()))


class _Reader:
    """What a process keeps from file to file."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._catalog = Catalog(objects)
        self._batch = ""
        self._known: Known | None = None

    def answer(self, batch: str, file: File) -> Ingested | IngestError | Raised:
        """What came of a file."""
        try:
            return _ingested(self._objects, file, self._known_in(batch))
        except Exception as error:  # noqa: BLE001  # the parent raises it again
            return Raised(_fit_to_travel(error))

    def _known_in(self, batch: str) -> Known:
        """Return the files known when `batch` began; looked up once for each."""
        from scannerpy._video.ingest import Known

        if self._known is None or batch != self._batch:
            self._batch, self._known = batch, Known(self._catalog.state(), batch)
        return self._known


def _fit_to_travel(error: Exception) -> Exception:
    """The error itself, or one of ours that says the same, where it would not survive the way to the parent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception as fault:  # noqa: BLE001  # what an exception's own code may raise when it is made again
        return ScannerException(f"{type(error).__name__}: {error} ({type(fault).__name__} when it was passed on)")
    return error
