"""The Arrow type of a stream's values: known for Scanner's own types, found by looking for all others.

Values of `Any` and of a program's own types have the narrowest type that holds all of them, found in a pass over the
whole stream: numbers, text, bytes, lists and dicts become columns that other tools can compute with. Where Arrow has no
type for them, or none for all of them together, they become text: JSON, with ``repr`` for what JSON cannot hold.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from scannerpy._tabular.cells import Selection
from scannerpy.errors import SerializationError
from scannerpy.protobufs import protobufs


class Kind:
    """An Arrow type, and how cells become an array of it."""

    def __init__(self, pa: Any, arrow: Any) -> None:
        self.pa = pa
        self.arrow = arrow

    def array(self, cells: list[Any]) -> Any:
        """Return the cells as an Arrow array."""
        return self.pa.array([_nested(each) for each in cells], self.arrow)


class Text(Kind):
    """What no type of Arrow's holds, as text."""

    def __init__(self, pa: Any) -> None:
        super().__init__(pa, pa.string())

    def array(self, cells: list[Any]) -> Any:
        """See `Kind`."""
        return self.pa.array([None if each is None else as_text(each) for each in cells], self.arrow)


class Frames(Kind):
    """Arrays of one shape: Arrow's fixed-shape tensors."""

    def __init__(self, pa: Any, name: str, like: Any) -> None:
        super().__init__(pa, pa.fixed_shape_tensor(pa.from_numpy_dtype(like.dtype), like.shape))
        self._name, self._shape, self._dtype = name, like.shape, like.dtype

    def array(self, cells: list[Any]) -> Any:
        """See `Kind`. Raises SerializationError for a frame of another shape or dtype than the first."""
        for each in cells:
            if each is not None and (each.shape, each.dtype) != (self._shape, self._dtype):
                raise SerializationError(
                    f"stream {self._name!r} holds frames of several shapes ({self._dtype} {self._shape} and then "
                    f"{each.dtype} {each.shape}), which are no column of a table: choose rows that are alike with "
                    "rows=[…], or leave the frames out with values=False"
                )
        nulls = np.array([each is None for each in cells])
        empty = np.zeros(self._shape, self._dtype)
        flat = np.concatenate([(empty if each is None else each).reshape(-1) for each in cells])
        mask = self.pa.array(nulls) if nulls.any() else None
        rows = self.pa.FixedSizeListArray.from_arrays(self.pa.array(flat), type=self.arrow.storage_type, mask=mask)
        return self.pa.ExtensionArray.from_storage(self.arrow, rows)


def kind_of(pa: Any, chosen: Selection) -> tuple[str, Kind]:
    """Return the name of the value column, ``frame`` or ``value``, and its kind."""
    known = _known(pa, chosen.type_name)
    if known is not None:
        return "value", Kind(pa, known)
    if not chosen.type_name:
        frame = _first_frame(chosen)
        return ("value", Kind(pa, pa.binary())) if frame is None else ("frame", Frames(pa, chosen.name, frame))
    return "value", _found(pa, chosen)


def _known(pa: Any, type_name: str) -> Any:
    match type_name:
        case "Bytes" | "Image":
            return pa.binary()
        case "Histogram":
            return pa.list_(pa.list_(pa.int32()))
        case "NumpyArrayFloat32":
            return pa.list_(pa.float32())
        case "NumpyArrayInt32":
            return pa.list_(pa.int32())
        case "Bbox":
            return _box(pa)
        case "BboxList":
            return pa.list_(_box(pa))
    return None


def _box(pa: Any) -> Any:
    fields = protobufs.BoundingBox.DESCRIPTOR.fields
    numbers = {"float": pa.float32(), "double": pa.float64(), "int": pa.int32()}
    return pa.struct([(field.name, numbers[_number(field)]) for field in fields])


def _number(field: Any) -> str:
    names = {field.CPPTYPE_FLOAT: "float", field.CPPTYPE_DOUBLE: "double"}
    return names.get(field.cpp_type, "int")


def _first_frame(chosen: Selection) -> Any:
    """Return the first element that is not null if it is a frame, else None."""
    for element in chosen.stream.load(rows=chosen.wanted):
        if isinstance(element, np.ndarray):
            return element
        if isinstance(element, bytes):
            return None
    return None


def _found(pa: Any, chosen: Selection) -> Kind:
    """Look at all values for the type that holds them."""
    found = pa.schema([("value", pa.null())])
    try:
        for _, cells in chosen.batches():
            made = pa.array([_nested(each) for each in cells])
            found = pa.unify_schemas([found, pa.schema([("value", made.type)])], promote_options="permissive")
    except (pa.ArrowException, OverflowError, UnicodeError):
        return Text(pa)
    arrow = found.field("value").type
    return Kind(pa, arrow) if _can_be_stored(pa, arrow) else Text(pa)


def _can_be_stored(pa: Any, arrow: Any) -> bool:
    """Whether Parquet can hold a type: it has no structs without fields."""
    if pa.types.is_struct(arrow):
        return arrow.num_fields > 0 and all(_can_be_stored(pa, arrow.field(i).type) for i in range(arrow.num_fields))
    return _can_be_stored(pa, arrow.value_type) if pa.types.is_list(arrow) else True


def _nested(value: Any) -> Any:
    """Return a cell with arrays of several dimensions as lists of lists, which is how Arrow takes them."""
    if isinstance(value, np.ndarray):
        return value if value.ndim == 1 and value.dtype != object else value.tolist()
    if isinstance(value, list):
        return [_nested(each) for each in value]
    return {key: _nested(each) for key, each in value.items()} if isinstance(value, dict) else value


def as_text(value: Any) -> str:
    """Return a cell as JSON, with ``repr`` for what JSON cannot hold."""
    try:
        return json.dumps(_nested(value), default=_plain)
    except (TypeError, ValueError, RecursionError):
        return repr(value).encode("utf-8", "replace").decode("utf-8")


def _plain(value: Any) -> Any:
    """What JSON holds of an array all by itself: its numbers. NumPy's ``repr`` would leave most of them out."""
    return value.tolist() if isinstance(value, np.ndarray) else repr(value)
