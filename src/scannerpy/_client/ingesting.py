"""Ingest: makes tables from video files, many at a time; files that fail are collected with the reason."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, NamedTuple

from scannerpy._client.database import INDEX_COLUMN, Database
from scannerpy._client.readers import Readers
from scannerpy._engine.counting import counter
from scannerpy._graph.build import nodes_above
from scannerpy._graph.node import SourceNode
from scannerpy._store.catalog import ColumnRecord, DeleteTables, Event, State, TableRecord, numbered
from scannerpy._store.manifest import write_manifest
from scannerpy.common import log
from scannerpy.config import checked_timeout
from scannerpy.errors import IngestError, StreamExists
from scannerpy.sink import Sink
from scannerpy.storage import NamedVideoStream, paths_of

if TYPE_CHECKING:
    from scannerpy._video.ingest import Ingested

FRAME_COLUMN = "frame"
BATCH = 500
"""Tables that enter the catalog together."""
_WANTED = "pass a list of (table name, path) pairs, as in [('talk', 'talk.mp4')]"


@dataclass(frozen=True, slots=True)
class _Video:
    name: str
    path: str
    inplace: bool


class _Batch(NamedTuple):
    done: list[_Video]
    failed: list[tuple[_Video, str]]


class Ingest:
    """Makes tables from video files for one database."""

    def __init__(self, database: Database, *, inline: bool, file_timeout: float) -> None:
        """`inline`: stay in this process. `file_timeout`: seconds a file may give nothing more to read; 0: no limit."""
        self._database = database
        self._inline = inline
        self._file_timeout = file_timeout

    def videos(
        self,
        videos: Sequence[tuple[str, str]],
        *,
        inplace: bool,
        force: bool,
        show_progress: bool,
        file_timeout: float | None = None,
    ) -> tuple[list[str], list[tuple[str, str]]]:
        """Return the names of the tables made, and (path, reason) of the files that failed. Raises if all did."""
        made, failures = self.attempt(
            videos, inplace=inplace, force=force, show_progress=show_progress, file_timeout=file_timeout
        )
        if not made:
            raise IngestError(_all_failed(failures))
        return made, failures

    def attempt(
        self,
        videos: Sequence[tuple[str, str]],
        *,
        inplace: bool,
        force: bool,
        show_progress: bool,
        file_timeout: float | None = None,
    ) -> tuple[list[str], list[tuple[str, str]]]:
        """As `videos`, but for returning also where all failed."""
        wanted = [_Video(name, path, inplace) for name, path in _pairs(videos)]
        self._check(wanted, force=force)
        made: list[str] = []
        failures: list[tuple[str, str]] = []
        timeout = self._file_timeout if file_timeout is None else checked_timeout(file_timeout, "file_timeout")
        for done, failed in self._batches(wanted, BATCH, timeout, show_progress=show_progress):
            made += [video.name for video in done]
            failures += [(video.path, reason) for video, reason in failed]
        return made, failures

    def streams(self, streams: Sequence[NamedVideoStream], batch: int = BATCH, *, show_progress: bool = False) -> None:
        """Bring streams that have a path up to date with their files.

        Raises IngestError if one cannot be read, StreamExists if two of one name come from different files.
        """
        wanted = _distinct(_Video(s.name(), s._path, s._inplace) for s in paths_of(streams) if s._path is not None)
        for _, failed in self._batches(wanted, max(1, batch), self._file_timeout, show_progress=show_progress):
            if failed:
                video, reason = failed[0]
                more = f" (and {len(failed) - 1} more videos failed)" if len(failed) > 1 else ""
                raise IngestError(f"stream {video.name!r}: {reason}{more}")
        for stream in streams:
            stream._ingested = True

    def sources_of(self, sinks: Sequence[Sink], *, show_progress: bool = False) -> None:
        """Bring every input of a graph that comes from files up to date."""
        nodes = nodes_above([sink.node for sink in sinks])
        streams = {id(s): s for node in nodes if isinstance(node, SourceNode) for s in paths_of(node.streams)}
        if streams:
            self.streams(list(streams.values()), show_progress=show_progress)

    def _check(self, videos: Sequence[_Video], *, force: bool) -> None:
        if not videos:
            raise IngestError(f"ingest_videos was given no videos: {_WANTED}")
        seen: set[str] = set()
        for video in videos:
            if video.name in seen:
                raise StreamExists(f"two videos are to become table {video.name!r}: give each a name of its own")
            seen.add(video.name)
        state = self._database.catalog.state()
        existing = [video.name for video in videos if state.table(video.name) is not None]
        if existing and not force:
            raise StreamExists(
                f"table {existing[0]!r} exists already{_and_more(existing)}; pass force=True to replace it"
            )

    def _batches(self, videos: Sequence[_Video], size: int, timeout: float, *, show_progress: bool) -> Iterator[_Batch]:
        """Store the videos that can be read and enter them into the catalog, `size` at a time."""
        done = failed = 0
        with (
            Readers(self._database, len(videos), inline=self._inline, timeout=timeout) as readers,
            counter(show_progress, len(videos), "files") as count,
        ):
            for first in range(0, len(videos), size):
                batch = _Batch([], [])
                read: list[tuple[_Video, Ingested]] = []
                part = videos[first : first + size]
                for video, found in zip(part, readers.each([(v.path, v.inplace) for v in part]), strict=True):
                    _sort(video, found, read, batch.failed)
                    done, failed = done + 1, failed + isinstance(found, IngestError)
                    count(done, failed)
                if len(videos) > 1:
                    self._database.objects.sync()
                self._enter(read)
                yield _Batch([video for video, _ in read], batch.failed)

    def _enter(self, videos: Sequence[tuple[_Video, Ingested]]) -> None:
        """Put tables into the catalog, replacing those whose content has changed and leaving those it has not."""
        drafts = [self._draft(video, found) for video, found in videos]

        def decide(state: State) -> Sequence[Event]:
            changed = [draft for draft in drafts if not _same(state.table(draft.name), draft)]
            replaced = tuple(at.id for draft in changed if (at := state.table(draft.name)) is not None)
            events: list[Event] = [DeleteTables(replaced)] if replaced else []
            return [*events, numbered(state, changed)] if changed else []

        self._database.change(decide)

    def _draft(self, video: _Video, found: Ingested) -> TableRecord:
        return TableRecord(
            id=0, name=video.name, rows=found.rows, committed=True, job_id=None, key=found.key,
            columns=(ColumnRecord(INDEX_COLUMN, is_video=False), ColumnRecord(FRAME_COLUMN, is_video=True)),
            manifest=write_manifest(self._database.objects, found.key, {FRAME_COLUMN: list(found.refs)}),
            source=found.source, created=time.time(),
        )  # fmt: skip


def _same(at: TableRecord | None, draft: TableRecord) -> bool:
    """Whether a table is what the draft would make of it (but for its id and age)."""
    if at is None or not at.committed:
        return False
    return (at.key, at.manifest, at.source, at.rows) == (draft.key, draft.manifest, draft.source, draft.rows)


def _pairs(videos: object) -> Iterator[tuple[str, str]]:
    """Yield (table name, path) as given; raises IngestError for anything else."""
    if isinstance(videos, str | bytes | Mapping) or not isinstance(videos, Iterable):
        raise IngestError(f"ingest_videos was given {videos!r:.80}: {_WANTED}")
    for pair in videos:
        if isinstance(pair, str | bytes) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise IngestError(f"ingest_videos was given {pair!r:.80} as one of its videos: {_WANTED}")
        name, path = pair
        if not isinstance(name, str) or not isinstance(path, str | PathLike):
            raise IngestError(f"ingest_videos was given {pair!r:.80}: both are text; {_WANTED}")
        yield name, str(path)


def _distinct(videos: Iterable[_Video]) -> list[_Video]:
    """A table may be the input of several jobs; it is read from one file."""
    by_name: dict[str, _Video] = {}
    for video in videos:
        other = by_name.setdefault(video.name, video)
        if other.path != video.path:
            raise StreamExists(
                f"two streams are named {video.name!r}, and one comes from {other.path}, the other from {video.path}: "
                "give each a name of its own"
            )
    return list(by_name.values())


def _sort(
    video: _Video, found: Ingested | IngestError, read: list[tuple[_Video, Ingested]], failed: list[tuple[_Video, str]]
) -> None:
    if isinstance(found, IngestError):
        failed.append((video, str(found)))
        return
    for problem in found.problems:
        log.warning("%s: %s", video.path, problem)
    read.append((video, found))


def _and_more(names: Sequence[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""


def _all_failed(failures: Sequence[tuple[str, str]]) -> str:
    reasons = "; ".join(reason for _, reason in failures[:3])
    more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
    what = f"all {len(failures)} videos" if len(failures) > 1 else "the only video"
    return f"{what} failed to ingest: {reasons}{more}"
