"""Reads the outputs of object detectors, in the layouts that are common among ONNX files: boxes, scores, labels.

=============== ======================================================================== ==========================
`layout`        outputs                                                                  boxes
=============== ======================================================================== ==========================
``yolov8``      one, (1, 4 + classes, boxes)                                             centre, size; input pixels
``yolov5``      one, (1, boxes, 5 + classes), the fifth is the score of any object       centre, size; input pixels
``end-to-end``  one, (1, boxes, 6): corners, score, label; nothing left to suppress      corners; input pixels
``ssd``         ``detection_boxes`` (1, n, 4), ``detection_scores``,                     top, left, bottom, right;
                ``detection_classes`` (1, n), perhaps ``num_detections`` (1)             fractions of the input
``torchvision`` ``boxes`` (n, 4), ``scores`` (n), ``labels`` (n); other outputs, such as corners; input pixels
                ``masks``, are passed over
``priors``      ``boxes`` (1, n, 4), ``scores`` (1, n, classes), class 0 is background   corners; fractions
=============== ======================================================================== ==========================

Which of them a model has is told from its outputs' names and shapes. One thing cannot be told: (1, n, 6) is taken for
``end-to-end``; say ``layout="yolov5"`` where it is a YOLOv5 of one class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from scannerpy.errors import ConfigError
from scannerpy.ops.onnx_models import Array, Fitted

Outputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Found:
    """Boxes (n, 4) as left, top, right, bottom in pixels of the model's input; scores (n) and labels (n)."""

    boxes: Array
    scores: Array
    labels: Array
    suppressed: bool = False


def understood(outputs: Outputs, fitted: Fitted, layout: str | None, model: str) -> Found:
    """Read a model's outputs. Raises ConfigError, telling names and shapes, for outputs that are not understood."""
    name = layout or _layout(outputs)
    read = LAYOUTS.get(name or "")
    if layout is not None and read is None:
        raise ConfigError(f"layout {layout!r} is not known: give one of {', '.join(LAYOUTS)}")
    if read is not None:
        try:
            return read(outputs, fitted)
        except (KeyError, IndexError, ValueError):
            name = f"{name} after all"
    shapes = "; ".join(f"{key} {list(value.shape)}" for key, value in outputs.items())
    raise ConfigError(
        f"the outputs of the model {model} ({shapes}) are not {name or 'in a form that is understood'}: "
        f"the forms are {', '.join(LAYOUTS)}, described in scannerpy.ops.detections"
    )


def _layout(outputs: Outputs) -> str | None:
    if "detection_boxes" in outputs:
        return "ssd"
    if {"boxes", "scores", "labels"} <= outputs.keys():
        return "torchvision"
    if {"boxes", "scores"} <= outputs.keys():
        return "priors"
    shapes = [value.shape for value in outputs.values()]
    if len(shapes) != 1 or len(shapes[0]) != 3:
        return None
    if shapes[0][2] == 6:
        return "end-to-end"
    return "yolov8" if shapes[0][1] < shapes[0][2] else "yolov5"


def _only(outputs: Outputs) -> Array:
    (value,) = outputs.values()
    (rows,) = value
    return np.asarray(rows, np.float32)


def _yolov8(outputs: Outputs, fitted: Fitted) -> Found:
    del fitted
    rows = _only(outputs).T
    return _best(rows[:, :4], rows[:, 4:])


def _yolov5(outputs: Outputs, fitted: Fitted) -> Found:
    del fitted
    rows = _only(outputs)
    return _best(rows[:, :4], rows[:, 5:] * rows[:, 4:5])


def _best(centred: Array, scores: Array) -> Found:
    labels = scores.argmax(axis=1)
    half = centred[:, 2:] / 2
    boxes = np.concatenate([centred[:, :2] - half, centred[:, :2] + half], axis=1)
    return Found(boxes, scores.max(axis=1), labels)


def _end_to_end(outputs: Outputs, fitted: Fitted) -> Found:
    del fitted
    rows = _only(outputs)
    return Found(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64), suppressed=True)


def _ssd(outputs: Outputs, fitted: Fitted) -> Found:
    (boxes,), (scores,), (labels,) = (outputs[f"detection_{name}"] for name in ("boxes", "scores", "classes"))
    count = int(outputs["num_detections"].ravel()[0]) if "num_detections" in outputs else len(boxes)
    height, width = fitted.size
    corners = boxes[:count, [1, 0, 3, 2]] * np.array([width, height, width, height], np.float32)
    return Found(corners, scores[:count], labels[:count].astype(np.int64), suppressed=True)


def _torchvision(outputs: Outputs, fitted: Fitted) -> Found:
    del fitted
    boxes, scores, labels = (outputs[name] for name in ("boxes", "scores", "labels"))
    return Found(boxes.reshape(-1, 4), scores.ravel(), labels.ravel().astype(np.int64), suppressed=True)


def _priors(outputs: Outputs, fitted: Fitted) -> Found:
    (boxes,), (scores,) = outputs["boxes"], outputs["scores"]
    height, width = fitted.size
    objects = scores[:, 1:]
    corners = boxes * np.array([width, height, width, height], np.float32)
    return Found(corners, objects.max(axis=1), objects.argmax(axis=1) + 1)


LAYOUTS: Mapping[str, Callable[[Outputs, Fitted], Found]] = {
    "yolov8": _yolov8,
    "yolov5": _yolov5,
    "end-to-end": _end_to_end,
    "ssd": _ssd,
    "torchvision": _torchvision,
    "priors": _priors,
}


def kept(found: Found, threshold: float, overlap: float) -> Found:
    """Keep boxes that score `threshold` or more, the best first; of those of one label that overlap by more than
    `overlap` (intersection over union) only the best.
    """
    good = np.flatnonzero(found.scores >= threshold)
    order = good[np.argsort(-found.scores[good], kind="stable")]
    if not found.suppressed:
        order = _suppressed(found, order, overlap)
    return Found(found.boxes[order], found.scores[order], found.labels[order], suppressed=True)


def _suppressed(found: Found, order: Array, overlap: float) -> Array:
    chosen: list[int] = []
    while len(order):
        best, rest = order[0], order[1:]
        chosen.append(int(best))
        same = found.labels[rest] == found.labels[best]
        order = rest[~(same & (_overlaps(found.boxes[best], found.boxes[rest]) > overlap))]
    return np.array(chosen, np.int64)


def _overlaps(box: Array, others: Array) -> Array:
    """Return the intersection over union of a box with each of the others."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = np.prod(np.maximum(0, sides), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return np.asarray(common / np.maximum(areas - common, np.finfo(np.float32).tiny))


def fractions(boxes: Array, fitted: Fitted) -> Array:
    """Turn corners in pixels of the model's input into fractions of the frame, cut off at its edges."""
    height, width = fitted.frame_size
    return np.clip(boxes / fitted.scale / np.array([width, height, width, height], np.float32), 0, 1)
