"""Serializes a `VideoIndex`, which is stored beside the packets.

The layout is a line of magic, the length of a JSON head, the head, then the arrays one after another, each zlib
compressed after taking differences (offsets and times grow steadily, so their differences are small and compress to
about two bytes a packet). Nothing is pickled: an index from anywhere can be read without trusting it.
"""

from __future__ import annotations

import base64
import json
import zlib
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from scannerpy._words.video import VideoIndex
from scannerpy.errors import CorruptObject, NewerFormat

_MAGIC = b"scanner video index\n"
_VERSION = 1
_PLAIN = (
    "codec",
    "codec_tag",
    "pix_fmt",
    "coded_width",
    "coded_height",
    "rotation",
    "color_space",
    "color_range",
    "bits_per_coded_sample",
    "mirrored",
)
_ADDED = {"color_primaries": 2, "color_trc": 2}
"""What came later, and how an index is read that does not have it."""
_TIMES = ("time_base", "average_rate")
_ARRAYS = ("offset", "size", "pts", "dts", "flags", "frame_packet")


def to_bytes(index: VideoIndex) -> bytes:
    """Return `index` as bytes that `from_bytes` understands, in this and all later versions."""
    arrays = [_pack(getattr(index, name)) for name in _ARRAYS]
    head: dict[str, Any] = {name: getattr(index, name) for name in _PLAIN}
    head |= {name: str(getattr(index, name)) for name in _TIMES}
    head |= {name: getattr(index, name) for name in _ADDED}
    head |= {"sample_aspect_ratio": str(index.sample_aspect_ratio)}
    head |= {"version": _VERSION, "extradata": base64.b85encode(index.extradata).decode("ascii")}
    head |= {"packets": index.packets, "rows": index.rows, "sizes": [len(packed) for packed in arrays]}
    text = json.dumps(head, separators=(",", ":")).encode()
    return b"".join([_MAGIC, len(text).to_bytes(4, "little"), text, *arrays])


def from_bytes(data: bytes) -> VideoIndex:
    """Return the index `to_bytes` wrote.

    Raises NewerFormat for one of a later version, CorruptObject for anything else.
    """
    if not data.startswith(_MAGIC):
        raise CorruptObject("this is not a video index: ingest the video again")
    try:
        return _parse(memoryview(data)[len(_MAGIC) :])
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, zlib.error, ZeroDivisionError) as error:
        raise CorruptObject(f"the video index cannot be read ({error}): ingest the video again") from error


def _parse(data: memoryview) -> VideoIndex:
    end = 4 + int.from_bytes(data[:4], "little")
    head = json.loads(bytes(data[4:end]))
    if head["version"] > _VERSION:
        raise NewerFormat(f"video index of version {head['version']}; this Scanner reads {_VERSION}: upgrade Scanner")
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, size in zip(_ARRAYS, head["sizes"], strict=True):
        count = head["rows"] if name == "frame_packet" else head["packets"]
        arrays[name] = _unpack(data[end : end + size], np.uint8 if name == "flags" else np.int64, count)
        end += size
    frame_packet = arrays["frame_packet"]
    if len(frame_packet) and not 0 <= frame_packet.min() <= frame_packet.max() < head["packets"]:
        raise ValueError("a row points outside the packets")
    fields: dict[str, Any] = {name: head[name] for name in _PLAIN}
    fields |= {name: Fraction(head[name]) for name in _TIMES}
    fields |= {name: head.get(name, default) for name, default in _ADDED.items()}
    fields["sample_aspect_ratio"] = Fraction(head.get("sample_aspect_ratio", 0))
    return VideoIndex(extradata=base64.b85decode(head["extradata"]), **fields | arrays)


def _pack(values: npt.NDArray[Any]) -> bytes:
    if values.dtype == np.uint8:
        return zlib.compress(values.tobytes(), 6)
    with np.errstate(over="ignore"):  # NO_TIME is far away: its differences wrap round, and wrap back when summed
        steps = np.diff(values.astype("<i8"), prepend=np.int64(0))
    # Bytes of equal significance side by side: the high ones are all alike.
    return zlib.compress(steps.view(np.uint8).reshape(-1, 8).T.tobytes(), 6)


def _unpack(data: memoryview, dtype: type[np.uint8 | np.int64], count: int) -> npt.NDArray[Any]:
    raw = np.frombuffer(zlib.decompress(data), np.uint8)
    if dtype is np.uint8:
        values = raw.copy()
    else:
        steps = np.ascontiguousarray(raw.reshape(8, -1).T).view("<i8").ravel()
        with np.errstate(over="ignore"):
            values = np.cumsum(steps, dtype=np.int64)
    if len(values) != count:
        raise ValueError(f"{len(values)} values instead of {count}")
    return values
