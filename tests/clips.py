"""Tiny videos whose frames carry their own number, so that a test can ask any decoded frame which one it is.

A frame is a 4 × 4 board of light and dark fields, one bit of the number each, over a gray that drifts: readable after
any lossy coding, flipped or not. `number_of` reads it back from RGB or BGR.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

BITS = 16


def board(number: int, width: int, height: int) -> np.ndarray[Any, Any]:
    """Return the RGB picture that carries `number`."""
    ys, xs = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    bits = (number >> (ys[:, None] * 4 + xs[None, :])) & 1
    light = np.where(bits, 200, 40) + number % 16
    return np.repeat(light[:, :, None], 3, axis=2).astype(np.uint8)


def number_of(frame: np.ndarray[Any, Any]) -> int:
    """Return the number a picture made by `board` carries."""
    height, width = frame.shape[:2]
    bits = 0
    for bit in range(BITS):
        y, x = bit // 4, bit % 4
        field = frame[y * height // 4 + 2 : (y + 1) * height // 4 - 2, x * width // 4 + 2 : (x + 1) * width // 4 - 2]
        bits |= int(field.mean() > 128) << bit
    return bits


def write_clip(
    path: Path | str,
    frames: int,
    *,
    size: tuple[int, int] = (64, 48),
    gop: int = 12,
    bframes: int = 2,
    rate: int = 25,
    first: int = 0,
) -> Path:
    """Encode `frames` numbered pictures as H.264 and return the path."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, rate)
        stream.options = {
            "g": str(gop),
            "bf": str(bframes),
            "preset": "veryfast",
            "x264-params": "scenecut=0:threads=1",
        }
        for number in range(first, first + frames):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(board(number, *size), format="rgb24")))
        out.mux(stream.encode(None))
    return Path(path)


def write_long_clip(
    path: Path, minutes: float, *, size: tuple[int, int] = (1920, 1080), rate: int = 24, gop: int = 48
) -> Path:
    """Write a long video cheaply: one group of pictures is encoded once and its packets are repeated with shifted
    times.
    """
    once = write_clip(path.with_suffix(".once.mp4"), gop, size=size, gop=gop, rate=rate)
    repeat_clip(once, path, round(minutes * 60 * rate / gop))
    once.unlink()
    return path


def repeat_clip(once: Path, path: Path, copies: int) -> Path:
    """Write a clip `copies` times in a row, its packets as they are."""
    with av.open(str(once)) as source, av.open(str(path), "w") as out:
        given = source.streams.video[0]
        taken = out.add_stream_from_template(given)
        packets = [(bytes(p), p.pts or 0, p.dts or 0, p.is_keyframe) for p in source.demux(given) if p.size]
        assert given.time_base is not None
        assert given.average_rate is not None
        span = round(given.frames / given.average_rate / given.time_base)
        for copy in range(copies):
            for data, pts, dts, key in packets:
                packet = av.Packet(data)
                packet.pts, packet.dts, packet.time_base = pts + copy * span, dts + copy * span, given.time_base
                packet.is_keyframe, packet.stream = key, taken
                out.mux(packet)
    return path


def read_clip(path: Path | str) -> Iterator[np.ndarray[Any, Any]]:
    """Decode a video from start to end, as RGB."""
    with av.open(str(path)) as source:
        for frame in source.decode(video=0):
            yield frame.to_ndarray(format="rgb24")
