"""MTCNNDetectFaces, EmbedFaces and DetectGender, under their older import path. Needs the extra ``models``."""

from scannerpy.ops.face_detection import DetectGender, EmbedFaces, MTCNNDetectFaces

__all__ = ["DetectGender", "EmbedFaces", "MTCNNDetectFaces"]
