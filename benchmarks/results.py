"""Whether a peer's result is ours, and how far it is off.

PyAV and Daft convert colours with the same code as we do, so theirs must be equal. OpenCV, decord and ffmpeg convert
with versions and options of their own: pixels may differ by a little, and a few cross the border of a bin. Results of
the wrong frames are far beyond these tolerances: neighbours in these clips differ by a mean of 8 and more.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

TOLERANCES = {
    "thumbnail": (2.0, "mean difference of 255"),
    "resize": (2.0, "mean difference of 255"),
    "histogram": (0.03, "share of pixels in another bin"),
    "flow": (0.05, "mean difference in pixels"),
    "encode": (16.0, "mean difference of 255"),
}
"""Encoding: ffmpeg averages over what it scales away, and has no RGB in between; OpenCV's filter does not average."""


@dataclass(frozen=True)
class Difference:
    """How far a result is off; `why` is empty where it is within the tolerance."""

    measured: float
    unit: str
    why: str = ""

    @property
    def within(self) -> bool:
        """Whether it counts as the same answer."""
        return not self.why

    def __str__(self) -> str:
        if self.why:
            return f"**differs**: {self.why}"
        return "equal" if self.measured == 0 else f"{self.measured:.2g}"


def compare(work: str, ours: np.ndarray, theirs: np.ndarray) -> Difference:
    """Compare the results of one kind of work."""
    most, unit = TOLERANCES[work]
    if ours.shape != theirs.shape:
        return Difference(float("inf"), unit, f"{list(theirs.shape)} where ours is {list(ours.shape)}")
    apart = np.abs(ours.astype(np.float64) - theirs)
    measured = float(apart.sum() / 2 / ours.sum() if work == "histogram" else apart.mean())
    return Difference(measured, unit, "" if measured <= most else f"{measured:.3g} ({unit}), more than {most}")


def read(path: Path) -> np.ndarray:
    """Read a result, an array or a video."""
    if path.suffix == ".npy":
        return np.load(path)
    import av

    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])
