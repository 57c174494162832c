"""DetectObjects and MaskRCNNDetectObjects: boxes around objects, by a model the program brings (extra ``models``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scannerpy.kernel import Kernel, KernelConfig
from scannerpy.op import register_python_op
from scannerpy.ops.detections import fractions, kept, understood
from scannerpy.ops.onnx_models import OnnxModel, Pixels
from scannerpy.protobufs import protobufs
from scannerpy.types import BboxList, FrameType


class Detector(Kernel):
    """What all detectors share: a model file, how pixels go in, which boxes come out.

    * `model`: the path of an ONNX file; see `scannerpy.ops.onnx_models` for its input.
    * `layout`: the form of its outputs (see `scannerpy.ops.detections`); None: told from their names and shapes.
    * `threshold`: the least score; `overlap`: how much two boxes of one label may overlap.
    * `mean`, `std`, `bgr`: how pixels become numbers (see `Pixels`).
    """

    def __init__(
        self,
        config: KernelConfig,
        model: str | None = None,
        layout: str | None = None,
        threshold: float = 0.5,
        overlap: float = 0.45,
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
        bgr: bool = False,
    ) -> None:
        super().__init__(config)
        self.path, self.layout, self.threshold, self.overlap = model, layout, threshold, overlap
        self.pixels = Pixels(mean, std, bgr)

    def setup_with_resources(self) -> None:
        """Open the model."""
        self.model = OnnxModel(type(self).__name__, self.path, self.pixels)

    def boxes(self, frame: Any) -> list[Any]:
        """Return a frame's boxes as messages, the best first; corners are fractions of its width and height."""
        tensor, fitted = self.model.fit(frame)
        found = understood(self.model.run(tensor), fitted, self.layout, self.model.path)
        best = kept(found, self.threshold, self.overlap)
        return [
            protobufs.BoundingBox(x1=x1, y1=y1, x2=x2, y2=y2, score=score, label=label)
            for (x1, y1, x2, y2), score, label in zip(
                fractions(best.boxes, fitted).tolist(), best.scores.tolist(), best.labels.tolist(), strict=True
            )
        ]


@register_python_op(name="DetectObjects", columns=["bboxes"], keeps_inputs=True, releases_gil=True)
class DetectObjects(Detector):
    """Boxes around the objects in each frame; `label` is the number of the class, as the model counts them."""

    def execute(self, frame: FrameType) -> BboxList:
        """Return the boxes of one frame."""
        return self.boxes(frame)


@register_python_op(name="MaskRCNNDetectObjects", columns=["bboxes"], keeps_inputs=True, releases_gil=True)
class MaskRCNNDetectObjects(Detector):
    """The same for a Mask R-CNN as torchvision exports it; its masks are passed over."""

    def execute(self, frame: FrameType) -> BboxList:
        """Return the boxes of one frame."""
        return self.boxes(frame)
