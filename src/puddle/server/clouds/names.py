"""Ids and paths from outside, checked before a cloud makes folders, tags or names of them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from puddle.server.clouds.base import StepFailed

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")


def checked_id(given: str) -> str:
    """Return an id of ours as it is. Raises StepFailed where it is not lower-case letters, digits and hyphens."""
    if not _ID.fullmatch(given):
        raise StepFailed("REFUSED", f"{given!r} is no id: lower-case letters, digits and hyphens only", for_ever=True)
    return given


def checked_path(given: str) -> tuple[str, ...]:
    """Return the parts of a path below a data disk. Raises StepFailed where it would lead out of it."""
    parts = PurePosixPath(given).parts
    if not parts or "\0" in given or given.startswith("/") or ".." in parts:
        raise StepFailed("REFUSED", f"{given!r} is no path below the data disk", for_ever=True)
    return parts


def not_found(what: str, which: str, *, for_ever: bool = False) -> StepFailed:
    """Return the error of a step towards something that is not there."""
    return StepFailed("NOT_FOUND", f"the cloud has no {what} {which!r}", for_ever=for_ever)
