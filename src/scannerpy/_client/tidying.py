"""Clearing away what killed programs left of a database, and never what another one is at work on.

What a `kill -9` can leave, and who removes it:

* half-written files in ``.staging``, or on the way to a bucket: whoever next opens the database (`_store.local`,
  `_store.remote`);
* staged outputs of a storage backend, such as the hidden ``.part`` files of `FilesStream`, and hidden tables of an
  Overwrite that nothing can go on from any more: the next run on the database (`after_the_dead`);
* chunks no table refers to, of an ingest or a `new_table` before its entry, of a deletion after its entry, of a worker
  whose job was taken from it: who asks for it, since all of the data has to be listed (`find_stray`, `remove`);
* unfinished tables with their chunks, and the rows of an unfinished SQL output: nobody, because the same run goes on
  from them, and deleting the stream removes them;
* half-written .mp4 and .parquet files: whoever next writes a file of that name.

A run counts as dead when its process on this machine is gone. Of one on another machine, or from before this one was
started again, nothing is known for certain, and it is left alone; stray data of such a one goes when it is a week old.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scannerpy._client import backend_outputs
from scannerpy._client.database import Database
from scannerpy._client.history import is_surely_dead, read_record
from scannerpy._store import layout
from scannerpy._store.catalog import DeleteTables, EndJob, Event, State
from scannerpy._store.objects import ObjectMissing
from scannerpy._words.owner import is_abandoned, lives
from scannerpy.common import log
from scannerpy.errors import CorruptObject, NewerFormat

INTERRUPTED = "interrupted"
CLOCKS_DIFFER = 1.0
"""Seconds by which the times of files may be coarser than the clock."""


def after_the_dead(database: Database) -> None:
    """End the runs whose process is gone, and remove what only they could use."""
    state = database.catalog.state()
    going = [job_id for job_id, job in state.jobs.items() if not job.outcome]
    if not going:
        return
    before = time.time() - CLOCKS_DIFFER
    dead = [job_id for job_id in going if _is_dead(database, job_id)]
    if len(dead) == len(going):  # nobody else may be writing to the same places
        dead = [job_id for job_id in dead if backend_outputs.discard_kept(database.objects, job_id, before)]
    else:
        dead = [job_id for job_id in dead if not backend_outputs.has_kept(database.objects, job_id)]
    if dead:
        database.change(lambda now: _ended(now, dead))


def _is_dead(database: Database, job_id: int) -> bool:
    try:
        record = read_record(database.objects, job_id)
    except (CorruptObject, NewerFormat) as error:  # the notes of runs are not synced: a power cut may tear them
        log.debug("%s", error)
        return False
    return record is not None and is_surely_dead(record.origin)


def _ended(state: State, dead: Sequence[int]) -> list[Event]:
    ends: list[Event] = [EndJob(job_id, time.time(), INTERRUPTED) for job_id in dead if not state.jobs[job_id].outcome]
    others = {job_id for job_id, job in state.jobs.items() if not job.outcome} - set(dead)
    useless = () if others else tuple(_useless(state))
    return [*ends, DeleteTables(useless)] if useless else ends


def _useless(state: State) -> Iterator[int]:
    """Hidden tables that were to replace one that is not there any more: a run of now would not take them up."""
    for table in state.tables.values():
        visible = state.table(table.name)
        if table.hidden and (visible is None or visible.id > table.id):
            yield table.id


# Stray chunks


@dataclass(frozen=True, slots=True)
class Stray:
    """Folders of data that no table refers to and nobody is at work on: their bytes, by key."""

    folders: Mapping[str, int]

    @property
    def bytes(self) -> int:
        """How much room they take."""
        return sum(self.folders.values())


def find_stray(database: Database) -> Stray:
    """Look through all data. Safe beside other programs: a key's maker is dead before the catalog is asked for it."""
    found: dict[str, dict[str, int]] = {}
    for path, size in database.objects.list("data"):
        found.setdefault(path.split("/")[1], {})[path] = size
    unowned = {key: paths for key, paths in found.items() if _is_abandoned(database, key, paths)}
    used = {table.key for table in database.catalog.state().tables.values()}
    return Stray({key: sum(paths.values()) for key, paths in unowned.items() if key not in used})


def _is_abandoned(database: Database, key: str, paths: Mapping[str, int]) -> bool:
    if lives(key) is not None:
        return is_abandoned(key, 0.0)
    try:
        return is_abandoned(key, max(database.objects.written(path) for path in paths))
    except ObjectMissing:  # it was deleted just now, so its owner is at work
        return False


def remove(database: Database, stray: Stray) -> None:
    """Delete what `find_stray` found."""
    for key in stray.folders:
        database.objects.delete([path for path, _ in database.objects.list(layout.key_folder(key))])
