"""A plain sequential decode (``for frame in container.decode()``), which `scanner verify` compares with.

Nothing here is shared with `scan` and `decode`: no index, no seeking, PyAV's own conversion, numpy's turning.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from scannerpy.errors import IngestError

Pixels = npt.NDArray[np.uint8]


def frames(file: Path, limit: int | None = None) -> Iterator[tuple[Pixels, Pixels]]:
    """Yield the first `limit` frames (None: all) as an RGB array and its BGR, turned as the file says.

    Raises IngestError.
    """
    try:
        with av.open(f"file:{file}", options={"protocol_whitelist": "file"}) as container:
            stream: Any = container.streams.best("video")
            if stream is None:
                raise IngestError(f"{file} holds no video stream")
            stream.thread_count = 1  # what a decoder makes of damage depends on the number of threads
            for frame in islice(_decoded(container, stream), limit):
                pixels = _pixels(frame)
                yield pixels, np.ascontiguousarray(pixels[:, :, ::-1])
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise IngestError(f"{file} cannot be decoded: {getattr(error, 'strerror', None) or error}") from error


def _pixels(frame: Any) -> Pixels:
    return np.ascontiguousarray(_as_shown(frame.to_ndarray(format="rgb24"), frame.side_data.get("DISPLAYMATRIX")))


def _as_shown(pixels: Pixels, matrix: Any) -> Pixels:
    """Put each pixel where the file's matrix says: x to (a·x, b·x), y to (c·y, d·y). Only right angles and mirrors."""
    if matrix is None:
        return pixels
    a, b, _, c, d = np.sign(np.frombuffer(bytes(matrix), "<i4")[:5]).tolist()
    if (a and b) or (c and d):
        return pixels
    rows, columns, upright = (d, a, pixels) if a else (b, c, pixels.transpose(1, 0, 2))
    return upright[::rows, ::columns]


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    for packet in container.demux(stream):
        try:
            yield from stream.decode(packet)
        except av.error.FFmpegError:  # a player goes on after a broken packet; so does the reference
            continue
