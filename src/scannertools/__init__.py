"""The import paths of existing Scanner programs. Each module here re-exports `scannerpy.ops` or `scannerpy.backends`.

The ops, sources and sinks are registered for every client anyway, so a new program needs none of these imports.
"""

import typing as _typing

from scannerpy import older as _older
from scannertools import face_detection, imgproc, misc, object_detection, shot_detection, storage, vis

__all__ = ["face_detection", "imgproc", "misc", "object_detection", "shot_detection", "storage", "vis"]

if not _typing.TYPE_CHECKING:  # a checker should find what is missing, too

    def __getattr__(name: str) -> object:
        raise _older.missing("scannertools", name)
