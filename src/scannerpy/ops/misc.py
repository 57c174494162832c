"""Small ops: Pass hands a column on, Discard and DiscardFrame drop one, InfoFromFrame describes frames."""

from __future__ import annotations

from typing import Any

from scannerpy.kernel import KernelConfig
from scannerpy.op import register_python_op
from scannerpy.protobufs import protobufs
from scannerpy.types import FrameType, register_type


@register_type
class FrameInfo:
    """`InfoFromFrame`'s values: messages with ``shape`` (a list) and ``type`` (U8, F32 or F64)."""

    @staticmethod
    def serialize(message: Any) -> bytes:
        """Write a `protobufs.FrameInfo`."""
        return message.SerializeToString(deterministic=True)

    @staticmethod
    def deserialize(data: bytes) -> Any:
        """Read a `protobufs.FrameInfo`."""
        return protobufs.FrameInfo.FromString(data)


_NAMES = {"uint8": "U8", "uint16": "U16", "float32": "F32", "float64": "F64"}


@register_python_op(name="Pass", columns=["output"])
def pass_on(config: KernelConfig, input: bytes) -> bytes:  # noqa: A002, ARG001 — documented names
    """Return the input."""
    return input


@register_python_op(name="Discard", columns=["dummy"])
def discard(config: KernelConfig, ignore: bytes) -> bytes:  # noqa: ARG001 — that is what it is for
    """Return one byte for every element: makes the engine compute a column without storing it."""
    return b" "


@register_python_op(name="DiscardFrame", columns=["dummy"], keeps_inputs=True)
def discard_frame(config: KernelConfig, ignore: FrameType) -> bytes:  # noqa: ARG001 — that is what it is for
    """Return one byte for every frame: makes the engine decode or compute frames without storing them."""
    return b" "


@register_python_op(name="InfoFromFrame", columns=["frame_info"], keeps_inputs=True)
def info_from_frame(config: KernelConfig, frame: FrameType) -> FrameInfo:  # noqa: ARG001 — the documented signature
    """Return each frame's shape and type."""
    return protobufs.FrameInfo(shape=frame.shape, type=getattr(protobufs, _NAMES[frame.dtype.name]))
