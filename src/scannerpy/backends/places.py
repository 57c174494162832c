"""Files by path, on this machine (`LocalFiles`) or in a bucket (`BucketFiles`, through obstore).

Both promise that a file is seen whole or not at all, and that a stream's files appear together: `stage` writes beside
the file, under a hidden name that follows from its own (``.name.part``), and `publish` gives all staged files their
names. A second writer of the same file uses the same hidden name, so nothing accumulates after crashes.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from scannerpy.backends.handles import refuse_special
from scannerpy.errors import ConfigError, StorageError, StorageFull

REQUESTS = 16
"""How many requests to a bucket run side by side."""


class Files(Protocol):
    """Files by path, wherever they are. All methods raise StorageError, naming the file."""

    def stamps(self, paths: Sequence[str]) -> list[tuple[int, str] | None]:
        """Return size and a stamp of change for each path; None for one that does not exist."""

    def read(self, paths: Sequence[str]) -> Iterator[bytes]:
        """Yield the bytes of each file, in order."""

    def stage(self, path: str, data: bytes) -> None:
        """Write what is to become the file `path`, durably."""

    def publish(self, paths: Sequence[str]) -> None:
        """Give staged files their names, in place of what had them. One that has its name already is left."""

    def unstage(self, paths: Sequence[str]) -> None:
        """Remove what is staged and not published."""


def open_files(storage_type: str, bucket: str | None, region: str | None, endpoint: str | None) -> Files:
    """Return the files of a kind of storage. Raises ConfigError."""
    if storage_type == "posix":
        return LocalFiles()
    if storage_type not in {"s3", "gcs"}:
        raise ConfigError(f"storage_type {storage_type!r} is not known: give 'posix', 's3' or 'gcs'")
    if not bucket:
        raise ConfigError(f"storage_type {storage_type!r} needs a bucket: FilesStorage({storage_type!r}, bucket=…)")
    return BucketFiles(storage_type, bucket, region, endpoint)


def staged(path: str) -> str:
    """Return the hidden name beside `path`."""
    pure = PurePosixPath(path)
    return str(pure.with_name(f".{pure.name}.part"))


class LocalFiles:
    """Files of this machine, or of a file system that all machines mount."""

    def stamps(self, paths: Sequence[str]) -> list[tuple[int, str] | None]:
        """As `Files.stamps`."""
        return [self._stamp(path) for path in paths]

    def _stamp(self, path: str) -> tuple[int, str] | None:
        try:
            found = Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _explained(error, path, "read") from error
        return found.st_size, str(found.st_mtime_ns)

    def read(self, paths: Sequence[str]) -> Iterator[bytes]:
        """As `Files.read`."""
        for path in paths:
            try:
                refuse_special(path)
                data = Path(path).read_bytes()
            except OSError as error:
                raise _explained(error, path, "read") from error
            yield data

    def stage(self, path: str, data: bytes) -> None:
        """As `Files.stage`; missing folders are made."""
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with Path(staged(path)).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _explained(error, path, "write") from error

    def publish(self, paths: Sequence[str]) -> None:
        """As `Files.publish`."""
        for path in paths:
            try:
                Path(staged(path)).replace(path)
            except FileNotFoundError as error:
                if not Path(path).exists():
                    raise _explained(error, path, "write") from error
            except OSError as error:
                raise _explained(error, path, "write") from error
        for folder in {Path(path).parent for path in paths}:
            _sync(folder)

    def unstage(self, paths: Sequence[str]) -> None:
        """As `Files.unstage`."""
        for path in paths:
            Path(staged(path)).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _explained(error: OSError, path: str, verb: str) -> StorageError:
    if isinstance(error, FileNotFoundError):
        return StorageError(f"{path} does not exist: check the path")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFull(f"No space is left to {verb} {path}: free some and run again")
    if isinstance(error, PermissionError):
        return StorageError(f"No permission to {verb} {path}: check the owner and mode of the file and its folder")
    return StorageError(f"Cannot {verb} {path}: {error.strerror or error}")


class BucketFiles:
    """Objects of an S3 or GCS bucket. Credentials come from the environment, as the provider's own tools take them."""

    def __init__(self, kind: str, bucket: str, region: str | None, endpoint: str | None) -> None:
        self._name = f"{kind}://{bucket}"
        self._store = _open_bucket(kind, bucket, region, endpoint)

    def stamps(self, paths: Sequence[str]) -> list[tuple[int, str] | None]:
        """As `Files.stamps`."""
        return self._side_by_side(self._stamp, paths)

    def _stamp(self, path: str) -> tuple[int, str] | None:
        import obstore

        try:
            with self._errors(path, "read"):
                found: Any = obstore.head(self._store, path)
        except FileNotFoundError:
            return None
        return int(found["size"]), str(found["e_tag"] or found["last_modified"])

    def read(self, paths: Sequence[str]) -> Iterator[bytes]:
        """As `Files.read`, a few files ahead of whoever takes them."""
        for at in range(0, len(paths), REQUESTS):
            yield from self._side_by_side(self._get, paths[at : at + REQUESTS])

    def _get(self, path: str) -> bytes:
        import obstore

        try:
            with self._errors(path, "read"):
                return bytes(obstore.get(self._store, path).bytes())
        except FileNotFoundError as error:
            raise StorageError(f"{self._name}/{path} does not exist: check the path and the bucket") from error

    def stage(self, path: str, data: bytes) -> None:
        """As `Files.stage`."""
        import obstore

        try:
            with self._errors(path, "write"):
                obstore.put(self._store, staged(path), data)
        except FileNotFoundError as error:
            raise StorageError(f"Cannot write {self._name}/{path}: is there such a bucket?") from error

    def publish(self, paths: Sequence[str]) -> None:
        """As `Files.publish`; each object is copied within the bucket."""
        self._side_by_side(self._publish, paths)

    def _publish(self, path: str) -> None:
        import obstore

        try:
            with self._errors(path, "write"):
                obstore.rename(self._store, staged(path), path)
        except FileNotFoundError as error:
            if self._stamp(path) is None:
                raise StorageError(f"Cannot write {self._name}/{path}: what was staged has gone; run again") from error

    def unstage(self, paths: Sequence[str]) -> None:
        """As `Files.unstage`."""
        import obstore

        for path in paths:
            with contextlib.suppress(FileNotFoundError), self._errors(path, "clear away"):
                obstore.delete(self._store, staged(path))

    def _side_by_side(self, act: Any, paths: Sequence[str]) -> list[Any]:
        with ThreadPoolExecutor(min(REQUESTS, len(paths) or 1)) as pool:
            return list(pool.map(act, paths))

    @contextlib.contextmanager
    def _errors(self, path: str, verb: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError:
            raise
        except (BaseError, OSError, ValueError) as error:
            first = str(error).partition("\n")[0]
            raise StorageError(
                f"Cannot {verb} {self._name}/{path}: {first}. Check the network, the endpoint and your credentials"
            ) from error


def _open_bucket(kind: str, bucket: str, region: str | None, endpoint: str | None) -> Any:
    from obstore.exceptions import BaseError
    from obstore.store import GCSStore, S3Store

    plain: Any = {"allow_http": True} if endpoint and endpoint.startswith("http://") else None
    try:
        if kind == "gcs":
            return GCSStore(bucket, client_options=plain)
        options: Any = {key: value for key, value in (("region", region), ("endpoint", endpoint)) if value}
        return S3Store(bucket, config=options, client_options=plain)
    except (BaseError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise ConfigError(f"The bucket {kind}://{bucket} cannot be opened: {first}") from error
