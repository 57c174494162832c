"""What a packet says about itself: the common words of the header readers.

A reader sees every packet of a stream in decode order and answers with a `Header`: flags that are *proven* by the
bytes (START, NONREF), and the place of the frame in the order of presentation where the bytes tell it. It raises
`Doubt` when a packet is anything else than exactly one frame it fully understands. The scan then no longer argues
about order; it decodes the video once and takes down what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Doubt(Exception):
    """Why order and count of the frames cannot be told from the packets alone."""


@dataclass(frozen=True, slots=True)
class Header:
    """`order` compares as frames are shown, within the stream; None where only the container's times tell.

    A `doubt` beside the flags: the flags are proven all the same, the count and order of frames are not. `bereft`: it
    leans on a picture that is not in the stream, so its frame cannot be right.
    """

    flags: int
    order: tuple[int, int] | None = None
    doubt: str = ""
    bereft: bool = False


class Reader(Protocol):
    """Reads the packets of one stream in decode order."""

    def look(self, packet: bytes, *, key: bool) -> Header:
        """Say what this packet is; `key` is the container's opinion.

        Raises Doubt (or nal.Malformed) when it is not exactly one understood frame.
        """
        ...

    def settle(self, flags: list[int]) -> None:
        """Amend the flags of all packets with what is known only at the end. Not called after a doubt."""
        ...
