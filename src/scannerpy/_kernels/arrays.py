"""Ownership of the arrays that kernels return: an element must not be reachable through any other reference.

A returned frame becomes an element of the graph. Kernels often return an array they keep (a reused buffer, the previous
frame, a view of an input), so an element must be an array that *nothing else can reach*. CPython knows: an array that
owns its memory and has a single reference can be reached through that reference only. All other arrays are copied,
which saves the common case (`return cv2.resize(frame)`) a copy of megabytes.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from scannerpy._kernels.failure import InvalidValue

Array = npt.NDArray[Any]

DTYPES = frozenset(np.dtype(kind) for kind in (np.uint8, np.float32, np.float64))
"""What frames hold."""


def _references(cells: list[Array], i: int) -> int:
    return sys.getrefcount(cells[i])


def _base_references(cells: list[Array], i: int) -> int:
    return sys.getrefcount(cells[i].base)


_ALONE = _references([np.empty(1)], 0)
"""What `_references` says of an array that only its cell refers to; measured, for interpreters count differently."""
_BASE_ALONE = _base_references([np.empty(2)[:1]], 0)


def is_private(cells: list[Any], i: int) -> bool:
    """Whether the array in ``cells[i]`` can be reached through that cell only. The caller must hold no reference to it
    besides.
    """
    if _references(cells, i) > _ALONE:
        return False
    if cells[i].flags.owndata:
        return True
    base_is_array = isinstance(cells[i].base, np.ndarray) and cells[i].base.flags.owndata
    return base_is_array and _base_references(cells, i) <= _BASE_ALONE


def frame_out(cells: list[Any], i: int) -> Array:
    """Make what a kernel returned for a frame column, in ``cells[i]``, an element: private and C-contiguous.

    Raises InvalidValue for anything but an array of one to three dimensions of uint8, float32 or float64.
    """
    if type(cells[i]) is not np.ndarray or cells[i].dtype not in DTYPES:
        cells[i] = _plain(cells[i])
    if not 1 <= cells[i].ndim <= 3:
        raise InvalidValue(
            f"an array of shape {cells[i].shape}: a frame has 1 to 3 dimensions, (height, width, channels)"
        )
    if not cells[i].flags.c_contiguous or not is_private(cells, i):
        cells[i] = np.array(cells[i], order="C", copy=True)
    frame: Array = cells[i]
    return frame


def _plain(value: Any) -> Array:
    """An array of a permitted type from a subclass or another byte order; anything else is refused."""
    if not isinstance(value, np.ndarray):
        raise InvalidValue(f"{describe(value)}: a frame is a numpy array")
    native = value.dtype.newbyteorder("=")
    if native not in DTYPES:
        raise InvalidValue(
            f"an array of {value.dtype}: a frame holds uint8, float32 or float64; "
            "convert it, e.g. with .astype('uint8')"
        )
    return np.array(value, dtype=native)


def describe(value: Any) -> str:
    """What `value` is, shortly, for a message."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, shape {value.shape}"
    return f"a {type(value).__name__} ({value!r:.60})"
