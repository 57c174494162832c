"""Options of the H.264 encoder, checked both when the graph is written and when it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """`quality` is x264's CRF (0 lossless … 51 worst), `bitrate` bits per second, `keyframe_distance` the longest GOP.

    None: not told. At most one of quality and bitrate.
    """

    quality: int | None = None
    bitrate: int | None = None
    keyframe_distance: int | None = None

    @classmethod
    def of(cls, options: Mapping[str, int]) -> EncoderOptions:
        """From `compress_video`'s keywords; −1 is "not told". Raises ValueError for what x264 would refuse."""
        told = {name: value for name, value in options.items() if value != -1}
        unknown = set(told) - set(cls.__slots__)
        if unknown:
            raise ValueError(f"compress_video has no option {min(unknown)!r}: it takes {', '.join(cls.__slots__)}")
        made = cls(**told)
        made.check()
        return made

    def check(self) -> None:
        """Raises ValueError for values x264 would refuse."""
        if self.quality is not None and not 0 <= self.quality <= 51:
            raise ValueError(f"quality={self.quality}: H.264's runs from 0 (lossless) to 51 (worst); 18 to 28 is usual")
        if self.bitrate is not None and self.bitrate < 1000:
            raise ValueError(f"bitrate={self.bitrate}: it is counted in bits per second, 2_000_000 for instance")
        if self.keyframe_distance is not None and self.keyframe_distance < 1:
            raise ValueError(f"keyframe_distance={self.keyframe_distance}: it must be at least 1 frame")
        if self.quality is not None and self.bitrate is not None:
            raise ValueError("quality and bitrate exclude each other: give compress_video one of them")
