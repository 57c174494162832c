"""Makes ten kinds of files that cannot be ingested.

`KINDS` maps each kind to a function that makes such a file at a path (or, for a missing one, does not).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from scannerpy.testing import videos


def _clip() -> videos.Recipe:
    return videos.Recipe("mp4", options={"preset": "ultrafast", "x264-params": "threads=1"}, frames=12)


def _encoded(path: Path, *, faststart: bool = False) -> bytes:
    recipe = _clip()
    videos.encode(path, recipe if not faststart else videos.Recipe(
        "mp4", options=recipe.options, frames=12, muxer={"movflags": "faststart"}
    ))  # fmt: skip
    return path.read_bytes()


def without_moov(path: Path) -> None:
    """An mp4 whose download stopped before its table of contents."""
    data = _encoded(path)
    path.write_bytes(data[: data.index(b"moov") - 4])


def garbage_moov(path: Path) -> None:
    """An mp4 whose table of contents was overwritten."""
    data = _encoded(path)
    begin = data.index(b"moov") + 4
    path.write_bytes(data[:begin] + bytes(np.random.default_rng(0).integers(0, 256, len(data) - begin, np.uint8)))


def unknown_codec(path: Path) -> None:
    """An mp4 of a codec nobody has heard of."""
    data = _encoded(path)
    path.write_bytes(data.replace(b"avc1", b"zzz9"))


def no_frames(path: Path) -> None:
    """An mp4 with a video track in which nothing was ever written: a recorder that was stopped at once."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "empty_moov+frag_keyframe"}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        container.start_encoding()


def picture(path: Path) -> None:
    """A picture with a video's name."""
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png")
        stream.width, stream.height, stream.pix_fmt = 96, 64, "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(videos.draw(7), format="rgb24")))
        container.mux(stream.encode(None))


def endless_link(path: Path) -> None:
    """A link to itself: what nobody may open, whoever asks."""
    path.symlink_to(path.name)


def pipe(path: Path) -> None:
    """A named pipe nobody writes to: reading it would wait for ever."""
    os.mkfifo(path)


KINDS: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(missing_ok=True),
    "directory": lambda path: path.mkdir(),
    "empty": lambda path: path.touch(),
    "text": lambda path: path.write_text("<html>404 Not Found</html>\n" * 40),
    "sound only": videos.write_sound,
    "without moov": without_moov,
    "garbage moov": garbage_moov,
    "unknown codec": unknown_codec,
    "no frames": no_frames,
    "picture": picture,
    "endless link": endless_link,
    "pipe": pipe,
}
