"""Runs an ONNX model on frames; used by `DetectObjects` and the other detectors.

A model has one image input, a float32 or uint8 tensor of four dimensions: (batch, 3, height, width) or (batch, height,
width, 3). Height and width may be fixed or free, and so may the batch, which is always 1 here: results then do not
depend on how frames are batched. Pixels are RGB; a float input gets ``(pixel / 255 - mean) / std``, a uint8 input the
pixels.

onnxruntime comes with the extra ``models`` and is imported when a kernel is set up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scannerpy.errors import ConfigError, NotSupported

Array = npt.NDArray[Any]

GREY = 114
"""What a frame is padded with to a model's shape: the value detectors are usually trained with."""
MULTIPLE = 32
"""A free side is padded to a multiple of this, as networks that halve five times need."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """How pixels become a float input: ``(pixel / 255 - mean) / std``; `bgr` swaps red and blue first."""

    mean: float | Sequence[float] = 0.0
    std: float | Sequence[float] = 1.0
    bgr: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """A frame fitted into a model's input: `scale` and the size it has there, at the top left of `size`."""

    scale: float
    size: tuple[int, int]
    frame_size: tuple[int, int]


class OnnxModel:
    """A model file, opened. `model` is its path; `op` is who asks, for messages.

    Raises ConfigError without a model or for one whose input is none of those above, NotSupported without onnxruntime.
    """

    def __init__(self, op: str, model: str | None, pixels: Pixels) -> None:
        self.op, self.path, self._pixels = op, check_model(op, model), pixels
        self._session = _open(op, self.path)
        inputs = self._session.get_inputs()
        self._input = inputs[0]
        self._planes = _is_planes(inputs, self.path)
        self.outputs: list[str] = [output.name for output in self._session.get_outputs()]

    def fit(self, frame: Array) -> tuple[Array, Fitted]:
        """Scale a frame to fit the model's input, keeping its shape, and pad it; returns the input and how it was made.

        Raises ValueError for a frame that is not uint8 with three channels.
        """
        import cv2

        frame = _checked(self.op, frame)
        height, width = frame.shape[:2]
        target = self._target(height, width)
        scale = min(target[0] / height, target[1] / width) if self._is_fixed() else 1.0
        size = max(1, min(target[0], round(height * scale))), max(1, min(target[1], round(width * scale)))
        padded = np.full((*target, 3), GREY, np.uint8)
        padded[: size[0], : size[1]] = frame if size == (height, width) else cv2.resize(frame, size[::-1])
        return self._tensor(padded), Fitted(scale, target, (height, width))

    def stretch(self, frame: Array) -> Array:
        """Scale a frame to the model's size, whatever its shape. Raises ConfigError where the model has no size."""
        import cv2

        if not self._is_fixed():
            raise ConfigError(f"{self.op}: the model {self.path} leaves its input's height and width open: fix them")
        target = self._target(0, 0)
        return self._tensor(cv2.resize(_checked(self.op, frame), target[::-1]))

    def run(self, tensor: Array) -> dict[str, Array]:
        """Return the outputs for one input, by name."""
        found = self._session.run(None, {self._input.name: tensor})
        return dict(zip(self.outputs, found, strict=True))

    def _is_fixed(self) -> bool:
        return all(isinstance(side, int) and side > 0 for side in self._sides())

    def _sides(self) -> Sequence[Any]:
        shape = self._input.shape
        return shape[2:] if self._planes else shape[1:3]

    def _target(self, height: int, width: int) -> tuple[int, int]:
        sides = [
            side if isinstance(side, int) and side > 0 else -(-own // MULTIPLE) * MULTIPLE
            for side, own in zip(self._sides(), (height, width), strict=True)
        ]
        return sides[0], sides[1]

    def _tensor(self, picture: Array) -> Array:
        picture = picture[..., ::-1] if self._pixels.bgr else picture
        if self._input.type == "tensor(float)":
            mean, std = (np.asarray(value, np.float32) for value in (self._pixels.mean, self._pixels.std))
            picture = (picture.astype(np.float32) / np.float32(255) - mean) / std
        picture = picture.transpose(2, 0, 1) if self._planes else picture
        return np.ascontiguousarray(picture[None])


def check_model(op: str, model: str | None) -> str:
    """Return the path of a model that exists. Raises ConfigError, saying what to give."""
    if not model:
        raise ConfigError(
            f"{op} needs a model: Scanner brings none. Give the path of an ONNX file, as in "
            f"cl.ops.{op}(…, model='model.onnx'); docs/guide/models.md says which are understood"
        )
    if not Path(model).is_file():
        raise ConfigError(f"{op}: the model {model} does not exist: check the path")
    return str(model)


def _open(op: str, path: str) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise NotSupported(f"{op} runs its model with onnxruntime: pip install 'scanner-puddle[models]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # the cores are busy with other frames
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has a dozen classes of its own, without a common base
        first = str(error).strip().partition("\n")[0]
        raise ConfigError(f"{op}: {path} is no model that onnxruntime can open: {first}") from error


def _is_planes(inputs: Sequence[Any], path: str) -> bool:
    """Whether the input is (batch, 3, height, width) rather than (batch, height, width, 3). Raises ConfigError."""
    if len(inputs) == 1 and len(inputs[0].shape) == 4 and inputs[0].type in {"tensor(float)", "tensor(uint8)"}:
        batch, second, _, last = inputs[0].shape
        if (not isinstance(batch, int) or batch == 1) and 3 in {second, last}:
            return bool(second == 3)
    found = "; ".join(f"{each.name}: {each.type} {each.shape}" for each in inputs)
    raise ConfigError(
        f"the model {path} takes {found}, but one image is understood: a float32 or uint8 tensor of shape "
        "(1 or any, 3, height, width) or (1 or any, height, width, 3)"
    )


def _checked(op: str, frame: Array) -> Array:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"{op} takes uint8 frames with 3 channels (RGB), not {frame.dtype} {frame.shape}")
    return frame


def crop(frame: Array, box: Any) -> Array:
    """Return the part of a frame inside a box whose corners are fractions of its size; at least one pixel."""
    height, width = frame.shape[:2]
    left, right = sorted((round(box.x1 * width), round(box.x2 * width)))
    top, bottom = sorted((round(box.y1 * height), round(box.y2 * height)))
    left, top = min(max(0, left), width - 1), min(max(0, top), height - 1)
    return frame[top : max(top + 1, min(height, bottom)), left : max(left + 1, min(width, right))]
