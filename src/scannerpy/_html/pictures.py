"""Frames as small pictures inside the page, and histograms as small bars."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from scannerpy._html.markup import Html, element

WIDTH, HEIGHT = 176, 132
"""Pictures are made to fit into this."""
QUALITY = 78

Array = npt.NDArray[Any]


def picture(frame: Array, alt: str) -> Html:
    """Return an RGB or gray frame of any dtype as a small JPEG; what is not uint8 is stretched to black and white."""
    import cv2

    small = _fitted(_shown(frame))
    done, encoded = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        return gone(alt)
    data = base64.b64encode(encoded.tobytes()).decode("ascii")
    return element(
        "img", src=f"data:image/jpeg;base64,{data}", width=small.shape[1], height=small.shape[0], alt=alt, title=alt
    )


def gone(words: str) -> Html:
    """Return a frame around words, where there is no picture to show."""
    return element("div", element("span", words, class_="muted"), class_="gone", style=f"width:{WIDTH}px;height:99px")


def sheet(pictures: Iterable[tuple[Html, str]]) -> Html:
    """Return (picture, caption) pairs as a contact sheet."""
    figures = [element("figure", shown, element("figcaption", caption, class_="muted")) for shown, caption in pictures]
    return element("div", *figures, class_="sheet")


def _shown(frame: Array) -> npt.NDArray[np.uint8]:
    """Return three uint8 channels of any frame: colours as they are, else how long each pixel's vector is, in gray."""
    if frame.ndim == 2:
        frame = frame[..., None]
    if frame.shape[-1] not in {1, 3}:
        frame = np.linalg.norm(frame.astype(np.float32), axis=-1, keepdims=True)
    if frame.dtype != np.uint8:
        frame = _stretched(frame)
    return np.repeat(frame, 3, axis=-1) if frame.shape[-1] == 1 else frame


def _stretched(frame: Array) -> npt.NDArray[np.uint8]:
    finite = np.where(np.isfinite(frame), frame, 0).astype(np.float64)
    low, high = float(finite.min(initial=0)), float(finite.max(initial=0))
    return ((finite - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)


def _fitted(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    import cv2

    height, width = frame.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height, 4.0)
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(frame, wanted, interpolation=way), np.uint8)


COLOURS = {"red": "#e05252", "green": "#3fa45b", "blue": "#4a86d8"}
BAR, TALL, GAP = 5, 32, 8


def bars(channels: Sequence[Array]) -> Html:
    """Return a histogram of three channels, red, green and blue, as bars."""
    drawn: list[Html] = []
    left = 0
    for (name, colour), counts in zip(COLOURS.items(), channels, strict=False):
        drawn.append(element("g", *_columns(counts, left), fill=colour, aria_label=name))
        left += BAR * len(counts) + GAP
    width = max(1, left - GAP)
    words = "; ".join(_words(name, counts) for name, counts in zip(COLOURS, channels, strict=False))
    return element(
        "svg", element("title", words), *drawn, role="img", aria_label=words, width=width, height=TALL,
        viewBox=f"0 0 {width} {TALL}",
    )  # fmt: skip


def _columns(counts: Array, left: int) -> list[Html]:
    top = max(1.0, float(np.max(counts, initial=0)))
    heights = [max(1.0, float(each) / top * TALL) for each in counts.tolist()]
    return [
        element("rect", x=left + BAR * k, y=f"{TALL - high:.1f}", width=BAR - 1, height=f"{high:.1f}")
        for k, high in enumerate(heights)
    ]


def _words(name: str, counts: Array) -> str:
    if not len(counts):
        return f"{name}: no bins"
    most = int(np.argmax(counts))
    return f"{name}: most pixels ({int(counts[most]):,}) in bin {most} of {len(counts)}"
