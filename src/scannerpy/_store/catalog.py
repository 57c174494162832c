"""The catalog: which tables there are, as an append-only log.

::

    scanner.json                              the database's format
    log/00000000000000000001.json, …          entries, each put only if absent
    snapshot/00000000000000000160.json        the state after entry 160

A writer reads on to the end of the log, decides on the state it finds, and puts the next entry. Of several that try,
one wins; the others read its entry and decide again. So every decision is based on everything before it, with no lock
and no server, on a disk or in a bucket alike. Snapshots only make opening quick: losing one costs time, not data.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence

from scannerpy._store.documents import decode, encode
from scannerpy._store.objects import ObjectMissing, Objects
from scannerpy._store.records import ColumnRecord, JobRecord, SourceRecord, TableRecord
from scannerpy._store.state import (
    Commit,
    CommitTables,
    CreateTables,
    DeleteTables,
    EndJob,
    Event,
    NewJob,
    State,
    apply,
    event_from_json,
    event_to_json,
    numbered,
    replay,
    state_from_json,
    state_to_json,
)
from scannerpy.common import log
from scannerpy.errors import ConfigError, CorruptObject, StorageError

__all__ = [
    "Catalog",
    "ColumnRecord",
    "Commit",
    "CommitTables",
    "CreateTables",
    "DeleteTables",
    "EndJob",
    "Event",
    "JobRecord",
    "NewJob",
    "SourceRecord",
    "State",
    "TableRecord",
    "apply",
    "numbered",
]

ENTRY_COST = 8 << 10
"""Reading an entry costs at least as much as so many bytes of a snapshot: it is a file to open, or a request."""
SMALLEST_SNAPSHOT = 512 << 10
READ_AHEAD = 64


class Catalog:
    """The tables of one database. May be shared by threads; each process opens its own."""

    def __init__(self, objects: Objects) -> None:
        """Open the catalog of `objects`; an empty place is an empty database.

        Raises NewerFormat, CorruptObject, ConfigError (a database of the original Scanner), StorageError.
        """
        self._objects = objects
        self._lock = threading.RLock()
        self._founded = _check_format(objects)
        self._state = State()
        self._snapshot_bytes = 0
        self._log_cost = 0
        self._load_snapshot()
        self.state()

    def state(self) -> State:
        """The state now: entries that others wrote since the last look are read first."""
        with self._lock:
            entries = self._read_on()
            if entries:
                self._state = self._replayed(entries)
            return self._state

    def transact(self, decide: Callable[[State], Sequence[Event]]) -> State:
        """Append what `decide` answers to the state as it is then; the state after it.

        `decide` is called again when another writer was first, so it should only look at its argument. No events:
        nothing is written. What it raises is passed on. All its events take effect together or not at all.
        """
        with self._lock:
            while True:
                state = self.state()
                events = tuple(decide(state))
                if not events:
                    return state
                after = apply(state, events)
                if self._append(after.version, events):
                    self._state = after
                    self._maybe_snapshot()
                    return after

    def _append(self, number: int, events: Sequence[Event]) -> bool:
        self._found()
        token = uuid.uuid4().hex
        data = encode("log", {"token": token, "events": [event_to_json(event) for event in events]})
        if not self._objects.put(_entry(number), data, create=True) and self._token(number) != token:
            return False
        self._log_cost += max(len(data), ENTRY_COST)
        return True

    def _token(self, number: int) -> str:
        """Who wrote an entry. A bucket may have stored ours and lost the answer, then refused the repetition."""
        path = _entry(number)
        return str(decode("log", self._objects.get(path), self._objects, path)["token"])

    def _found(self) -> None:
        if not self._founded:
            self._objects.put("scanner.json", encode("database", {"created": time.time()}), create=True)
            self._founded = True

    def _read_on(self) -> list[Sequence[Event]]:
        entries: list[Sequence[Event]] = []
        number, ahead = self._state.version + 1, 1
        while True:
            paths = [_entry(number + k) for k in range(ahead)]
            for path, data in zip(paths, self._objects.get_each(paths), strict=True):
                if data is None:
                    return entries
                entries.append(self._events(path, data))
                self._log_cost += max(len(data), ENTRY_COST)
            number, ahead = number + ahead, min(ahead * 4, READ_AHEAD)

    def _events(self, path: str, data: bytes) -> list[Event]:
        body = decode("log", data, self._objects, path)
        try:
            return [event_from_json(event) for event in body["events"]]
        except (ValueError, KeyError, TypeError) as error:
            raise self._inconsistent(path, error) from error

    def _replayed(self, entries: Sequence[Sequence[Event]]) -> State:
        try:
            return replay(self._state, entries)
        except (ValueError, KeyError) as error:
            raise self._inconsistent(_entry(self._state.version + 1), error) from error

    def _inconsistent(self, path: str, error: Exception) -> CorruptObject:
        return CorruptObject(
            f"The log of {self._objects.where} does not fit together at or after {path}: {error}. "
            "Restore the database from a backup"
        )

    def _load_snapshot(self) -> None:
        for path, size in reversed(self._objects.list("snapshot")):
            try:
                self._state = state_from_json(decode("snapshot", self._objects.get(path), self._objects, path))
            except CorruptObject as error:
                log.warning("%s It holds nothing that the log does not: an older one is used", error)
                continue
            except ObjectMissing:  # tidied away by another process since we listed
                return self._load_snapshot()
            self._snapshot_bytes = size
            return None
        return None

    def _maybe_snapshot(self) -> None:
        if self._log_cost <= max(self._snapshot_bytes, SMALLEST_SNAPSHOT):
            return
        data = encode("snapshot", state_to_json(self._state))
        self._log_cost, self._snapshot_bytes = 0, len(data)
        try:
            older = [path for path, _ in self._objects.list("snapshot")]
            self._objects.put(_snapshot(self._state.version), data, create=True)
            self._objects.delete(older[:-1])
        except StorageError as error:  # the transaction counts; only the next opening will be slower
            log.warning("No snapshot of the catalog could be written: %s", error)


def _check_format(objects: Objects) -> bool:
    """Whether the database exists."""
    (data,) = objects.get_each(["scanner.json"])
    if data is not None:
        decode("database", data, objects, "scanner.json")
        return True
    if objects.exists("db_metadata.bin"):
        raise ConfigError(
            f"{objects.where} holds a database of the original Scanner, which has another format: "
            "choose an empty db_path and ingest the videos again"
        )
    return False


def _entry(number: int) -> str:
    return f"log/{number:020d}.json"


def _snapshot(number: int) -> str:
    return f"snapshot/{number:020d}.json"
