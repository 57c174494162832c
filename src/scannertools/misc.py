"""Pass, Discard, DiscardFrame and InfoFromFrame, under their older import path."""

from scannerpy.ops.misc import FrameInfo, discard, discard_frame, info_from_frame, pass_on

__all__ = ["FrameInfo", "discard", "discard_frame", "info_from_frame", "pass_on"]
