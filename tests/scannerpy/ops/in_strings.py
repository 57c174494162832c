"""Ops in a module whose annotations are strings."""

from __future__ import annotations

from scannerpy import types
from scannerpy.kernel import Kernel
from scannerpy.op import register_python_op
from scannerpy.types import BboxList, FrameType


def module_level(config, boxes: BboxList) -> bytes: ...


class Kernel_(Kernel):  # noqa: N801  # beside the Kernel it derives from
    def execute(self, frame: FrameType) -> FrameType: ...


def register_local() -> str:
    """Register an op whose annotations name a class that only this function knows."""

    @types.register_type
    class LocalWord:
        serialize = deserialize = staticmethod(bytes)

    @register_python_op()
    class LocalOp(Kernel):
        def execute(self, word: LocalWord) -> LocalWord: ...

    return LocalOp.__name__
