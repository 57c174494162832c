"""What can be set, as data: for messages, for `puddle settings` and for the documentation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from puddle.server.settings.sections import Section, Size


class Described(NamedTuple):
    """A setting. `default` is written in TOML; empty where there is none."""

    key: str
    default: str
    meaning: str


def described_fields(model: type[BaseModel], before: str = "") -> Iterator[Described]:
    """Yield every field of a model and of its sections, by the dotted key of the configuration file."""
    for name, field in model.model_fields.items():
        key = f"{before}{name}"
        inner = _section(field)
        if inner is None:
            yield Described(key, _written(key, field), field.description or "")
        else:
            yield from described_fields(inner, f"{key}[]." if name == "instance_types" else f"{key}.")


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind: Any = field.annotation
    if getattr(kind, "__args__", None) and kind.__args__[0] is Size:
        return Size
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _written(key: str, field: FieldInfo) -> str:
    if field.is_required() or key == "data":
        return ""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {json.dumps(each)}" for name, each in value.items()) + "}"
    return "" if value is None else json.dumps(value, default=str)
