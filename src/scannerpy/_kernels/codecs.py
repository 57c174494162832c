"""From elements to what a kernel's input receives, and from what it returns to elements: one function per column,
chosen once when the host is made.

Blobs are `bytes` between ops, so an op always gets values of its own. Where a graph joins columns of different kinds
(nothing forbids it), a frame given to a blob input arrives as its raw bytes, and as the array itself where the input
is declared `Any`; a blob given to a frame input is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scannerpy import types
from scannerpy._kernels.arrays import describe, frame_out
from scannerpy._kernels.refused import Refused
from scannerpy._ops.signature import Column
from scannerpy._words.elements import NULL, Element, NullElement

Take = Callable[[Element], Any]
"""Element → value for the kernel. Never called with null."""

Give = Callable[[list[Any], int], Element]
"""What a kernel returned, in ``cells[i]`` → element. The cell is to hold the only reference we have to it."""


def untyped_taker(copies: bool) -> Take:
    """For inputs without a declared type (raw kernels): blobs as bytes, frames as arrays."""
    take_frame = frame_taker("", copies)
    return lambda element: element if type(element) is bytes else take_frame(element)


def taker(column: Column, copies: bool) -> Take:
    """For a declared input. With `copies`, arrays are copied, so that a kernel may write into them."""
    if column.is_video:
        return frame_taker(column.name, copies)
    if not column.type_name:
        return lambda element: element if type(element) is bytes else _raw_bytes(element)
    return _blob_taker(column, copies)


def frame_taker(name: str, copies: bool) -> Take:
    """For a frame input."""

    def take(element: Element) -> Any:
        if type(element) is not np.ndarray:
            raise Refused(f"input {name!r} takes frames but is fed a blob: give it a video column")
        return element.copy() if copies or not element.flags.writeable else element

    return take


def _blob_taker(column: Column, copies: bool) -> Take:
    info = types.get_type_info_cpp(column.type_name)
    deserialize = info.deserialize
    take_frame = frame_taker(column.name, copies) if column.type_name == "Any" else None

    def take(element: Element) -> Any:
        if type(element) is not bytes:
            if take_frame is not None:
                return take_frame(element)
            element = _raw_bytes(element)
        try:
            return deserialize(element)
        except Exception as error:
            raise Refused(f"input {column.name!r} is fed bytes that are not a serialized {info.cpp_name}") from error

    return take


def _raw_bytes(element: Element) -> bytes:
    return element.tobytes() if isinstance(element, np.ndarray) else bytes(element)  # type: ignore[arg-type]  # not null


def giver(column: Column, typed: bool = True) -> Give:
    """For an output. Without `typed` a blob is bytes whatever its column's type is called (raw kernels)."""
    if column.is_video:
        return _frame_giver(column.name)
    if column.type_name and typed:
        return _blob_giver(column)
    return _bytes_giver(column.name)


def _frame_giver(name: str) -> Give:
    def give(cells: list[Any], i: int) -> Element:
        if type(cells[i]) is NullElement:
            return NULL
        try:
            return frame_out(cells, i)
        except Refused as error:
            raise Refused(f"returned, for frame output {name!r}, {error}") from None

    return give


def _bytes_giver(name: str) -> Give:
    def give(cells: list[Any], i: int) -> Element:
        value = cells[i]
        if type(value) is bytes:
            return value
        if type(value) is NullElement:
            return NULL
        return _as_bytes(value, f"returned, for bytes output {name!r}, ")

    return give


def _blob_giver(column: Column) -> Give:
    info = types.get_type_info_cpp(column.type_name)
    serialize = info.serialize
    may_be_none = column.type_name == "Any"
    fault = "which pickle cannot store" if column.type_name == "Any" else f"which is not a {info.cpp_name}"

    def give(cells: list[Any], i: int) -> Element:
        value = cells[i]
        if type(value) is NullElement:
            return NULL
        if value is None and not may_be_none:
            raise Refused(f"returned, for output {column.name!r}, None: its type is {info.cpp_name}")
        try:
            data = serialize(value)
        except Exception as error:
            raise Refused(f"returned, for output {column.name!r}, {describe(value)}, {fault}") from error
        return data if type(data) is bytes else _as_bytes(data, f"has a type {info.cpp_name} whose serialize gave ")

    return give


def _as_bytes(value: Any, context: str) -> bytes:
    if isinstance(value, str):
        return value.encode()
    try:
        return memoryview(value).tobytes()
    except TypeError:
        raise Refused(f"{context}{describe(value)}: bytes, a buffer or a str is expected") from None
