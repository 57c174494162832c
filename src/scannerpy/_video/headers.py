"""What the header parsers have in common. There is one parser per codec family (`parsers`).

A parser sees every packet of a stream in decode order and returns a `Header`: flags that are *proven* by the bytes
(START, NONREF), and the place of the frame in presentation order where the bytes tell it. It raises `Doubt` when a
packet is anything else than exactly one frame that it fully understands. The scan then decodes the video once and
records the order in which frames come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Doubt(Exception):
    """Why order and count of the frames cannot be told from the packets alone."""


@dataclass(frozen=True, slots=True)
class Header:
    """`order` compares as frames are shown, within the stream; None where only the container's times tell.

    A `doubt` beside the flags: the flags are proven all the same, the count and order of frames are not.
    `missing_reference`: the frame refers to one that is not in the stream, so it cannot be right.
    """

    flags: int
    order: tuple[int, int] | None = None
    doubt: str = ""
    missing_reference: bool = False


class Parser(Protocol):
    """Parses the packets of one stream in decode order."""

    def parse(self, packet: bytes, *, key: bool) -> Header:
        """Parse the header of a packet; `key` is the container's keyframe flag.

        Raises Doubt (or nal.Malformed) when it is not exactly one understood frame.
        """
        ...

    def finish(self, flags: list[int]) -> None:
        """Add to the flags of all packets what is known only at the end. Not called after a doubt."""
        ...
