"""The standard library of Scanner 0.2, which became `scannertools` and `scannerpy.types`. Importing it says so."""

from __future__ import annotations

from scannerpy.older import moved

raise moved(
    "scannerpy.stdlib",
    "its ops are cl.ops.… (scannertools.imgproc, .misc, .shot_detection, …), its parsers and writers the types of "
    "scannerpy.types, which streams load by themselves",
)
