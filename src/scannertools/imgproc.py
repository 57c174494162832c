"""Image processing ops, under their older import path."""

from scannerpy.ops.images import ImageDecoder, ImageEncoder
from scannerpy.ops.imgproc import Blur, ConvertColor, Histogram, Resize
from scannerpy.ops.montage import Montage
from scannerpy.ops.optical_flow import OpticalFlow

__all__ = ["Blur", "ConvertColor", "Histogram", "ImageDecoder", "ImageEncoder", "Montage", "OpticalFlow", "Resize"]
