"""DetectObjects, MaskRCNNDetectObjects, TorchDrawBoxes, under their older import path. Needs the extra ``models``."""

from scannerpy.ops.drawing import TorchDrawBoxes
from scannerpy.ops.object_detection import DetectObjects, MaskRCNNDetectObjects

__all__ = ["DetectObjects", "MaskRCNNDetectObjects", "TorchDrawBoxes"]
