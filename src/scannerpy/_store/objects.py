"""Where bytes live: named, immutable objects on a disk or in a bucket.

Everything Scanner stores goes through `Objects`. It promises three things that the catalog and the chunks stand on:

* **atomic**: an object is there whole, or not at all;
* **put-if-absent**: of many writers of one name with ``create=True`` exactly one gets True;
* **durable**: when `put` returns, the object survives a power cut (a local disk is synced before the name appears,
  so even a crash in the middle never shows a short object).

Local folders are served by plain files (`local`): a positioned read costs a microsecond there, where a trip through
obstore's runtime costs eighty, and nothing has to survive a fork. Buckets and the tests' memory go through obstore
(`remote`). Both pass the same conformance suite, `tests/scannerpy/store/test_objects.py`.

An `Objects` may be shared by threads and pickled to other processes (the one in memory excepted).
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from scannerpy._words.owner import owner
from scannerpy.errors import ConfigError, StorageError, StorageFull

__all__ = ["ObjectMissing", "Objects", "memory", "open_config", "open_local"]

Data = bytes | bytearray | memoryview
STAGED = "scanner-"
"""How the names of files in staging begin."""


class ObjectMissing(StorageError):
    """There is no object of that name. Trying again does not help."""

    retry: ClassVar[bool] = False


class Objects(ABC):
    """Named immutable objects. A path is ``folder/name``: forward slashes, no empty part, no dots-only part."""

    @property
    @abstractmethod
    def where(self) -> str:
        """The place, for messages: a folder or a URL."""

    @abstractmethod
    def put(self, path: str, data: Data | Sequence[Data], *, create: bool = False) -> bool:
        """Store `data` (one buffer, or parts to be joined) as `path`, atomically and durably.

        With `create`, an object that is already there stays as it is and False is returned; else it is replaced.
        Raises StorageFull, StorageError.
        """

    @abstractmethod
    def put_file(self, path: str, file: Path, *, create: bool = False) -> bool:
        """Move a file made in `staging` in as the object `path`; as `put`. The file is gone afterwards."""

    @abstractmethod
    def get(self, path: str) -> bytes:
        """The whole object. Raises ObjectMissing, StorageError."""

    @abstractmethod
    def get_ranges(self, path: str, starts: Sequence[int], ends: Sequence[int]) -> list[bytes]:
        """The byte ranges [start, end), which must lie within the object: who asks knows its size (`get_tail`)."""

    @abstractmethod
    def get_tail(self, path: str, count: int) -> tuple[bytes, int]:
        """The last `count` bytes (all of a shorter object), and the object's size, in one request."""

    @abstractmethod
    def size(self, path: str) -> int | None:
        """How many bytes the object has; None if there is none."""

    @abstractmethod
    def written(self, path: str) -> float:
        """When an object was stored, in seconds since the epoch. Raises ObjectMissing, StorageError."""

    @abstractmethod
    def list(self, prefix: str) -> list[tuple[str, int]]:
        """(path, size) of every object in the folder `prefix` and below, sorted by path."""

    @abstractmethod
    def delete(self, paths: Sequence[str]) -> None:
        """Delete objects; those that are not there are passed over."""

    def get_range(self, path: str, start: int, end: int) -> bytes:
        """Bytes [start, end) of an object."""
        return self.get_ranges(path, [start], [end])[0]

    def get_each(self, paths: Sequence[str]) -> Sequence[bytes | None]:
        """Several whole objects; None for those that are not there."""
        return [self._get_or_none(path) for path in paths]

    def exists(self, path: str) -> bool:
        """Whether there is such an object."""
        return self.size(path) is not None

    def _get_or_none(self, path: str) -> bytes | None:
        try:
            return self.get(path)
        except ObjectMissing:
            return None

    def unsynced(self) -> Objects:
        """The same objects, but a put may return before they are durable: for many that count together.

        Nothing may refer to them until `sync` has returned.
        """
        return self

    def sync(self) -> None:  # noqa: B027  # most stores are durable at once
        """Make everything durable that was put through `unsynced`."""

    def staging_folder(self) -> Path:
        """A local folder for files on their way in; where the store itself is local, on the same disk."""
        return Path(tempfile.gettempdir())

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """A new file to be filled and given to `put_file`; removed at the end if it is still there."""
        with storage_errors("a new file", "make"):
            handle, name = tempfile.mkstemp(prefix=f"{STAGED}{owner()}-", dir=self.staging_folder())
            os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def storage_errors(place: object, verb: str) -> Iterator[None]:
    """Raise what goes wrong with a file as the StorageError that says so."""
    try:
        yield
    except StorageError:
        raise
    except FileNotFoundError as error:
        raise ObjectMissing(f"{place} does not exist") from error
    except OSError as error:
        raise explained(error, place, verb) from error


def explained(error: Exception, place: object, verb: str) -> StorageError:
    """The StorageError for an OSError (or one of FFmpeg's) that is not about a missing file."""
    if getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFull(
            f"No space is left to {verb} {place}. Nothing half-written counts: free space on that disk, "
            "or point db_path at another one, and run again"
        )
    if isinstance(error, PermissionError):
        return StorageError(f"No permission to {verb} {place}: check the owner and mode of the database's folder")
    reason = getattr(error, "strerror", None) or error
    return StorageError(f"Cannot {verb} {place}: {reason}. Check the disk it is on, then run again")


def check_path(path: str) -> str:
    """`path` itself, if it is a well-formed object name; ValueError otherwise (a mistake of ours, not of a user)."""
    parts = path.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise ValueError(f"{path!r} is not an object path")
    return path


def open_local(path: str | os.PathLike[str], *, durable: bool = True) -> Objects:
    """The objects of a local folder, made if missing. `durable=False` skips the syncs (tests, scratch data)."""
    from scannerpy._store.local import LocalObjects

    return LocalObjects(path, durable=durable)


def open_config(config: Mapping[str, Any], *, durable: bool = True) -> Objects:
    """The objects a ``[storage]`` table names: type ``posix`` (db_path), ``s3`` or ``gcs`` (bucket, db_path as prefix).

    `durable=False`: what is put on a local disk is not synced, so that a power cut may lose it. Credentials come from
    the environment, as the provider's own tools take them. Raises ConfigError.
    """
    kind = config.get("type", "posix")
    if kind == "posix":
        return open_local(_needed(config, "db_path"), durable=durable)
    if kind not in {"s3", "gcs"}:
        raise ConfigError(f"storage type {kind!r} is not known: write type = 'posix', 's3' or 'gcs' under [storage]")
    from scannerpy._store.remote import RemoteObjects

    options = {key: str(config[key]) for key in ("region", "endpoint") if config.get(key)}
    prefix = str(config.get("db_path") or "").strip("/")
    return RemoteObjects.bucket(kind, _needed(config, "bucket"), prefix, options)


def memory() -> Objects:
    """Objects that live in this process and die with it; for tests."""
    from scannerpy._store.remote import RemoteObjects

    return RemoteObjects.memory()


def _needed(config: Mapping[str, Any], key: str) -> str:
    if not config.get(key):
        raise ConfigError(f"[storage] of type {config.get('type', 'posix')!r} needs {key!r}: add it to the file")
    return str(config[key])
