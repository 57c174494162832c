"""Output of commands: tables that fit the terminal, whole lines into a pipe, and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 2000
"""In a pipe or a file nothing is cut or wrapped."""
COLOURS = {
    "committed": "green", "finished": "green", "ok": "green", "equal": "green",
    "failed": "red", "FAIL": "red", "DIFFERENT": "red",
    "running": "cyan", "cancelled": "yellow", "interrupted": "yellow", "incomplete": "yellow",
}  # fmt: skip


def say(text: str = "") -> None:
    """Print a line."""
    typer.echo(text)


def note(text: str) -> None:
    """Print a line beside the answer, where it does not disturb who reads that."""
    typer.echo(text, err=True)


def as_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def console() -> Console:
    """Return the console for the standard output, as wide as it is."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False, markup=False)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
    """Print rows under headings. The last column is folded where the terminal is narrow; `numbers` stand to the right.

    Words of state get their colour on a terminal.
    """
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for heading in headings:
        last = heading == headings[-1]
        justify: Any = "right" if heading in numbers else "left"
        drawn.add_column(heading, justify=justify, no_wrap=not last, overflow="fold" if last else "ellipsis")
    for row in rows:
        drawn.add_row(*(Text(str(cell), style=COLOURS.get(str(cell), "")) for cell in row))
    show(drawn)


def show(drawn: Any) -> None:
    """Print something of rich's, without the blanks it fills lines with."""
    to = console()
    with to.capture() as captured:
        to.print(drawn)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def facts(pairs: Sequence[tuple[str, object]]) -> None:
    """Print names and what is known of them, one a line."""
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        say(f"  {name:<{width}}  {value}")


def size(count: float) -> str:
    """Bytes, as people say them."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def seconds(value: float) -> str:
    """A duration, as people say it."""
    if value < 60:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    whole = round(value)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02} h" if hours else f"{rest // 60}:{rest % 60:02} min"


def moment(since_epoch: float) -> str:
    """A time of day, where we are."""
    return datetime.fromtimestamp(since_epoch, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def plural(count: int, noun: str) -> str:
    """A number and its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
