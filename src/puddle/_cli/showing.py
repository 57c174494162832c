"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table
from rich.text import Text

from puddle.server.domain.printed import readable

Thing = TypeVar("Thing")
Columns = Mapping[str, Callable[[Thing], object]]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_SECRETS = ("password", "secret")


def as_dict(message: Message) -> dict[str, Any]:
    """Return a message as JSON has it, under the names of the .proto files, without secrets."""
    told: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return {name: value for name, value in told.items() if name not in _SECRETS}


def show_json(told: object) -> None:
    """Print JSON."""
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False))


def show_all(
    things: Iterable[Thing], columns: Columns[Thing], message: Callable[[Thing], Message], *, js: bool
) -> None:
    """Print things: a table with these columns, or a JSON list of their messages."""
    listed = list(things)
    if js:
        show_json([as_dict(message(thing)) for thing in listed])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in columns:
        table.add_column(title, overflow="fold")
    for thing in listed:
        table.add_row(*(Text(readable(str(cell(thing)))) for cell in columns.values()))  # never as rich's markup
    Console(soft_wrap=False).print(table)


def show_one(message: Message, lines: Mapping[str, object], *, js: bool) -> None:
    """Print one thing: its lines that say something, or its message as JSON."""
    if js:
        show_json(as_dict(message))
        return
    width = max(len(name) for name in lines)
    for name, value in lines.items():
        if value not in {"", None}:
            typer.echo(f"{name:{width}}  {readable(str(value))}")


def when(time: int) -> str:
    """Return a time (unix seconds) for people; empty where there is none."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC") if time > 0 else ""
