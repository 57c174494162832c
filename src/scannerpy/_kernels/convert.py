"""Conversion from elements to the values a kernel takes, and of what it returns to elements: one function per column,
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
from scannerpy._kernels.failure import InvalidValue
from scannerpy._ops.signature import Column
from scannerpy._words.elements import NULL, Element, NullElement

FromElement = Callable[[Element], Any]
"""Element → value for the kernel. Never called with null."""

ToElement = Callable[[list[Any], int], Element]
"""What a kernel returned, in ``cells[i]`` → element. The cell is to hold the only reference we have to it."""


def untyped_input(copies: bool) -> FromElement:
    """For inputs without a declared type (raw kernels): blobs as bytes, frames as arrays."""
    convert_frame = frame_input("", copies)
    return lambda element: element if type(element) is bytes else convert_frame(element)


def typed_input(column: Column, copies: bool) -> FromElement:
    """For a declared input. With `copies`, arrays are copied, so that a kernel may write into them."""
    if column.is_video:
        return frame_input(column.name, copies)
    if not column.type_name:
        return lambda element: element if type(element) is bytes else _raw_bytes(element)
    return _blob_input(column, copies)


def frame_input(name: str, copies: bool) -> FromElement:
    """For a frame input."""

    def convert(element: Element) -> Any:
        if type(element) is not np.ndarray:
            raise InvalidValue(f"input {name!r} takes frames but is fed a blob: give it a video column")
        return element.copy() if copies or not element.flags.writeable else element

    return convert


def _blob_input(column: Column, copies: bool) -> FromElement:
    info = types.get_type_info_cpp(column.type_name)
    deserialize = info.deserialize
    convert_frame = frame_input(column.name, copies) if column.type_name == "Any" else None

    def convert(element: Element) -> Any:
        if type(element) is not bytes:
            if convert_frame is not None:
                return convert_frame(element)
            element = _raw_bytes(element)
        try:
            return deserialize(element)
        except Exception as error:
            raise InvalidValue(
                f"input {column.name!r} is fed bytes that are not a serialized {info.cpp_name}"
            ) from error

    return convert


def _raw_bytes(element: Element) -> bytes:
    return element.tobytes() if isinstance(element, np.ndarray) else bytes(element)  # type: ignore[arg-type]  # not null


def output(column: Column, typed: bool = True) -> ToElement:
    """For an output. Without `typed` a blob is bytes whatever its column's type is called (raw kernels)."""
    if column.is_video:
        return _frame_output(column.name)
    if column.type_name and typed:
        return _blob_output(column)
    return _bytes_output(column.name)


def _frame_output(name: str) -> ToElement:
    def convert(cells: list[Any], i: int) -> Element:
        if type(cells[i]) is NullElement:
            return NULL
        try:
            return frame_out(cells, i)
        except InvalidValue as error:
            raise InvalidValue(f"returned, for frame output {name!r}, {error}") from None

    return convert


def _bytes_output(name: str) -> ToElement:
    def convert(cells: list[Any], i: int) -> Element:
        value = cells[i]
        if type(value) is bytes:
            return value
        if type(value) is NullElement:
            return NULL
        return _as_bytes(value, f"returned, for bytes output {name!r}, ")

    return convert


def _blob_output(column: Column) -> ToElement:
    info = types.get_type_info_cpp(column.type_name)
    serialize = info.serialize
    may_be_none = column.type_name == "Any"
    fault = "which pickle cannot store" if column.type_name == "Any" else f"which is not a {info.cpp_name}"

    def convert(cells: list[Any], i: int) -> Element:
        value = cells[i]
        if type(value) is NullElement:
            return NULL
        if value is None and not may_be_none:
            raise InvalidValue(f"returned, for output {column.name!r}, None: its type is {info.cpp_name}")
        try:
            data = serialize(value)
        except Exception as error:
            raise InvalidValue(f"returned, for output {column.name!r}, {describe(value)}, {fault}") from error
        return data if type(data) is bytes else _as_bytes(data, f"has a type {info.cpp_name} whose serialize gave ")

    return convert


def _as_bytes(value: Any, context: str) -> bytes:
    if isinstance(value, str):
        return value.encode()
    try:
        return memoryview(value).tobytes()
    except TypeError:
        raise InvalidValue(f"{context}{describe(value)}: bytes, a buffer or a str is expected") from None
