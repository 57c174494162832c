"""Base classes that older programs derive kernels from. TorchKernel works where PyTorch is; TensorFlowKernel is gone.

Scanner brings neither framework. New kernels need no such base: load the model in `setup_with_resources`.
"""

from __future__ import annotations

from typing import Any

from scannerpy.common import DeviceType
from scannerpy.errors import NotSupported
from scannerpy.kernel import Kernel, KernelConfig


class TorchKernel(Kernel):
    """A kernel with a PyTorch model. Define `build_model`, which returns it, and use ``self.model`` in `execute`.

    The model is put on the kernel's device (``self.device``) and switched to evaluation. Raises NotSupported where
    PyTorch is not installed.
    """

    def __init__(self, config: KernelConfig) -> None:
        super().__init__(config)
        try:
            import torch  # type: ignore[import-not-found,unused-ignore]  # not one of our dependencies
        except ImportError as error:
            raise NotSupported(f"{type(self).__name__} needs PyTorch: pip install torch") from error
        handle = config.devices[0]
        gpu = handle.device is DeviceType.GPU
        self.device = torch.device(f"cuda:{handle.device_id}" if gpu else "cpu")

    def setup_with_resources(self) -> None:
        """Make the model."""
        self.model = self.build_model().to(self.device).eval()

    def build_model(self) -> Any:
        """Return the model, a ``torch.nn.Module``."""
        raise NotImplementedError(f"{type(self).__name__} has no build_model method, which returns its model")


class TensorFlowKernel(Kernel):
    """Not available: it built graphs and sessions of TensorFlow 1, which no current Python can install."""

    def __init__(self, config: KernelConfig) -> None:
        super().__init__(config)
        raise NotSupported(
            f"{type(self).__name__} derives from TensorFlowKernel, which was for TensorFlow 1 and is gone: derive from "
            "scannerpy.Kernel and load the model in setup_with_resources, or export it to ONNX for cl.ops.DetectObjects"
        )
