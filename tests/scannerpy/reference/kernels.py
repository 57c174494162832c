"""The ops of the random graphs, as a user would write them. Each is honest: what it returns follows from what it
declares.

Kernels of frames scribble over their inputs when they are done, which the API allows and nobody else may see.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

import scannerpy as sp
from scannerpy.types import register_type
from tests.scannerpy.reference.meanings import any_value, digest, paint


@register_type
class RefType:
    """A registered type: a pair of a word and 8 bytes."""

    @staticmethod
    def serialize(value: tuple[str, bytes]) -> bytes:
        return value[0].encode() + b":" + value[1]

    @staticmethod
    def deserialize(data: bytes) -> tuple[str, bytes]:
        word, _, rest = data.partition(b":")
        return word.decode(), rest


class Salted(sp.Kernel):
    """Keeps the init argument all reference ops take, and refuses batches longer than it was told."""

    def __init__(self, config, salt, limit=1, keep=0):
        self.config, self.salt, self.limit, self.keep = config, salt, limit, keep

    def check(self, batch):
        if not 1 <= len(batch) <= self.limit:
            raise ValueError(f"a batch of {len(batch)} rows, at most {self.limit} were asked for")


def scribble(frame):
    frame[...] = 7


@sp.register_python_op()
class RefMap(Salted):
    def execute(self, x: bytes) -> bytes:
        return digest("map", self.salt, x)


@sp.register_python_op()
def RefFunction(config, x: bytes) -> bytes:
    return digest("map", config.args["salt"], x)


@sp.register_python_op()
class RefPair(Salted):
    def execute(self, x0: bytes, x1: bytes) -> bytes:
        return digest("map", self.salt, x0, x1)


@sp.register_python_op()
class RefVariadic(Salted):
    def execute(self, *xs: bytes) -> bytes:
        return digest("map", self.salt, *xs)


@sp.register_python_op(batch=3)
class RefBatch(Salted):
    def execute(self, x: Sequence[bytes]) -> Sequence[bytes]:
        self.check(x)
        return [digest("map", self.salt, one) for one in x]


@sp.register_python_op(stencil=[-1, 0, 1])
class RefWindow(Salted):
    def execute(self, x: Sequence[bytes]) -> bytes:
        return digest("window", self.salt, x)


@sp.register_python_op(stencil=[0, 1])
class RefWindowPair(Salted):
    def execute(self, x0: Sequence[bytes], x1: Sequence[bytes]) -> bytes:
        return digest("window", self.salt, x0, x1)


@sp.register_python_op(stencil=[0], batch=4)
class RefWindowBatch(Salted):
    def execute(self, x: Sequence[Sequence[bytes]]) -> Sequence[bytes]:
        self.check(x)
        return [digest("window", self.salt, window) for window in x]


@sp.register_python_op()
class RefSplit(Salted):
    def execute(self, x: bytes) -> tuple[bytes, bytes]:
        return digest("left", self.salt, x), digest("right", self.salt, x)


@sp.register_python_op(batch=2)
class RefSplitBatch(Salted):
    def execute(self, x: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes]]:
        self.check(x)
        return [digest("left", self.salt, one) for one in x], [digest("right", self.salt, one) for one in x]


@sp.register_python_op()
class RefStream(Salted):
    def new_stream(self, offset):
        self.offset = offset

    def execute(self, x: bytes) -> bytes:
        return digest("stream", self.salt, self.offset, x)


@sp.register_python_op()
class RefToAny(Salted):
    def execute(self, x: bytes) -> Any:
        return any_value(digest("any", self.salt, x))


@sp.register_python_op()
class RefFromAny(Salted):
    def execute(self, x: Any) -> bytes:
        return digest("map", self.salt, x)


@sp.register_python_op()
class RefTyped(Salted):
    def execute(self, x: bytes) -> RefType:
        return ("typed", digest("typed", self.salt, x))


@sp.register_python_op()
class RefFromTyped(Salted):
    def execute(self, x: RefType) -> bytes:
        return digest("map", self.salt, x)


class Remembering(Salted):
    """Remembers the last `keep` + 1 rows since `reset` (all of them when `keep` is None); a row is a tuple of
    windows.
    """

    stream = ()

    def reset(self):
        self.rows = []

    def recall(self, *windows):
        self.rows.append(windows)
        if self.keep is not None:
            self.rows = self.rows[-self.keep - 1 :]
        return digest("recall", self.salt, self.stream, *self.rows)


@sp.register_python_op(bounded_state=2)
class RefRecent(Remembering):
    def execute(self, x: bytes) -> bytes:
        return self.recall((x,))


@sp.register_python_op(bounded_state=1, stencil=[-1, 0])
class RefRecentWindow(Remembering):
    def execute(self, x: Sequence[bytes]) -> bytes:
        return self.recall(tuple(x))


@sp.register_python_op(bounded_state=2, batch=3)
class RefRecentBatch(Remembering):
    def execute(self, x: Sequence[bytes]) -> Sequence[bytes]:
        self.check(x)
        return [self.recall((one,)) for one in x]


@sp.register_python_op(bounded_state=1)
class RefRecentStream(Remembering):
    def new_stream(self, offset):
        self.stream = (("offset", offset),)

    def execute(self, x: bytes) -> bytes:
        return self.recall((x,))


@sp.register_python_op(unbounded_state=True)
class RefAll(Remembering):
    def execute(self, x: bytes) -> bytes:
        return self.recall((x,))


@sp.register_python_op(unbounded_state=True, stencil=[0, 1])
class RefAllWindow(Remembering):
    def execute(self, x: Sequence[bytes]) -> bytes:
        return self.recall(tuple(x))


@sp.register_python_op(unbounded_state=True, batch=4)
class RefAllBatch(Remembering):
    def execute(self, x: Sequence[bytes]) -> Sequence[bytes]:
        self.check(x)
        return [self.recall((one,)) for one in x]


@sp.register_python_op()
class RefPaint(Salted):
    def execute(self, x: bytes) -> sp.FrameType:
        return paint(digest("paint", self.salt, x), "uint8")


@sp.register_python_op()
class RefPaintFloat(Salted):
    def execute(self, x: bytes) -> sp.FrameType:
        return paint(digest("paint", self.salt, x), "float32")


@sp.register_python_op()
class RefTint(Salted):
    def execute(self, x: sp.FrameType) -> sp.FrameType:
        answer = x + np.array(self.salt, x.dtype)
        scribble(x)
        return answer


@sp.register_python_op()
class RefFrame(Salted):
    def execute(self, x: sp.FrameType) -> bytes:
        answer = digest("map", self.salt, x)
        scribble(x)
        return answer


@sp.register_python_op()
class RefFramePair(Salted):
    def execute(self, x0: sp.FrameType, x1: bytes) -> bytes:
        return digest("map", self.salt, x0, x1)


@sp.register_python_op(batch=3)
class RefFrameBatch(Salted):
    def execute(self, x: Sequence[sp.FrameType]) -> Sequence[bytes]:
        self.check(x)
        return [digest("map", self.salt, one) for one in x]


@sp.register_python_op(stencil=[-1, 0, 1])
class RefFrameWindow(Salted):
    def execute(self, x: Sequence[sp.FrameType]) -> bytes:
        return digest("window", self.salt, x)


@sp.register_python_op(bounded_state=2)
class RefFrameRecent(Remembering):
    def execute(self, x: sp.FrameType) -> bytes:
        return self.recall((x.copy(),))


@sp.register_python_op(bounded_state=3)
class RefCounter(sp.Kernel):
    """Counts executions since the last reset: what section 5.4 describes with `bounded_state=3`."""

    def reset(self):
        self.count = 0

    def execute(self, x: bytes) -> Any:
        self.count += 1
        return self.count - 1
