"""Which header parser fits a codec."""

from __future__ import annotations

from scannerpy._video.h264 import H264
from scannerpy._video.headers import Doubt, Header, Parser
from scannerpy._video.hevc import Hevc
from scannerpy._video.mpeg import Mpeg4, Mpeg12
from scannerpy._video.nal import Malformed
from scannerpy._video.web import INTRA_ONLY, Av1, Ffv1, IntraOnly, Vp8, Vp9


class Unknown:
    """A codec without a parser: every packet is in doubt."""

    def parse(self, packet: bytes, *, key: bool) -> Header:  # noqa: ARG002 (there is nothing to go by)
        """Raise Doubt."""
        raise Doubt("a codec whose packets Scanner cannot read")

    def finish(self, flags: list[int]) -> None:
        """Never called: all is in doubt."""


def parser_for(codec: str, extradata: bytes) -> Parser:
    """Return the parser for a stream; one that doubts everything where the extradata makes no sense."""
    try:
        return _parser(codec, extradata)
    except (Malformed, Doubt, IndexError):
        return Unknown()


def _parser(codec: str, extradata: bytes) -> Parser:
    match codec:
        case "h264":
            return H264(extradata)
        case "hevc":
            return Hevc(extradata)
        case "mpeg1video" | "mpeg2video":
            return Mpeg12(extradata)
        case "mpeg4":
            return Mpeg4(extradata)
        case "vp8":
            return Vp8()
        case "vp9":
            return Vp9()
        case "av1":
            return Av1(extradata)
        case "ffv1":
            return Ffv1()
    return IntraOnly() if codec in INTRA_ONLY else Unknown()
