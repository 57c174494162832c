"""MTCNNDetectFaces, EmbedFaces and DetectGender, by models the program brings (extra ``models``).

The first has its name from the network it used to run; any detector of faces will do (see `scannerpy.ops.detections`).
The other two look at each face by itself: cut out of the frame and scaled to the model's fixed size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scannerpy.errors import ConfigError
from scannerpy.kernel import Kernel, KernelConfig
from scannerpy.op import register_python_op
from scannerpy.ops.object_detection import Detector
from scannerpy.ops.onnx_models import Array, OnnxModel, Pixels, crop
from scannerpy.types import BboxList, FrameType, NumpyArrayFloat32, VariableList

FaceEmbeddings = VariableList("FaceEmbeddings", NumpyArrayFloat32)


@register_python_op(name="MTCNNDetectFaces", columns=["bboxes"], batch=5, keeps_inputs=True, releases_gil=True)
class MTCNNDetectFaces(Detector):
    """Boxes around the faces in each frame."""

    def execute(self, frame: Sequence[FrameType]) -> Sequence[BboxList]:
        """Return the boxes of each frame."""
        return [self.boxes(each) for each in frame]


class _FaceModel(Kernel):
    """A model that gives one row of numbers for the picture of a face."""

    def __init__(
        self,
        config: KernelConfig,
        model: str | None = None,
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
        bgr: bool = False,
    ) -> None:
        super().__init__(config)
        self.path, self.pixels = model, Pixels(mean, std, bgr)

    def setup_with_resources(self) -> None:
        """Open the model. Raises ConfigError for one with several outputs."""
        self.model = OnnxModel(type(self).__name__, self.path, self.pixels)
        if len(self.model.outputs) != 1:
            raise ConfigError(
                f"the model {self.model.path} has the outputs {', '.join(self.model.outputs)}, but "
                f"{type(self).__name__} understands one: a row of numbers for each face"
            )

    def look(self, frame: Any, bboxes: Any) -> list[Array]:
        """Return the model's row of numbers for each box."""
        rows = [self.model.run(self.model.stretch(crop(frame, box))) for box in bboxes]
        return [next(iter(row.values())).astype(np.float32).ravel() for row in rows]


@register_python_op(name="EmbedFaces", columns=["embeddings"], keeps_inputs=True, releases_gil=True)
class EmbedFaces(_FaceModel):
    """A vector for each face, near to those of other pictures of the same person: a list of float32 arrays."""

    def execute(self, frame: FrameType, bboxes: BboxList) -> FaceEmbeddings:  # type: ignore[valid-type]  # made above
        """Return the vectors of one frame's faces, in the order of the boxes."""
        return self.look(frame, bboxes)


@register_python_op(name="DetectGender", columns=["genders"], keeps_inputs=True, releases_gil=True)
class DetectGender(_FaceModel):
    """A guess at each face's gender: a list of (label, probability).

    `labels` names the model's outputs in their order. Outputs that are no probabilities are made so (softmax).
    """

    def __init__(
        self,
        config: KernelConfig,
        model: str | None = None,
        labels: Sequence[str] = ("F", "M"),
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
        bgr: bool = False,
    ) -> None:
        super().__init__(config, model, mean, std, bgr)
        self.labels = tuple(labels)

    def execute(self, frame: FrameType, bboxes: BboxList) -> Any:
        """Return the guesses for one frame's faces, in the order of the boxes."""
        return [self._guess(row) for row in self.look(frame, bboxes)]

    def _guess(self, row: Array) -> tuple[str, float]:
        if len(row) != len(self.labels):
            raise ConfigError(
                f"the model {self.model.path} gives {len(row)} numbers for a face, but DetectGender has the labels "
                f"{', '.join(self.labels)}: give labels=… one name for each"
            )
        if (row < 0).any() or abs(row.sum() - 1) > 1e-3:
            row = np.exp(row - row.max())
            row = row / row.sum()
        best = int(row.argmax())
        return self.labels[best], float(row[best])
