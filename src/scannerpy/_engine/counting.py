"""A progress bar for work other than runs: counts items, such as the files of an ingest.

As `progress`: drawn with rich on a terminal or in a notebook, a plain line now and then elsewhere, nothing for what is
over soon.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scannerpy._engine.progress import PLAIN_SECONDS, REDRAW_SECONDS, Speed, in_notebook

FEWEST = 32
"""Things below which nothing is drawn."""

Count = Callable[[int, int], None]
"""Told how many are done, and how many of these failed."""


@contextmanager
def counter(show: bool, total: int, unit: str) -> Iterator[Count]:
    """Yield a function to be told how far one is, as often as one likes."""
    if not show or total < FEWEST:
        yield lambda _done, _failed: None
    elif sys.stderr.isatty() or in_notebook():
        with _drawn(total, unit) as count:
            yield count
    else:
        yield _printed(total, unit)


def line(done: int, failed: int, total: int, unit: str, speed: float) -> str:
    """``1,200 of 10,000 files, 512 files/s, 3 failed``."""
    failures = f", {failed:,} failed" if failed else ""
    return f"{done:,} of {total:,} {unit}, {speed:,.0f} {unit}/s{failures}"


def _printed(total: int, unit: str) -> Count:
    speed, due = Speed(), time.monotonic() + PLAIN_SECONDS
    spoken = False

    def count(done: int, failed: int) -> None:
        nonlocal due, spoken
        now = time.monotonic()
        if now >= due or (spoken and done == total):
            due, spoken = now + PLAIN_SECONDS, True
            print(line(done, failed, total, unit, speed.at(done, now)), file=sys.stderr)  # noqa: T201  # a terminal's business

    speed.at(0, time.monotonic())
    return count


@contextmanager
def _drawn(total: int, unit: str) -> Iterator[Count]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(bar_width=None), TextColumn("{task.description}"), TimeRemainingColumn())
    speed, due = Speed(), 0.0
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, expand=True) as progress:
        task = progress.add_task("", total=total)

        def count(done: int, failed: int) -> None:
            nonlocal due
            now = time.monotonic()
            if now >= due or done == total:
                due = now + REDRAW_SECONDS
                text = line(done, failed, total, unit, speed.at(done, now))
                progress.update(task, completed=done, description=text)
                progress.refresh()

        yield count
