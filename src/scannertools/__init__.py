"""The import paths of existing Scanner programs. Each module here re-exports `scannerpy.ops` or `scannerpy.backends`.

The ops, sources and sinks are registered for every client anyway, so a new program needs none of these imports.
"""

from scannertools import face_detection, imgproc, misc, object_detection, shot_detection, storage, vis

__all__ = ["face_detection", "imgproc", "misc", "object_detection", "shot_detection", "storage", "vis"]
