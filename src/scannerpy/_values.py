"""From stored elements to the values a program gets from `load`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from scannerpy import types
from scannerpy._words.elements import Element


def values(
    elements: Iterable[Element], ty: Any, fn: Callable[[bytes], Any] | None, recorded: Callable[[], Any]
) -> Iterator[Any]:
    """Turn bytes into values by `fn`, else by `ty`, else by the type `recorded` with the stream, else leave them.

    Frames and nulls pass as they are. `recorded` is only asked when it is needed.
    """
    decode = fn
    for element in elements:
        if not isinstance(element, bytes):
            yield element
            continue
        if decode is None:
            decode = _deserializer(ty if ty is not None else recorded())
        yield decode(element)


def _deserializer(ty: Any) -> Callable[[bytes], Any]:
    if ty is None:
        return lambda data: data
    own = getattr(ty, "deserialize", None)
    decode: Callable[[bytes], Any] = own if own is not None else types.get_type_info(ty).deserialize
    return decode
