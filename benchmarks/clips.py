"""The clips the benchmarks run on, made once: moving gradients with film grain, so that they compress like film.

All have closed groups of pictures, 250 frames long where the clip is that long.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

FOLDER = Path(__file__).parents[1] / "out" / "bench"
GOP = 250


@dataclass(frozen=True)
class Clip:
    """A clip to be made. Clips that differ in `seed` alone differ in what they show."""

    width: int
    height: int
    frames: int
    codec: str = "h264"
    seed: int = 0

    @property
    def path(self) -> Path:
        """Where it lies. Its name says what is in it."""
        number = f"-{self.seed:02}" if self.seed else ""
        return FOLDER / f"{self.codec}-{self.width}x{self.height}-{self.frames}{number}.mp4"

    def make(self) -> Path:
        """Return its path; it is made if it is not there."""
        if not self.path.exists():
            FOLDER.mkdir(parents=True, exist_ok=True)
            part = self.path.with_suffix(".part.mp4")
            write(part, self)
            part.rename(self.path)
        return self.path


FULL_HD = Clip(1920, 1080, 572)
HD = Clip(1280, 720, 572)
LONG = Clip(1280, 720, 2053)
SMALL = Clip(426, 240, 500)
SHORT = tuple(Clip(640, 360, 125, seed=number) for number in range(1, 41))
OTHER_CODECS = {codec: Clip(1280, 720, 1000, codec) for codec in ("hevc", "vp9", "av1")}
WARM = Clip(1280, 720, 125)
"""What instances and libraries are warmed up with."""

_ENCODERS = {
    "h264": ("libx264", {"preset": "veryfast", "crf": "24", "sc_threshold": "0"}),
    "hevc": (
        "libx265",
        {"preset": "veryfast", "crf": "26", "x265-params": "scenecut=0:open-gop=0:min-keyint=250:log-level=error"},
    ),
    "vp9": ("libvpx-vp9", {"deadline": "good", "cpu-used": "5", "crf": "34", "b": "0", "row-mt": "1"}),
    "av1": ("libsvtav1", {"preset": "10", "crf": "28"}),
}


def write(path: Path, clip: Clip) -> None:
    """Encode `clip` into a file."""
    from scannerpy._video.scheduling import scheduled_as_before  # here: how long importing takes is measured elsewhere

    encoder, options = _ENCODERS[clip.codec]
    with scheduled_as_before(), av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=25)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        stream.options = {**options, "g": str(GOP)}
        for picture in _pictures(clip):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _pictures(clip: Clip):
    height, width = clip.height, clip.width
    rng = np.random.default_rng(clip.seed)
    grain = rng.integers(0, 23, (height + 64, width + 64, 1), dtype=np.uint8)
    scenery = _scenery(height, width * 2)
    for number in range(clip.frames):
        left = (3 * number + 97 * clip.seed) % width
        dx, dy = rng.integers(0, 64, 2)
        yield scenery[:, left : left + width] + grain[dy : dy + height, dx : dx + width]


def _scenery(height: int, width: int) -> np.ndarray:
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(xs / 37 + ys / 91), np.sin(xs / 11) * np.cos(ys / 23), np.sin((xs + ys) / 53)]
    return np.stack([120 + 100 * wave for wave in waves], axis=2).astype(np.uint8)
