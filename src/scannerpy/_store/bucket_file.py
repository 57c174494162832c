"""A user's file in a bucket: named by URL, or by its key alone where the database is in that bucket too.

It is downloaded whole to be read; nothing of it is kept open, and it is never written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scannerpy._store.objects import Objects

if TYPE_CHECKING:
    from scannerpy._store.remote import RemoteObjects

SCHEMES = {"s3": "s3", "gs": "gcs", "gcs": "gcs"}
"""How URLs of buckets begin, and the kind of bucket."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file does; named as `os.stat_result` names it."""

    st_size: int
    st_mtime_ns: int


@dataclass(frozen=True, slots=True)
class BucketFile:
    """The object `key` of a bucket."""

    bucket: RemoteObjects
    key: str

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self.bucket.where}/{self.key}"

    def stamp(self) -> Stamp:
        """Its size and when it was written. Raises ObjectMissing, StorageError."""
        return Stamp(*self.bucket.stamp(self.key))

    def download(self, to: Path) -> None:
        """Copy it to a local file, a few megabytes at a time. Raises ObjectMissing, StorageError, StorageFull."""
        self.bucket.download(self.key, to)


def find(path: str, objects: Objects) -> BucketFile | None:
    """The file in a bucket that `path` names, or None for a local one.

    ``s3://bucket/key`` and ``gs://bucket/key`` always do. A relative path does where `objects`, the client's own
    storage, are in a bucket and there is no such local file.
    """
    from scannerpy._store.remote import RemoteObjects

    scheme, found, rest = path.partition("://")
    if found and scheme in SCHEMES:
        bucket, _, key = rest.partition("/")
        return BucketFile(RemoteObjects.beside(objects, SCHEMES[scheme], bucket), key)
    local = Path(path).expanduser()
    if isinstance(objects, RemoteObjects) and not local.is_absolute() and not local.exists():
        return BucketFile(objects.whole_bucket(), path)
    return None
