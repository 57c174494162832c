"""Looking again and again: a table that is kept up to date, and a log that is followed, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
import typer

from puddle.client.errors.puddle_errors import BackendError
from puddle.client.waiting import AWAY_S

EVERY_S = 2.0


def watch(draw: Callable[[], None]) -> None:
    """Draw something anew every few seconds, on a terminal that is cleared before."""
    if not sys.stdout.isatty():
        raise typer.BadParameter(
            "it draws on a terminal; in a script `puddle systems wait` waits", param_hint="--watch"
        )
    with _until_ctrl_c():
        for _ in _looks():
            click.clear()
            draw()
            typer.echo(f"\nEvery {EVERY_S:g} s, until Ctrl-C.", err=True)


def follow(read: Callable[[], str], lines: int) -> None:
    """Print the last lines of a text that grows, then what is added to it. `read` returns the end of it."""
    before: list[str] = []
    first = True
    with _until_ctrl_c():
        for _ in _looks():
            now = _whole_lines(_patiently(read))
            told = now[-lines:] if first else now[overlap(before, now) :]
            for line in told:
                typer.echo(line)
            before, first = now, False


def overlap(before: Sequence[str], now: Sequence[str]) -> int:
    """Return how many lines at the beginning of `now` were the end of `before`: the rest is new."""
    most = min(len(before), len(now))
    return next((size for size in range(most, 0, -1) if now[:size] == before[len(before) - size :]), 0)


def _whole_lines(text: str) -> list[str]:
    """Return the lines of a text, without one that is still being written."""
    return text[: text.rfind("\n") + 1].splitlines()


def _looks() -> Iterator[None]:
    while True:
        yield
        time.sleep(EVERY_S)


def _patiently(read: Callable[[], str]) -> str:
    """Read; a server that is restarted meanwhile is waited for."""
    away_since = time.monotonic()
    while True:
        try:
            return read()
        except BackendError:
            if time.monotonic() - away_since > AWAY_S:
                raise
            time.sleep(EVERY_S)


@contextmanager
def _until_ctrl_c() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
