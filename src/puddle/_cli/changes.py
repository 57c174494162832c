"""What an event of the audit trail has changed, in a few words: "price 0.05 → 0.07"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from puddle._cli.showing import when

_CALLED = ("name", "text", "label")
"""Under which of these something new has its name."""
_TIMES = {"expires", "extended"}
_LEFT_OUT = {"updated"}
_MICROS = "_micros"
_EXACTLY = 10**6


def told(before: str, after: str) -> str:
    """Return what is different, of the JSON of a thing before and after; of something new what it is called."""
    was, now = _values(before), _values(after)
    if not was:
        return next((str(now[name]) for name in _CALLED if name in now), "")
    changed = [name for name in now if was.get(name) != now[name] and name not in _LEFT_OUT]
    return ", ".join(f"{_named(name)} {_said(name, was.get(name))} → {_said(name, now[name])}" for name in changed)


def _values(of: str) -> Mapping[str, object]:
    found = json.loads(of) if of else {}
    return found if isinstance(found, dict) else {}


def _named(field: str) -> str:
    return field.removesuffix(_MICROS).replace("_", " ")


def _said(field: str, value: object) -> str:
    if field.endswith(_MICROS) and isinstance(value, int):
        return f"{Decimal(value) / _EXACTLY:f}"
    if field in _TIMES and isinstance(value, int):
        return when(value) or "never"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in {"", None} else str(value)
