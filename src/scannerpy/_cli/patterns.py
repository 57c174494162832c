"""The access patterns that `scanner verify` tries, and the ops that compute digests of frames inside a graph."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import scannerpy as sp

WINDOW = (-2, -1, 0, 1, 2)
"""The rows around each row that the window pattern takes."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rows to be asked for in one go, in this order."""

    name: str
    rows: tuple[int, ...]


def patterns(count: int) -> list[Pattern]:
    """The patterns for a video of `count` rows; the same ones every time."""
    chance = np.random.default_rng(0)
    scattered = chance.choice(count, min(count, 100), replace=False).tolist()
    repeated = chance.integers(0, count, min(count, 100)).tolist()
    ranges = [range(start, min(count, start + 10)) for start in sorted(chance.integers(0, count, 5).tolist())]
    found = [
        Pattern("every 2nd row", tuple(range(0, count, 2))),
        Pattern("every 7th row", tuple(range(3 % count, count, 7))),
        Pattern("every 30th row", tuple(range(0, count, 30))),
        Pattern("a random set, rising", tuple(sorted(scattered))),
        Pattern("random rows, any order", tuple(repeated)),
        Pattern("ranges of 10", tuple(row for each in ranges for row in each)),
        Pattern("backwards", tuple(range(count - 1, -1, -1))),
    ]
    return [pattern for pattern in found if pattern.rows]


def digest(frame: Any) -> bytes:
    """A digest of a frame: its shape and every byte."""
    pixels = np.ascontiguousarray(frame)
    return hashlib.blake2b(pixels.tobytes(), digest_size=16, key=repr(pixels.shape).encode()[:64]).digest()


@sp.register_python_op(name="VerifyDigest")
def _frame_digest(config: Any, frame: sp.FrameType) -> bytes:
    del config
    return digest(frame)


@sp.register_python_op(name="VerifyWindow", stencil=list(WINDOW))
def _window_digest(config: Any, frame: Sequence[sp.FrameType]) -> bytes:
    del config
    return b"".join(digest(each) for each in frame)
