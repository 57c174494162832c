"""The index of one video stream: enough to find any frame by number without touching the container again.

Made once by `_video.scan`, stored beside the packets, read by the planner (which packets does a set of rows cost?)
and by the decoder (feed exactly those). Pure data: numpy arrays and numbers, no video library.

Two orders meet here. *Packets* stand in decode order, as the file stores them. *Rows* stand in presentation order:
row n is the n-th frame a player would show. ``frame_packet[n]`` is the packet whose decoding yields row n.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

NO_TIME = np.iinfo(np.int64).min
"""The pts or dts of a packet that carries none."""

KEY = 1
"""Packet flag: the container or parser calls it a keyframe."""
START = 2
"""Packet flag: a random access point. Decoding may start here, and every frame presented at or after this packet's own
is then exact."""
DISCARD = 4
"""Packet flag: must be decoded, is never presented (edit lists)."""
NONREF = 8
"""Packet flag: no other frame refers to it; dropping it is proven to leave all other frames unchanged."""
DAMAGED = 16
"""Packet flag: known to be broken, or to refer to what is missing; frames that depend on it are refused."""


@dataclass(frozen=True, slots=True, eq=False)
class VideoIndex:
    """Where every frame of one video stream is, and how to decode and show it.

    `width` and `height` are as *presented*, after `rotation`; `coded_width`, `coded_height` as the decoder gives them.
    `color_space`, `color_range`, `color_primaries` and `color_trc` are FFmpeg's numbers (2, the range 0: not told).
    `sample_aspect_ratio` is how wide a pixel is for its height (0: not told).
    `rotation` is clockwise degrees, one of 0, 90, 180, 270, to be applied to a decoded frame before it is shown;
    where it is `mirrored`, left and right are exchanged after that.
    """

    codec: str
    codec_tag: str
    extradata: bytes
    pix_fmt: str
    coded_width: int
    coded_height: int
    rotation: int
    color_space: int
    color_range: int
    bits_per_coded_sample: int
    time_base: Fraction
    average_rate: Fraction
    offset: npt.NDArray[np.int64]  # [P] byte position of the packet in the data object
    size: npt.NDArray[np.int64]  # [P] bytes
    pts: npt.NDArray[np.int64]  # [P] in time_base units, or NO_TIME
    dts: npt.NDArray[np.int64]  # [P]
    flags: npt.NDArray[np.uint8]  # [P] KEY | START | DISCARD | NONREF | DAMAGED
    frame_packet: npt.NDArray[np.int64]  # [N] packet of row n
    mirrored: bool = False
    color_primaries: int = 2
    color_trc: int = 2
    sample_aspect_ratio: Fraction = Fraction(0)

    @property
    def rows(self) -> int:
        """How many frames are presented."""
        return len(self.frame_packet)

    @property
    def packets(self) -> int:
        """How many packets are stored."""
        return len(self.offset)

    @property
    def width(self) -> int:
        """Pixels across, as presented."""
        return self.coded_height if self.rotation in {90, 270} else self.coded_width

    @property
    def height(self) -> int:
        """Pixels down, as presented."""
        return self.coded_width if self.rotation in {90, 270} else self.coded_height

    @property
    def frame_pts(self) -> npt.NDArray[np.int64]:
        """The presentation time of each row, in time_base units."""
        return self.pts[self.frame_packet]

    @property
    def keyframe_rows(self) -> npt.NDArray[np.int64]:
        """The rows whose packets are keyframes, ascending."""
        return np.flatnonzero(self.flags[self.frame_packet] & KEY).astype(np.int64)
