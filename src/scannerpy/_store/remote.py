"""Objects in a bucket (S3, Google Cloud Storage), or in this process's memory: through obstore, and only here.

A `RemoteObjects` is described by plain data and opens its store when first used, in each process: obstore's
runtime has threads, which do not survive a fork. Credentials are taken from the environment by obstore.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import GCSStore, MemoryStore, S3Store

from scannerpy._store.objects import Data, ObjectMissing, Objects, check_path, storage_errors
from scannerpy.errors import ConfigError, StorageError, StorageFull

REQUESTS = 16
DOWNLOAD_BYTES = 4 << 20
SINGLE_PUT = 1 << 30
"""Above this, an upload goes in parts, which cannot be conditional: it is preceded by a look instead. Only chunks are
that large, and two writers of one chunk write the same rows."""


class RemoteObjects(Objects):
    """Objects in an obstore store."""

    def __init__(self, kind: str, bucket: str, prefix: str, options: Mapping[str, str]) -> None:
        self._made_of = (kind, bucket, prefix, dict(options))
        self._opened: Any = None

    @classmethod
    def bucket(cls, kind: str, bucket: str, prefix: str, options: Mapping[str, str]) -> RemoteObjects:
        """A bucket: `kind` is ``s3`` or ``gcs``, `prefix` the folder in it, `options` region and endpoint."""
        return cls(kind, bucket, prefix, options)

    @classmethod
    def memory(cls) -> RemoteObjects:
        """An empty store in memory."""
        made = cls("memory", "", "", {})
        made._opened = MemoryStore()
        return made

    @classmethod
    def beside(cls, objects: Objects, kind: str, bucket: str) -> RemoteObjects:
        """Another bucket; reached as `objects` are, where those are in a bucket of the same kind."""
        ours = objects._made_of if isinstance(objects, RemoteObjects) else ("", "", "", {})
        return cls(kind, bucket, "", ours[3] if ours[0] == kind else {})

    def whole_bucket(self) -> RemoteObjects:
        """The bucket these objects are in, from its top."""
        kind, bucket, prefix, options = self._made_of
        return RemoteObjects(kind, bucket, "", options) if prefix else self

    def stamp(self, path: str) -> tuple[int, int]:
        """(size, time of the last change in nanoseconds). Raises ObjectMissing, StorageError."""
        with self._errors(path, "look at"):
            meta = obstore.head(self._store, path)
            return int(meta["size"]), round(meta["last_modified"].timestamp() * 1e6) * 1000

    def download(self, path: str, to: Path) -> None:
        """Copy an object to a local file. Raises ObjectMissing, StorageFull, StorageError."""
        with self._errors(path, "read"):
            pieces = obstore.get(self._store, path).stream(min_chunk_size=DOWNLOAD_BYTES)
            with storage_errors(to, "write"), to.open("wb") as file:
                file.writelines(pieces)

    def __getstate__(self) -> Any:
        if self._made_of[0] == "memory":
            raise StorageError("Objects in memory cannot go to another process: use open_local or a bucket")
        return self._made_of

    def __setstate__(self, state: Any) -> None:
        self._made_of = state
        self._opened = None

    @property
    def where(self) -> str:
        """The URL."""
        kind, bucket, prefix, _ = self._made_of
        return "/".join(part for part in (f"{kind}://{bucket}", prefix) if part)

    def put(self, path: str, data: Data | Sequence[Data], *, create: bool = False) -> bool:
        """As `Objects.put`."""
        whole = data if isinstance(data, bytes | bytearray | memoryview) else b"".join(data)
        return self._put(path, bytes(whole), len(whole), create=create)

    def put_file(self, path: str, file: Path, *, create: bool = False) -> bool:
        """As `Objects.put_file`."""
        size = file.stat().st_size
        stored = self._put(path, file if size else b"", size, create=create)
        file.unlink(missing_ok=True)
        return stored

    def get(self, path: str) -> bytes:
        """As `Objects.get`."""
        with self._errors(path, "read"):
            return bytes(obstore.get(self._store, check_path(path)).bytes())

    def get_each(self, paths: Sequence[str]) -> Sequence[bytes | None]:
        """As `Objects.get_each`, side by side."""
        if len(paths) == 1:
            return [self._get_or_none(paths[0])]
        with ThreadPoolExecutor(min(REQUESTS, len(paths) or 1)) as pool:
            return tuple(pool.map(self._get_or_none, paths))

    def get_ranges(self, path: str, starts: Sequence[int], ends: Sequence[int]) -> list[bytes]:
        """As `Objects.get_ranges`. Ranges less than a megabyte apart are one request; requests run side by side."""
        asked = [k for k, (start, end) in enumerate(zip(starts, ends, strict=True)) if end > start]
        found: list[bytes] = [b""] * len(starts)
        if asked:
            begin, stop = [int(starts[k]) for k in asked], [int(ends[k]) for k in asked]
            with self._errors(path, "read"):
                got = obstore.get_ranges(self._store, check_path(path), starts=begin, ends=stop)
            for k, data in zip(asked, got, strict=True):
                found[k] = bytes(data)
        return found

    def get_tail(self, path: str, count: int) -> tuple[bytes, int]:
        """As `Objects.get_tail`."""
        with self._errors(path, "read"):
            result = obstore.get(self._store, check_path(path), options={"range": {"suffix": count}})
            return bytes(result.bytes()), int(result.meta["size"])

    def size(self, path: str) -> int | None:
        """As `Objects.size`."""
        try:
            with self._errors(path, "look at"):
                return int(obstore.head(self._store, check_path(path))["size"])
        except ObjectMissing:
            return None

    def list(self, prefix: str) -> list[tuple[str, int]]:
        """As `Objects.list`."""
        with self._errors(prefix or ".", "list"):
            pages = obstore.list(self._store, check_path(prefix) if prefix else None)
            return sorted((entry["path"], int(entry["size"])) for page in pages for entry in page)

    def delete(self, paths: Sequence[str]) -> None:
        """As `Objects.delete`."""
        if not paths:
            return
        with contextlib.suppress(ObjectMissing), self._errors(paths[0], "delete"):
            obstore.delete(self._store, [check_path(path) for path in paths])

    def _put(self, path: str, data: bytes | Path, size: int, *, create: bool) -> bool:
        conditional = create and size <= SINGLE_PUT
        if create and not conditional and self.exists(path):
            return False
        mode: Literal["create", "overwrite"] = "create" if conditional else "overwrite"
        with self._errors(path, "write"):
            try:
                obstore.put(self._store, check_path(path), data, mode=mode)
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    @property
    def _store(self) -> Any:
        if self._opened is None:
            self._opened = _open(*self._made_of)
        return self._opened

    @contextlib.contextmanager
    def _errors(self, path: str, verb: str) -> Iterator[None]:
        place = f"{self.where}/{path}"
        try:
            yield
        except StorageError:
            raise
        except FileNotFoundError as error:
            if verb == "write":  # what is not there can only be the bucket
                raise StorageError(
                    f"Cannot write {place}: there is no such bucket; make it, or correct its name"
                ) from error
            raise ObjectMissing(f"{place} does not exist") from error
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StorageError(f"No permission to {verb} {place}: check the bucket and your credentials") from error
        except (BaseError, OSError) as error:
            raise _explained(error, place, verb) from error


def _explained(error: Exception, place: str, verb: str) -> StorageError:
    first = str(error).partition("\n")[0]
    if "No space left" in first or "os error 28" in first:
        return StorageFull(f"No space is left to {verb} {place}: free space where it lives, and run again")
    if "404 Not Found" in first:
        return StorageError(f"Cannot {verb} {place}: there is no such bucket; make it, or correct its name")
    return StorageError(f"Cannot {verb} {place}: {first}. Check the network and the storage settings, then run again")


def _open(kind: str, bucket: str, prefix: str, options: Mapping[str, str]) -> Any:
    endpoint = options.get("endpoint")
    client: Any = {"allow_http": True} if endpoint and endpoint.startswith("http://") else None
    try:
        if kind == "s3":
            config: Any = dict(options)
            return S3Store(bucket, prefix=prefix or None, config=config, client_options=client)
        return GCSStore(bucket, prefix=prefix or None, client_options=client)
    except (BaseError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise ConfigError(f"The bucket {kind}://{bucket} cannot be opened: {first}") from error
