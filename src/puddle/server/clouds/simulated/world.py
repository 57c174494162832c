"""Where the things of a simulated cloud are: in memory, or in a file that many processes share.

A world holds values by kind and key. Everything is read and changed inside `with world.open() as things`, one process
and thread at a time. Values are frozen: a change puts a new one.
"""

from __future__ import annotations

import pickle
import sqlite3
import threading
import weakref
from collections import defaultdict
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, Self


class Things(Protocol):
    """What a world holds, while it is open."""

    def get(self, kind: str, key: str) -> Any | None:
        """Return a value, or None where there is none."""

    def put(self, kind: str, key: str, value: Any) -> None:
        """Put a value in the place of the one that is there."""

    def remove(self, kind: str, key: str) -> None:
        """Remove a value, if it is there."""

    def all(self, kind: str) -> list[tuple[str, Any]]:
        """Return all (key, value) of a kind, in the order in which their keys first came."""


class World(Protocol):
    """A place for things. Opening it does not nest."""

    def open(self) -> AbstractContextManager[Things]:
        """Have the world for oneself. What was put counts together when it closes, in a file not at all on an error."""


def counted(things: Things, name: str) -> int:
    """Return the next number of a name: 1, 2, 3…"""
    number = int(things.get("counts", name) or 0) + 1
    things.put("counts", name, number)
    return number


class MemoryWorld:
    """A world in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[str, dict[str, Any]] = defaultdict(dict)

    def open(self) -> Self:
        """See World. Nothing is undone on an error: orders are checked before anything is put."""
        return self

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *_error: object) -> None:
        self._lock.release()

    def get(self, kind: str, key: str) -> Any | None:
        """See Things."""
        return self._kinds[kind].get(key)

    def put(self, kind: str, key: str, value: Any) -> None:
        """See Things."""
        self._kinds[kind][key] = value

    def remove(self, kind: str, key: str) -> None:
        """See Things."""
        self._kinds[kind].pop(key, None)

    def all(self, kind: str) -> list[tuple[str, Any]]:
        """See Things."""
        return list(self._kinds[kind].items())


_TABLE = "CREATE TABLE IF NOT EXISTS things (kind TEXT, key TEXT, value BLOB, PRIMARY KEY (kind, key))"
_PUT = "INSERT INTO things VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value"


class FileWorld:
    """A world in a file, whole whenever the processes that share it are killed.

    The file holds pickles: open only those of your own tests. It is not made to survive the end of the machine (nothing
    waits for the disk).
    """

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
        weakref.finalize(self, self._db.close)
        Path(path).chmod(0o600)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(_TABLE)

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def open(self) -> Self:
        """See World."""
        return self

    def at_rest(self) -> AbstractContextManager[object]:
        """Within this no thread of this process has the file open, and none gets it: it may be suspended."""
        return self._lock

    def __enter__(self) -> Self:
        self._lock.acquire()
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, error: object, *_more: object) -> None:
        try:
            self._db.execute("COMMIT" if error is None else "ROLLBACK")
        finally:
            self._lock.release()

    def get(self, kind: str, key: str) -> Any | None:
        """See Things."""
        row = self._db.execute("SELECT value FROM things WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return None if row is None else pickle.loads(row[0])

    def put(self, kind: str, key: str, value: Any) -> None:
        """See Things."""
        self._db.execute(_PUT, (kind, key, pickle.dumps(value)))

    def remove(self, kind: str, key: str) -> None:
        """See Things."""
        self._db.execute("DELETE FROM things WHERE kind = ? AND key = ?", (kind, key))

    def all(self, kind: str) -> list[tuple[str, Any]]:
        """See Things."""
        rows = self._db.execute("SELECT key, value FROM things WHERE kind = ? ORDER BY rowid", (kind,))
        return [(key, pickle.loads(value)) for key, value in rows]


class WorldClock:
    """A hand-turned clock that lies in a world, so that all its processes see the same time."""

    def __init__(self, world: World, start: float = 1_800_000_000.0) -> None:
        """`start` counts where the world has no time yet."""
        self._world = world
        with world.open() as things:
            if things.get("clock", "now") is None:
                things.put("clock", "now", start)

    def __call__(self) -> float:
        """Return the time, in unix seconds."""
        with self._world.open() as things:
            return float(things.get("clock", "now") or 0.0)

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        with self._world.open() as things:
            things.put("clock", "now", (things.get("clock", "now") or 0.0) + seconds)
