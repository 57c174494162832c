"""One video file becomes one chunk of kind ``video``: its packets copied, or only its index where it is read in place.

A file is known again by its path, size and modification time, and failing that by the SHA-256 of its bytes. So an
unchanged file is never scanned twice, and the same bytes under another name are stored once. Hashing runs beside the
scan; only where a stored file has the same size is the file hashed first, because then the scan may not be needed.
"""

from __future__ import annotations

import contextvars
import hashlib
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scannerpy._store import bucket_file
from scannerpy._store.bucket_file import BucketFile, Stamp
from scannerpy._store.chunk import Chunk, ChunkRef, ChunkWriter, SpoolingChunkWriter
from scannerpy._store.layout import chunk_path, made_by, new_token
from scannerpy._store.manifest import read_manifest
from scannerpy._store.objects import ObjectMissing, Objects
from scannerpy._store.records import SourceRecord, TableRecord
from scannerpy._store.state import State
from scannerpy._video.demux import REENCODE
from scannerpy._video.index import to_bytes
from scannerpy._video.refusals import NoVideo
from scannerpy._video.scan import Scan, scan
from scannerpy._words.heartbeat import beat, reading
from scannerpy.errors import ConfigError, CorruptObject, IngestError, StorageError, StorageFull

COLUMN = "frame"
SCAN_VERSION = 3
"""Part of every key: a scan that finds more, or otherwise, must not take up an older one's chunks."""
HASHED_BESIDE = 4 << 20
"""Bytes from which on hashing takes longer than starting a thread for it."""
HASHED_AT_ONCE = 1 << 20
RACY_SECONDS = 2
"""A file written so shortly before it was ingested may have been written again within its clock's tick."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a table made from the file is to be: its key, the chunks of its column `COLUMN`, and its rows.

    `problems` are sentences about what of the file is lost. `scanned` is False where stored bytes were found again.
    """

    key: str
    refs: tuple[ChunkRef, ...]
    rows: int
    source: SourceRecord
    problems: tuple[str, ...]
    scanned: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    source: SourceRecord
    key: str
    rows: int
    manifest: str
    refs: tuple[ChunkRef, ...]
    created: float


class Known:
    """The files a database has ingested. Grows with `learn`, so that a batch knows its own."""

    def __init__(self, state: State | None = None, token: str = "") -> None:
        """`token`: who stores what is new, see `layout`; given where several processes are one."""
        self.token = token or new_token()
        self._by_path: dict[str, _Entry] = {}
        self._by_content: dict[tuple[str, bool], _Entry] = {}
        self._sizes: set[int] = set()
        for table in state.tables.values() if state else ():
            if table.source is not None and table.committed:
                self._add(_entry_of(table, table.source))

    def learn(self, found: Ingested, now: float) -> None:
        """Remember a file just ingested."""
        self._add(_Entry(found.source, found.key, found.rows, "", found.refs, now))

    def same_file(self, path: str, status: os.stat_result | Stamp) -> _Entry | None:
        """The entry of that path, if size and time are what they were and could not have changed unnoticed."""
        entry = self._by_path.get(path)
        if entry is None or (entry.source.size, entry.source.mtime_ns) != (status.st_size, status.st_mtime_ns):
            return None
        return entry if entry.created - status.st_mtime_ns / 1e9 > RACY_SECONDS else None

    def same_content(self, content: str, *, inplace: bool) -> _Entry | None:
        """An entry of the same bytes, kept in the same way."""
        return self._by_content.get((content, inplace))

    def has_size(self, size: int) -> bool:
        """Whether any known file has that size."""
        return size in self._sizes

    def _add(self, entry: _Entry) -> None:
        self._by_path[entry.source.path] = entry
        self._by_content[entry.source.content, entry.source.inplace] = entry
        self._sizes.add(entry.source.size)


def ingest(
    objects: Objects, path: str | os.PathLike[str], *, inplace: bool = False, known: Known | None = None
) -> Ingested:
    """Store the video of the file at `path`, or find it stored. `path` may be in a bucket, see `bucket_file.find`.

    What is stored is stored under `known`'s token; what is found has the key of the table that has it, and counts only
    if the catalog still has one of that key when it is entered.

    `inplace`: only its index, the packets are read from the file whenever they are needed; where the container does not
    allow that, they are copied all the same. Raises IngestError saying what is wrong with which file and what to do;
    StorageFull and StorageError where the database is at fault.
    """
    known = known or Known()
    remote = bucket_file.find(os.fspath(path), objects)
    if remote is not None:
        return _downloaded(objects, remote, known)
    _refuse_what_is_no_path(os.fspath(path))
    file = Path(path).expanduser().absolute()  # not resolved: a link may be pointed elsewhere later
    status = _checked(file)
    again = _unchanged(objects, known, file, status, inplace=inplace)
    found = again or _new(objects, file, status, known.token, inplace=inplace)
    _refuse_changed(file, status)
    return found


def _refuse_what_is_no_path(path: str) -> None:
    scheme, found, _ = path.partition("://")
    if found and scheme.isalnum() and not Path(path).exists():
        raise IngestError(
            f"{path} is a URL: download the file and give its path (s3://bucket/key and gs://bucket/key need not be)"
        )
    if "\0" in path:
        raise IngestError(f"{path!r} is no path: it holds a NUL character")


def _downloaded(objects: Objects, remote: BucketFile, known: Known) -> Ingested:
    """Copy the video of a file in a bucket, unless it is what it was. What is in a bucket is never read in place."""
    with _source_errors(remote):
        stamp = remote.stamp()
    if not stamp.st_size:
        raise IngestError(f"{remote.url} is empty (0 bytes): upload it again")
    entry = known.same_file(remote.url, stamp)
    again = _again(objects, entry, entry.source) if entry is not None else None
    if again is not None:
        return again
    with objects.staging() as staged:
        file = staged.with_name(staged.name + Path(remote.key).suffix)
        try:
            found = _of_copy(objects, remote, file, known)
        finally:
            file.unlink(missing_ok=True)
    with _source_errors(remote):
        if remote.stamp() != stamp:
            raise IngestError(f"{remote.url} changed while it was read: ingest it again when it is complete")
    source = SourceRecord(remote.url, stamp.st_size, stamp.st_mtime_ns, found.source.content, inplace=False)
    return replace(found, source=source)


def _of_copy(objects: Objects, remote: BucketFile, file: Path, known: Known) -> Ingested:
    with _source_errors(remote):
        remote.download(file)
    status = file.stat()
    try:
        again = _unchanged(objects, known, file, status, inplace=False)
        return again or _new(objects, file, status, known.token, inplace=False)
    except IngestError as error:
        raise IngestError(str(error).replace(str(file), remote.url)) from error


@contextmanager
def _source_errors(remote: BucketFile) -> Iterator[None]:
    """A file that cannot be fetched is a file that cannot become a table."""
    try:
        yield
    except ObjectMissing as error:
        raise IngestError(f"{remote.url} does not exist: check bucket and key, or the path if it is local") from error
    except StorageFull:
        raise
    except (StorageError, ConfigError) as error:
        raise IngestError(str(error)) from error


def _unchanged(objects: Objects, known: Known, file: Path, status: os.stat_result, *, inplace: bool) -> Ingested | None:
    """The file as it was ingested before, if it need not be scanned."""
    entry = known.same_file(str(file), status)
    if entry is not None and (inplace or not entry.source.inplace):
        return _again(objects, entry, entry.source)
    if not known.has_size(status.st_size):
        return None
    content = _digest(file)
    copied = known.same_content(content, inplace=False)
    if copied is not None:  # serves an in-place request too: the bytes are here already
        return _again(objects, copied, _source(file, status, content, inplace=False))
    return _indexed_elsewhere(objects, known, file, status, content) if inplace else None


def _indexed_elsewhere(
    objects: Objects, known: Known, file: Path, status: os.stat_result, content: str
) -> Ingested | None:
    """The same bytes were indexed in place under another name, or before a touch: only the name is new."""
    entry = known.same_content(content, inplace=True)
    if entry is None:
        return None
    chunk = _opened(objects, _refs(objects, entry)[0])
    if chunk is None:
        return None
    return _stored_index(
        objects, file, status, known.token, content, chunk.section("index"), chunk.meta, entry.rows, scanned=False
    )


def _again(objects: Objects, entry: _Entry, source: SourceRecord) -> Ingested | None:
    """What is stored under an entry, if it is still there and sound."""
    refs = _refs(objects, entry)
    chunks = [_opened(objects, ref) for ref in refs]
    problems = [str(problem) for chunk in chunks if chunk for problem in chunk.meta.get("problems", ())]
    if None in chunks:
        return None
    return Ingested(entry.key, tuple(refs), entry.rows, source, tuple(problems), scanned=False)


def _opened(objects: Objects, ref: ChunkRef) -> Chunk | None:
    try:
        return Chunk.open(objects, ref)
    except (ObjectMissing, CorruptObject):  # lost or damaged: the file itself is here to make it again
        return None


def _refs(objects: Objects, entry: _Entry) -> Sequence[ChunkRef]:
    return entry.refs or read_manifest(objects, entry.manifest)[COLUMN]


def _new(objects: Objects, file: Path, status: os.stat_result, token: str, *, inplace: bool) -> Ingested:
    with _hashing(file, status.st_size) as content:
        if inplace:
            found = _scanned(file, None)
            if found.inplace_possible:
                meta = _meta(found)
                return _stored_index(
                    objects,
                    file,
                    status,
                    token,
                    content.result(),
                    to_bytes(found.index),
                    meta,
                    found.index.rows,
                    scanned=True,
                )
        return _copied(objects, file, status, token, content)


@contextmanager
def _hashing(file: Path, size: int) -> Iterator[Future[str]]:
    """The digest of a file's content: of a large one while it is scanned."""
    content: Future[str] = Future()
    if size < HASHED_BESIDE:
        content.set_result(_digest(file))
        yield content
        return
    told = contextvars.copy_context()  # the thread beats the same heartbeat
    beside = threading.Thread(target=lambda: told.run(_fulfil, content, file), name="scanner-hash", daemon=True)
    beside.start()
    try:
        yield content
    finally:
        beside.join()


def _fulfil(content: Future[str], file: Path) -> None:
    try:
        content.set_result(_digest(file))
    except BaseException as error:  # noqa: BLE001  # raised where the result is asked for
        content.set_exception(error)


def _copied(objects: Objects, file: Path, status: os.stat_result, token: str, content: Future[str]) -> Ingested:
    with SpoolingChunkWriter(objects, "video") as writer:
        found = _scanned(file, writer)
        writer.meta = _meta(found)
        writer.section("index", to_bytes(found.index))
        key = made_by(f"v{SCAN_VERSION}-{content.result()[:40]}", token)
        ref = _replacing_damaged(objects, writer, chunk_path(key, COLUMN, 0), found.index.rows)
    source = _source(file, status, content.result(), inplace=False)
    return Ingested(key, (ref,), ref.rows, source, tuple(found.problems), scanned=True)


def _stored_index(
    objects: Objects,
    file: Path,
    status: os.stat_result,
    token: str,
    content: str,
    index: bytes,
    meta: dict[str, Any],
    rows: int,
    *,
    scanned: bool,
) -> Ingested:
    """A chunk without packets, that points into the file."""
    external = {"path": str(file), "size": status.st_size, "mtime_ns": status.st_mtime_ns}
    writer = ChunkWriter("video", {**meta, "external": external})
    writer.section("index", index)
    who = hashlib.sha256(f"{file}\0{status.st_mtime_ns}\0{content}".encode("utf-8", "surrogateescape")).hexdigest()
    key = made_by(f"i{SCAN_VERSION}-{who[:40]}", token)
    ref = _replacing_damaged(objects, writer, chunk_path(key, COLUMN, 0), rows)
    source = _source(file, status, content, inplace=True)
    return Ingested(key, (ref,), rows, source, tuple(meta.get("problems", ())), scanned)


def _replacing_damaged(objects: Objects, writer: ChunkWriter | SpoolingChunkWriter, path: str, rows: int) -> ChunkRef:
    """Store a chunk unless a sound one is there: the key says that it holds the same."""
    try:
        damaged = objects.exists(path) and Chunk.open(objects, path).end != rows
    except CorruptObject:
        damaged = True
    return writer.to(objects, path, create=not damaged, rows=rows)


def _scanned(file: Path, writer: SpoolingChunkWriter | None) -> Scan:
    sink = None if writer is None else lambda data: _ignore(writer.add(data))
    with _readable(file):
        try:
            return scan(file, sink, fits_inplace=writer is None)
        except IngestError as error:
            if isinstance(error, NoVideo) or REENCODE in str(error):
                raise
            raise IngestError(f"{error}. See what ffprobe says of it; give a file that plays, or {REENCODE}") from error


def _ignore(_position: int) -> None:
    """A sink returns nothing."""


def _meta(found: Scan) -> dict[str, Any]:
    index = found.index
    return {"codec": index.codec, "width": index.width, "height": index.height, "problems": list(found.problems)}


def _source(file: Path, status: os.stat_result, content: str, *, inplace: bool) -> SourceRecord:
    return SourceRecord(str(file), status.st_size, status.st_mtime_ns, content, inplace)


def _entry_of(table: TableRecord, source: SourceRecord) -> _Entry:
    return _Entry(source, table.key, table.rows, table.manifest, (), table.created)


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with _readable(file), file.open("rb", buffering=0) as data:
        while piece := data.read(HASHED_AT_ONCE):
            beat()
            digest.update(piece)
    return digest.hexdigest()


def _checked(file: Path) -> os.stat_result:
    """The file's status. Raises IngestError for what cannot be a video."""
    with _readable(file):
        status = file.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IngestError(f"{file} is a directory, not a video: name the files in it, one table each")
    if not stat.S_ISREG(status.st_mode):
        raise IngestError(f"{file} is not a regular file: save the video to a file and ingest that")
    if not status.st_size:
        raise IngestError(f"{file} is empty (0 bytes): copy or download it again")
    return status


def _refuse_changed(file: Path, before: os.stat_result) -> None:
    with _readable(file):
        after = file.stat()
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise IngestError(f"{file} changed while it was read: ingest it again when it is complete")


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Say what is wrong with the file where the operating system does not let us read it; be watched meanwhile."""
    try:
        with reading():
            yield
    except IngestError:
        raise
    except FileNotFoundError as error:
        raise IngestError(f"{file} does not exist: check the path (relative ones start at {Path.cwd()})") from error
    except PermissionError as error:
        raise IngestError(f"{file} may not be read by this user: change its permissions, or copy it") from error
    except OSError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)) != file:
            raise
        raise IngestError(f"{file} cannot be read ({error.strerror}): check its name and the disk it is on") from error
