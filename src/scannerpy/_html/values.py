"""Any value of a stream in one table cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from scannerpy._html.markup import Html, element, size

LONGEST = 200
SMALL = 12
"""Arrays of up to so many values are written out."""


def value(it: Any) -> Html:
    """Return a value: arrays and bytes by their kind, all others by their own short form, cut where it is long."""
    if isinstance(it, np.ndarray):
        return _array(it)
    if isinstance(it, bytes):
        start = it[:16].hex(" ") + (" …" if len(it) > 16 else "")
        return element("span", f"{size(len(it))}  ", element("code", start, class_="muted"))
    if isinstance(it, list) and len(it) > 3:
        return element("span", f"{len(it):,} × {type(it[0]).__name__}  ", element("code", _cut(it), class_="muted"))
    return element("code", _cut(it))


def null() -> Html:
    """Return a row without a value."""
    return element("span", "null", class_="muted")


def _array(it: Any) -> Html:
    kind = f"{it.dtype} array of {' × '.join(map(str, it.shape)) or 'no dimension'}"
    if it.size > SMALL:
        return element("span", kind)
    return element("span", f"{kind}  ", element("code", _cut(it.tolist()), class_="muted"))


def _words(it: Any) -> str:
    """Return a value's own short form; that of a protobuf message is given a name and commas."""
    if isinstance(it, list):
        return "[" + ", ".join(map(_words, it[:SMALL])) + (", …" if len(it) > SMALL else "") + "]"
    if hasattr(it, "DESCRIPTOR") and hasattr(it, "ListFields"):
        fields = ", ".join(f"{field.name}={_short(held)}" for field, held in it.ListFields())
        return f"{it.DESCRIPTOR.name}({fields})"
    return " ".join(repr(it).split())


def _short(held: Any) -> str:
    return f"{held:.4g}" if isinstance(held, float) else " ".join(repr(held).split())


def _cut(it: Any) -> str:
    try:
        words = _words(it)
    except Exception as error:  # noqa: BLE001  # a value's own repr may raise anything; its row is shown all the same
        return f"{type(it).__name__} whose repr() raises {type(error).__name__}"
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
