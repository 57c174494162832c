"""CaptionStorage and CaptionStream, under their older import path."""

from scannerpy.backends.captions import CaptionStorage, CaptionStream

__all__ = ["CaptionStorage", "CaptionStream"]
