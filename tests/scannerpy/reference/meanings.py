"""What each op of `kernels` means, as a pure function: the half of the reference that knows values, not rows.

A meaning gets the rows the kernel may remember, oldest first, the last being the row asked for. Each row is one
window per input, each window a tuple of values. Stateless ops look at the last row only. A meaning returns a tuple of
outputs.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Row = tuple[tuple[Any, ...], ...]
History = Sequence[Row]
Meaning = Callable[[History, Mapping[str, Any], Mapping[str, Any]], tuple[Any, ...]]


def digest(*parts: object) -> bytes:
    """Mix any values (bytes, numbers, text, frames, tuples of them) into 8 bytes that are never empty."""
    return hashlib.blake2b("\n".join(_text(part) for part in parts).encode(), digest_size=8).digest()


def _text(part: object) -> str:
    if isinstance(part, np.ndarray):
        return f"frame{part.shape}{part.dtype}{zlib.crc32(np.ascontiguousarray(part).tobytes())}"
    if isinstance(part, tuple | list):
        return "(" + ",".join(_text(p) for p in part) + ")"
    if isinstance(part, np.generic):
        return repr(part.item())
    return repr(part)


def paint(seed: bytes, dtype: str) -> np.ndarray[Any, Any]:
    """Return a small frame that follows from `seed`."""
    numbers = np.frombuffer(hashlib.blake2b(seed, digest_size=48).digest(), dtype=np.uint8).reshape(4, 4, 3)
    return numbers.astype(dtype)


def any_value(seed: bytes) -> Any:
    """Return None, a number, text or a tuple, depending on `seed`: what an op of type Any may hold."""
    return (None, seed[1], f"text {seed[1]}", (seed[1], None, seed))[seed[0] % 4]


def only(row: Row, number: int = 0) -> Any:
    """Return the value of input `number` of an op without a stencil."""
    (value,) = row[number]
    return value


@dataclass(frozen=True)
class Known:
    """One op: what it takes and gives (``b`` bytes, ``a`` Any, ``f`` frame, ``t`` a registered type), its defaults,
    its meaning.
    """

    takes: str
    gives: str
    meaning: Meaning
    window: tuple[int, ...] | None = None  # None: cannot stencil
    batch: int = 1
    state: str = ""  # "", "bounded", "unbounded"
    warmup: int = 0
    streams: bool = False  # takes the per-stream argument `offset`


def _map(history: History, init: Mapping[str, Any], stream: Mapping[str, Any]) -> tuple[Any, ...]:
    return (digest("map", init["salt"], *[only(history[-1], n) for n in range(len(history[-1]))]),)


def _window(history: History, init: Mapping[str, Any], stream: Mapping[str, Any]) -> tuple[Any, ...]:
    return (digest("window", init["salt"], *history[-1]),)


def _split(history: History, init: Mapping[str, Any], stream: Mapping[str, Any]) -> tuple[Any, ...]:
    value = only(history[-1])
    return digest("left", init["salt"], value), digest("right", init["salt"], value)


def _stream(history: History, init: Mapping[str, Any], stream: Mapping[str, Any]) -> tuple[Any, ...]:
    return (digest("stream", init["salt"], stream["offset"], only(history[-1])),)


def _to_any(history: History, init: Mapping[str, Any], stream: Mapping[str, Any]) -> tuple[Any, ...]:
    return (any_value(digest("any", init["salt"], only(history[-1]))),)


def _recall(history: History, init: Mapping[str, Any], stream: Mapping[str, Any]) -> tuple[Any, ...]:
    return (digest("recall", init["salt"], tuple(stream.items()), *history),)


def _paint(history: History, init: Mapping[str, Any], stream: Mapping[str, Any]) -> tuple[Any, ...]:
    return (paint(digest("paint", init["salt"], only(history[-1])), "uint8"),)


def _paint_float(history: History, init: Mapping[str, Any], stream: Mapping[str, Any]) -> tuple[Any, ...]:
    return (paint(digest("paint", init["salt"], only(history[-1])), "float32"),)


def _tint(history: History, init: Mapping[str, Any], stream: Mapping[str, Any]) -> tuple[Any, ...]:
    frame = only(history[-1])
    return (frame + np.array(init["salt"], frame.dtype),)


def _typed(history: History, init: Mapping[str, Any], stream: Mapping[str, Any]) -> tuple[Any, ...]:
    return (("typed", digest("typed", init["salt"], only(history[-1]))),)


OPS: dict[str, Known] = {
    "RefMap": Known("b", "b", _map),
    "RefFunction": Known("b", "b", _map),
    "RefPair": Known("bb", "b", _map),
    "RefVariadic": Known("b*", "b", _map),
    "RefBatch": Known("b", "b", _map, batch=3),
    "RefWindow": Known("b", "b", _window, window=(-1, 0, 1)),
    "RefWindowPair": Known("bb", "b", _window, window=(0, 1)),
    "RefWindowBatch": Known("b", "b", _window, window=(0,), batch=4),
    "RefSplit": Known("b", "bb", _split),
    "RefSplitBatch": Known("b", "bb", _split, batch=2),
    "RefStream": Known("b", "b", _stream, streams=True),
    "RefToAny": Known("b", "a", _to_any),
    "RefFromAny": Known("a", "b", _map),
    "RefTyped": Known("b", "t", _typed),
    "RefFromTyped": Known("t", "b", _map),
    "RefRecent": Known("b", "b", _recall, state="bounded", warmup=2),
    "RefRecentWindow": Known("b", "b", _recall, window=(-1, 0), state="bounded", warmup=1),
    "RefRecentBatch": Known("b", "b", _recall, batch=3, state="bounded", warmup=2),
    "RefRecentStream": Known("b", "b", _recall, state="bounded", warmup=1, streams=True),
    "RefAll": Known("b", "b", _recall, state="unbounded"),
    "RefAllWindow": Known("b", "b", _recall, window=(0, 1), state="unbounded"),
    "RefAllBatch": Known("b", "b", _recall, batch=4, state="unbounded"),
    "RefPaint": Known("b", "f", _paint),
    "RefPaintFloat": Known("b", "f", _paint_float),
    "RefTint": Known("f", "f", _tint),
    "RefFrame": Known("f", "b", _map),
    "RefFramePair": Known("fb", "b", _map),
    "RefFrameBatch": Known("f", "b", _map, batch=3),
    "RefFrameWindow": Known("f", "b", _window, window=(-1, 0, 1)),
    "RefFrameRecent": Known("f", "b", _recall, state="bounded", warmup=2),
}
