"""The demo's own ops, as any program defines them: a caption with a small histogram, and how fast a picture moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from scannerpy.kernel import KernelConfig
from scannerpy.op import register_python_op
from scannerpy.types import FrameType, Histogram

CHANNEL_COLOURS = ((255, 80, 80), (90, 220, 90), (90, 140, 255))


@register_python_op(name="DemoCaption", keeps_inputs=True)
def caption(config: KernelConfig, frame: FrameType, text: Any, histogram: Histogram) -> FrameType:  # noqa: ARG001
    """Return a copy of the frame with `text` on a dark band at its foot, and the histogram at the band's right end."""
    import cv2

    picture = frame.copy()
    height, width = frame.shape[:2]
    band = max(18, height // 14)
    picture[height - band :] //= 4
    size = max(9, round(band * 0.55))
    baseline = height - round(band * 0.32)
    cv2.putText(picture, text, (band // 2, baseline), (255, 255, 255), cv2.FontFace("sans"), size, 400)
    plot = picture[height - band + 2 : height - 2, width - 3 * band - band // 2 : width - band // 2]
    _draw_curves(plot, histogram)
    return picture


def _draw_curves(plot: Any, histogram: Any) -> None:
    """Draw one line per channel, square-rooted so that small bins show, scaled to the highest of all."""
    import cv2

    curves = np.sqrt(np.array(histogram, np.float64))
    curves /= max(1.0, curves.max())
    xs = np.linspace(0, plot.shape[1] - 1, curves.shape[1])
    canvas = np.ascontiguousarray(plot)
    for curve, colour in zip(curves, CHANNEL_COLOURS, strict=True):
        points = np.stack([xs, (1 - curve) * (plot.shape[0] - 1)], axis=1).round().astype(np.int32)
        cv2.polylines(canvas, [points], isClosed=False, color=colour, thickness=1, lineType=cv2.LINE_AA)
    plot[:] = canvas


@register_python_op(name="DemoSpeed", keeps_inputs=True)
def speed(config: KernelConfig, flow: FrameType) -> Any:  # noqa: ARG001
    """Return the mean speed of a flow, and that of its fastest twentieth, in pixels per step."""
    speeds = np.hypot(flow[..., 0], flow[..., 1])
    fastest = np.partition(speeds, -max(1, speeds.size // 20), axis=None)[-max(1, speeds.size // 20) :]
    return {"mean": float(speeds.mean()), "fastest": float(fastest.mean())}
