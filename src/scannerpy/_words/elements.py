"""Elements: what a column holds, one per row.

* a **frame**: a C-contiguous numpy array, height × width × channels, uint8 / float32 / float64;
* a **blob**: ``bytes``, the serialized form of the column's type. Blobs stay serialized between ops, so an op sees the
  same value whether its producer ran in the same task or was stored last year, and no op can change another's input;
* **null**: the single ``NULL``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class NullElement:
    """A row without a value, as `RepeatNull` makes them. Not ``None``, which an op may legitimately return."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NullElement()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NullElement)

    def __hash__(self) -> int:
        return hash(NullElement)

    def __reduce__(self) -> tuple[type[NullElement], tuple[()]]:
        return (NullElement, ())


NULL = NullElement()

Frame = npt.NDArray[np.uint8] | npt.NDArray[np.float32] | npt.NDArray[np.float64]
Element = Frame | bytes | NullElement
