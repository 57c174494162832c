"""Tables for people, JSON for programs.

A table never breaks a word: an id can be copied, a line can be cut with `awk`. On a terminal that is too narrow whole
columns are left out, from the right, and that is said; into a pipe or a file goes everything.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, TypeVar

import typer
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.cells import cell_len

from puddle.client.proto.v2.auth_service_pb2 import Role
from puddle.server.domain.printed import readable

Thing = TypeVar("Thing")
Columns = Mapping[str, Callable[[Thing], object]]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_SECRETS = ("password", "secret")
_GAP = "  "
_NUMBERS = {"COST", "PRICE/H", "CPUS", "MEMORY", "DISK", "SYSTEMS", "THIS MONTH", "TOTAL", "CU", "USERS"}
_SENTENCES = {"DETAIL", "MESSAGE"}
"""What may run over the edge: sentences, in the last column."""
_LONG = {FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64}


def as_dict(message: Message) -> dict[str, Any]:
    """Return a message under the names of the .proto files, in their order: numbers as numbers, and without secrets."""
    told: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return _tidied(message, told)


def _tidied(message: Message, told: Mapping[str, Any]) -> dict[str, Any]:
    known: Sequence[Any] = message.DESCRIPTOR.fields
    fields = [field for field in known if field.name in told and field.name not in _SECRETS]
    return {field.name: _value(field, getattr(message, field.name), told[field.name]) for field in fields}


def _value(field: FieldDescriptor, value: Any, told: Any) -> Any:
    """Return a field's value: protobuf's JSON has numbers of 64 bits as strings, for browsers."""
    if field.message_type is not None:
        return [_tidied(*each) for each in zip(value, told, strict=True)] if field.is_repeated else _tidied(value, told)
    if field.cpp_type in _LONG:
        return [int(each) for each in told] if field.is_repeated else int(told)
    return told


def show_json(told: object) -> None:
    """Print JSON."""
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False))


def show_all(
    things: Iterable[Thing], columns: Columns[Thing], message: Callable[[Thing], Message], *, js: bool, none: str
) -> None:
    """Print things: a table with these columns, or a JSON list of their messages; `none` says that there are none."""
    listed = list(things)
    if js:
        show_json([as_dict(message(thing)) for thing in listed])
    elif not listed:
        typer.echo(none, err=True)
    else:
        _print(list(columns), [[_line(cell(thing)) for cell in columns.values()] for thing in listed])


def clouds(things: Iterable[Thing], cloud_of: Callable[[Thing], str]) -> dict[str, Callable[[Thing], object]]:
    """Return the column that says where things are; nothing where all of them are in one place."""
    return {"CLOUD": cloud_of} if len({cloud_of(thing) for thing in things}) > 1 else {}


def where(cloud_id: str) -> str:
    """Return where something was looked for, to be said after it; nothing where that was everywhere."""
    return f" on the cloud {cloud_id!r}" if cloud_id else ""


def _print(titles: list[str], rows: list[list[str]]) -> None:
    told, left_out = _fitting(titles, rows, window())
    head, *lines = _lines([titles[at] for at in told], [[row[at] for at in told] for row in rows])
    typer.echo(head if os.environ.get("NO_COLOR") else typer.style(head, bold=True))
    for line in lines:
        typer.echo(line)
    if left_out:
        typer.echo(f"({', '.join(left_out)}: in a wider window, in a pipe, or with --json)", err=True)


def _fitting(titles: list[str], rows: list[list[str]], width: int | None) -> tuple[list[int], list[str]]:
    """Return which columns are shown, and the titles of those that a window of this width has no room for."""
    told = [at for at, title in enumerate(titles) if title or any(row[at] for row in rows)]
    sentences = [at for at in told if titles[at] in _SENTENCES]
    fixed = [at for at in told if at not in sentences]
    left_out: list[str] = []
    while width is not None and len(fixed) > 1 and _width(fixed, titles, rows) > width:
        left_out.insert(0, titles[fixed.pop()] or "more")
    return fixed + sentences, left_out


def _width(columns: list[int], titles: list[str], rows: list[list[str]]) -> int:
    wide = [max(cell_len(line[at]) for line in [titles, *rows]) for at in columns]
    return sum(wide) + len(_GAP) * (len(wide) - 1)


def _lines(titles: list[str], rows: list[list[str]]) -> Iterator[str]:
    wide = [max(map(cell_len, column)) for column in zip(titles, *rows, strict=True)]
    for row in [titles, *rows]:
        cells = [_padded(cell, size, title) for cell, size, title in zip(row, wide, titles, strict=True)]
        yield _GAP.join(cells).rstrip()


def _padded(cell: str, size: int, title: str) -> str:
    space = " " * (size - cell_len(cell))
    return space + cell if title in _NUMBERS else cell + space


def show_one(message: Message, lines: Mapping[str, object], *, js: bool) -> None:
    """Print one thing: its lines that say something, or its message as JSON."""
    if js:
        show_json(as_dict(message))
    else:
        show_lines(lines)


def show_lines(lines: Mapping[str, object]) -> None:
    """Print names and values; what is too long for a terminal goes on below, in line."""
    told = {name: _line(value) for name, value in lines.items() if value not in {"", None}}
    indent = max(map(len, told)) + len(_GAP)
    for name, value in told.items():
        for at, line in enumerate(_wrapped(value, indent)):
            typer.echo(f"{'' if at else name:{indent}}{line}")


def _line(value: object) -> str:
    """Return what others wrote as one line that does a terminal no harm."""
    return " ".join(readable(str(value)).splitlines())


def _wrapped(value: str, indent: int) -> Sequence[str]:
    width = window()
    if width is None:
        return [value]
    return textwrap.wrap(value, max(20, width - indent), break_long_words=False, break_on_hyphens=False)


def window() -> int | None:
    """Return how wide the terminal is that the output goes to; None for a pipe or a file."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def money(decimal: str) -> str:
    """Return an amount for people, rounded to two places; what is less than that is not nothing."""
    exact = Decimal(decimal or 0)
    rounded = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return "<0.01" if exact > 0 == rounded else str(rounded)


def price(told: str | float) -> str:
    """Return a price per hour for people: exactly, and with two places at least."""
    exact = Decimal(str(told))
    return f"{exact:f}" if exact.as_tuple().exponent < -2 else f"{exact:.2f}"  # type: ignore[operator]


def role_name(role: int) -> str:
    """Return a role in lower case; its number where only a newer server knows it."""
    return Role.Name(role).removeprefix("ROLE_").lower() if role in Role.values() else str(role)


def when(time: int) -> str:
    """Return a time (unix seconds) for people; empty where there is none."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC") if time > 0 else ""
