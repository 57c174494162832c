"""Whether an H.264 picture tells the decoder to forget all others (memory management control operation 5).

Behind such a picture the numbers of reference pictures begin at 0 again, just as they happen to do where pictures are
missing. The operation stands at the very end of the slice header, so it is looked for only where a number calls for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scannerpy._video.nal import Bits, Malformed, unescape

HEADER_BYTES = 400
"""More than a slice header takes, weights of 32 pictures included."""

_P, _B, _SP = 0, 1, 3
_FORGET_ALL = 5
_OPERANDS = {1: 1, 2: 1, 3: 2, 4: 1, _FORGET_ALL: 0, 6: 1}


@dataclass(frozen=True, slots=True)
class Syntax:
    """What the parameter sets say of the fields of a slice header; `references` are the default lengths of its lists.

    `chroma`: there are weights for chroma. `weighted`: the slice types that have weights.
    """

    separate_planes: bool
    frame_num_bits: int
    frames_only: bool
    poc_bits: int  # 0 where the order is not told
    bottom_poc: bool
    redundant: bool
    references: tuple[int, int]
    weighted: frozenset[int]
    chroma: bool


def forgets_all(header: bytes, syntax: Syntax) -> bool:
    """Look into a reference picture that is no IDR; `header` is its first slice, behind the type of its NAL unit.

    True also where that cannot be read, so that nobody takes it for proof that pictures are missing.
    """
    bits = Bits(unescape(header[:HEADER_BYTES]))
    try:
        kind = _skip_to_lists(bits, syntax)
        _skip_lists(bits, kind, syntax)
        return bool(bits.u(1)) and _FORGET_ALL in _operations(bits)
    except Malformed:
        return True


def _skip_to_lists(bits: Bits, syntax: Syntax) -> int:
    """Read up to the lengths of the reference lists; return the slice's type."""
    bits.ue()  # the first macroblock
    kind = bits.ue() % 5
    bits.ue()  # the picture parameter set
    bits.u(2 * syntax.separate_planes + syntax.frame_num_bits)
    field = not syntax.frames_only and bool(bits.u(1))
    bits.u(int(field) + syntax.poc_bits)
    if syntax.poc_bits and syntax.bottom_poc and not field:
        bits.se()
    if syntax.redundant:
        bits.ue()
    return kind


def _skip_lists(bits: Bits, kind: int, syntax: Syntax) -> None:
    """Read over the reference lists: their lengths, their order, their weights."""
    lists = {_P: 1, _SP: 1, _B: 2}.get(kind, 0)
    lengths = list(syntax.references[:lists])
    bits.u(int(kind == _B))  # direct prediction
    if lists and bits.u(1):
        lengths = [bits.ue() + 1 for _ in lengths]
    for _ in lengths:
        if bits.u(1):
            while bits.ue() != 3:
                bits.ue()
    if kind in syntax.weighted:
        _skip_weights(bits, lengths, chroma=syntax.chroma)


def _skip_weights(bits: Bits, lengths: Sequence[int], *, chroma: bool) -> None:
    for _ in range(1 + chroma):
        bits.ue()  # denominators
    for _ in range(sum(lengths)):
        for numbers in (2, 4) if chroma else (2,):
            if bits.u(1):
                for _ in range(numbers):
                    bits.se()


def _operations(bits: Bits) -> Iterator[int]:
    while operation := bits.ue():
        if operation not in _OPERANDS:
            raise Malformed(f"memory management control operation {operation}")
        for _ in range(_OPERANDS[operation]):
            bits.ue()
        yield operation
