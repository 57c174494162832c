"""Errors of the file system as errors of a cloud."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from puddle.server.clouds.base import StepFailed
from puddle.server.clouds.local.files import locked
from puddle.server.clouds.names import checked_id


@contextmanager
def os_errors_at(where: str) -> Iterator[None]:
    """Raise StepFailed where the file system refuses: DISK_FULL, else REFUSED."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise StepFailed("DISK_FULL" if full else "REFUSED", f"{where}: {error.strerror or error}") from error


@contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Hold the lock of a cloud's folder: specs are written one after the other, whoever writes them."""
    with os_errors_at(f"the local cloud in {root}"), locked(root / "lock"):
        yield


def folder_of(parent: Path, given: str) -> Path:
    """Return the folder of an id of ours. Raises StepFailed where it is no id, or the folder a link."""
    folder = parent / checked_id(given)
    if folder.is_symlink():
        raise StepFailed("REFUSED", f"{folder} is a link, and nothing of ours; remove it by hand", for_ever=True)
    return folder
