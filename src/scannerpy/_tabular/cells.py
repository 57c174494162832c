"""From the elements of a stream to the cells of a table: plain Python values and arrays, whatever the stream's type.

| element | cell |
|---|---|
| null | ``None`` |
| frame, numpy array | itself |
| `Image` | the bytes of the picture file, as stored |
| `Bbox` and other protobuf messages | a dict with all fields |
| list, tuple, dict | the same of cells; keys become text |
| numpy scalar | the Python value |
| anything else | itself |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from scannerpy._values import values
from scannerpy._words.elements import Element, NullElement
from scannerpy.errors import ScannerException

if TYPE_CHECKING:
    from scannerpy.storage import StoredStream

IMAGE = "Image"
MOST_ROWS, MOST_BYTES = 8192, 16 << 20
"""Rows are taken so many at a time, fewer where they are large."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of a stream that are to become a table."""

    stream: StoredStream
    name: str
    wanted: list[int] | None  # None: all
    rows: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64] | None  # of `rows`, in seconds; NaN where not known
    type_name: str  # as registered; "" for frames and plain bytes

    def batches(self) -> Iterator[tuple[slice, list[Any]]]:
        """Yield (places in `rows`, their cells), so many at a time that memory stays bounded."""
        meter = _Meter()
        as_stored = bytes if self.type_name == IMAGE else None
        elements = meter.through(self.stream.load_bytes(self.wanted))
        held: list[Any] = []
        first = 0
        for value in values(elements, None, as_stored, self.stream.type):
            held.append(cell(value))
            if len(held) >= MOST_ROWS or meter.size >= MOST_BYTES:
                yield slice(first, first + len(held)), held
                first, held, meter.size = first + len(held), [], 0
        if held:
            yield slice(first, first + len(held)), held


class _Meter:
    """Counts the bytes of elements that pass, as they are stored; the size of a value in memory is not known."""

    def __init__(self) -> None:
        self.size = 0

    def through(self, elements: Iterable[Element]) -> Iterator[Element]:
        for element in elements:
            if not isinstance(element, NullElement):
                self.size += element.nbytes if isinstance(element, np.ndarray) else len(element)
            yield element


def select(stream: StoredStream, name: str, rows: Sequence[int] | None) -> Selection:
    """Choose rows of a stream (None: all). Raises NotCommitted for an incomplete one."""
    stream._check_committed()
    total = stream.len()
    chosen = np.arange(total) if rows is None else np.array(list(rows), np.int64)
    outside = chosen[(chosen < 0) | (chosen >= total)]
    if len(outside):
        raise ScannerException(f"stream {name!r}: row {outside[0]} does not exist; the rows are 0 to {total - 1}")
    times = stream._times()
    wanted = None if rows is None else chosen.tolist()
    return Selection(stream, name, wanted, chosen, None if times is None else times[chosen], stream._type_name())


def cell(value: Any) -> Any:
    """Return the cell of a value."""
    if value is None or isinstance(value, NullElement):
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [cell(each) for each in value]
    if isinstance(value, dict):
        return {str(key): cell(each) for key, each in value.items()}
    if hasattr(value, "DESCRIPTOR") and hasattr(value, "ListFields"):
        return {field.name: _field(value, field) for field in value.DESCRIPTOR.fields}
    return value


def _field(message: Any, field: Any) -> Any:
    held = getattr(message, field.name)
    if hasattr(held, "items"):  # a map
        return [{"key": key, "value": cell(each)} for key, each in held.items()]
    return [cell(each) for each in held] if field.is_repeated else cell(held)
