"""Draws a small film for tutorials: a road in the hills by day, at dusk and at night.

The camera stands still within a shot, cars cross the picture at even speeds, and the shots are cut hard; so there is
something for a histogram, a shot finder, a tracker and a montage to find, and what they should find is known:

    from scannerpy.testing import scenes

    scenes.write("film.mp4", frames=250)
    scenes.cuts(250)  # [100, 170]: the rows at which a new shot begins
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Shot:
    """How one shot looks, in RGB, and its cars: each a colour, a width-per-row speed (negative: leftwards), a delay."""

    share: float
    sky: tuple[Colour, Colour]
    light: tuple[float, float, Colour]
    far: Colour
    near: Colour
    road: Colour
    cars: tuple[tuple[Colour, float, float], ...]


SHOTS = (
    Shot(
        0.4,
        ((104, 160, 214), (214, 232, 240)),
        (0.78, 0.2, (255, 244, 190)),
        (126, 160, 150),
        (98, 142, 84),
        (96, 98, 104),
        (((206, 60, 48), 0.016, 0.0), ((250, 250, 245), -0.012, 0.15)),
    ),
    Shot(
        0.28,
        ((70, 58, 108), (246, 150, 92)),
        (0.3, 0.5, (255, 206, 120)),
        (112, 78, 110),
        (76, 62, 72),
        (66, 60, 72),
        (((64, 108, 190), 0.02, 0.1),),
    ),
    Shot(
        0.32,
        ((10, 14, 34), (34, 42, 78)),
        (0.62, 0.22, (232, 234, 226)),
        (24, 32, 52),
        (16, 26, 32),
        (30, 32, 40),
        (((240, 200, 80), -0.017, 0.05), ((170, 60, 60), 0.013, 0.3)),
    ),
)


def write(path: Path | str, frames: int = 250, size: tuple[int, int] = (320, 240), rate: int = 25) -> Path:
    """Encode the film as H.264 with a keyframe every two seconds, and return its path. Both sides must be even."""
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"g": str(2 * rate), "preset": "veryfast", "crf": "20", "threads": "1"}
        for picture in pictures(frames, size):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return Path(path)


def cuts(frames: int) -> list[int]:
    """Return the rows at which the second and the third shot begin."""
    return [round(frames * sum(shot.share for shot in SHOTS[: n + 1])) for n in range(len(SHOTS) - 1)]


def pictures(frames: int, size: tuple[int, int]) -> Sequence[Picture]:
    """Return the film's RGB pictures."""
    edges = [0, *cuts(frames), frames]
    film: list[Picture] = []
    for shot, start, end in zip(SHOTS, edges, edges[1:], strict=False):
        scenery = _scenery(shot, *size)
        film += [_with_cars(scenery, shot, row, end - start) for row in range(end - start)]
    return film


def _scenery(shot: Shot, width: int, height: int) -> Picture:
    """Draw what stands still."""
    import cv2

    top, bottom = (np.array(colour, float) for colour in shot.sky)
    down = np.linspace(0, 1, height)[:, None, None]
    picture = np.broadcast_to(top + (bottom - top) * down, (height, width, 3)).astype(np.uint8)
    picture = np.ascontiguousarray(picture)
    x, y, colour = shot.light
    cv2.circle(picture, (round(x * width), round(y * height)), height // 14, colour, -1, cv2.LINE_AA)
    _hill(picture, shot.far, 0.52, 0.1, x * 7)
    _hill(picture, shot.near, 0.68, 0.07, x * 13)
    picture[round(height * 0.8) :] = shot.road
    picture[round(height * 0.9) : round(height * 0.9) + max(1, height // 100), :: max(8, width // 16)] = 220
    return picture


def _hill(picture: Picture, colour: Colour, level: float, rise: float, phase: float) -> None:
    import cv2

    height, width = picture.shape[:2]
    xs = np.arange(width)
    ys = height * (level - rise * (np.sin(xs / width * 7 + phase) + 0.4 * np.sin(xs / width * 17 + 2 * phase)))
    outline = np.stack([xs, ys], axis=1).round().astype(np.int32)
    cv2.fillPoly(picture, [np.array([*outline, (width, height), (0, height)], np.int32)], colour, cv2.LINE_AA)


def _with_cars(scenery: Picture, shot: Shot, row: int, rows: int) -> Picture:
    """Put the cars where they are at this row; one that has left the picture comes again from where it came."""
    picture = scenery.copy()
    height, width = picture.shape[:2]
    for colour, speed, delay in shot.cars:
        way = (abs(speed) * (row - delay * rows)) % 1.5
        if row < delay * rows:
            continue
        x = way - 0.25 if speed > 0 else 1.0 - way
        lane = 0.86 if speed > 0 else 0.81
        _car(picture, colour, round(x * width), round(lane * height), width // 7)
    return picture


def _car(picture: Picture, colour: Any, x: int, y: int, length: int) -> None:
    import cv2

    body, roof = length // 3, length // 5
    cv2.rectangle(picture, (x + length // 5, y - roof), (x + length * 4 // 5, y), colour, -1)
    cv2.rectangle(picture, (x + length // 4, y - roof + 2), (x + length * 3 // 4, y - 1), (40, 50, 60), -1)
    cv2.rectangle(picture, (x, y), (x + length, y + body // 2), colour, -1)
    for wheel in (x + length // 5, x + length * 4 // 5):
        cv2.circle(picture, (wheel, y + body // 2), max(2, length // 9), (24, 24, 26), -1, cv2.LINE_AA)
