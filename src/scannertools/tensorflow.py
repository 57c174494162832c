"""TensorFlowKernel, under its older import path. It was for TensorFlow 1 and cannot be used any more."""

from scannerpy.ops.frameworks import TensorFlowKernel

__all__ = ["TensorFlowKernel"]
