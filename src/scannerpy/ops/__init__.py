"""The ops that come with Scanner, each written with the public API only, so that they double as examples.

Importing this package registers them all and costs no video or image library: those are imported when a kernel runs.
``cl.ops.Histogram`` and the rest are there for every client; ``import scannertools.imgproc`` is not needed.

Two promises stand in many of the registrations. ``keeps_inputs``: the kernel does not write into the arrays it gets,
so frames are handed over without a copy. ``releases_gil``: its time is spent in C, outside of the interpreter lock.
"""

from scannerpy.ops import (
    drawing,
    face_detection,
    frameworks,
    images,
    imgproc,
    misc,
    montage,
    object_detection,
    optical_flow,
    shot_detection,
)

__all__ = [
    "drawing",
    "face_detection",
    "frameworks",
    "images",
    "imgproc",
    "misc",
    "montage",
    "object_detection",
    "optical_flow",
    "shot_detection",
]
