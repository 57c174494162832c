"""TorchKernel, under its older import path. Needs PyTorch, which Scanner does not bring."""

from scannerpy.ops.frameworks import TorchKernel

__all__ = ["TorchKernel"]
