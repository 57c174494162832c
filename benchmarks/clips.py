"""The clips the benchmarks run on, made once: moving gradients with film grain, so that they compress like film."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

FOLDER = Path("out", "bench")
FRAMES = 572
SIZES = {"W1": (1920, 1080), "W5": (1280, 720), "W6": (1280, 720), "cold": (1280, 720)}


def clip(name: str, frames: int = FRAMES) -> Path:
    """Return the path of a clip for benchmark `name`, made if it is not there."""
    width, height = SIZES[name]
    path = FOLDER / f"{width}x{height}-{frames}.mp4"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.mp4")
        write(part, width, height, frames)
        part.rename(path)
    return path


def write(path: Path, width: int, height: int, frames: int) -> None:
    """Encode `frames` frames of moving gradients with grain."""
    rng = np.random.default_rng(0)
    grain = rng.integers(0, 23, (height + 64, width + 64, 1), dtype=np.uint8)
    scenery = _scenery(height, width * 2)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "24", "g": "250", "sc_threshold": "0"}
        for number in range(frames):
            left = (3 * number) % width
            dx, dy = rng.integers(0, 64, 2)
            picture = scenery[:, left : left + width] + grain[dy : dy + height, dx : dx + width]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _scenery(height: int, width: int) -> np.ndarray:
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(xs / 37 + ys / 91), np.sin(xs / 11) * np.cos(ys / 23), np.sin((xs + ys) / 53)]
    return np.stack([120 + 100 * wave for wave in waves], axis=2).astype(np.uint8)
