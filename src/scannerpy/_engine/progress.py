"""The progress bar: rows, rows per second, time left, tasks, failures, workers.

Drawn with rich on a terminal, and as HTML in a notebook, where rich would need a package more. Where the output is a
file or a pipe, a plain line is printed now and then instead; with ``show_progress=False`` nothing is. Reads a
`RunStatus` whenever it is told to, and has no thread.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from scannerpy._engine.status import RunStatus, counts, run_page, through

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

REDRAW_SECONDS = 0.1
NOTEBOOK_SECONDS = 0.25
PLAIN_SECONDS = 30.0
SPEED_SECONDS = 10.0
"""Speed is the average over the last ten seconds: calm, yet it follows a change."""


class Bar(Protocol):
    """Something that can show the progress of a run."""

    def show(self, status: RunStatus) -> None:
        """Show it; may be called as often as one likes."""


@contextmanager
def progress_bar(show: bool) -> Iterator[Bar]:
    """Show a run's progress as the surroundings allow."""
    bar: _Silent | _Plain | _Rich | _Notebook
    if not show:
        bar = _Silent()
    elif in_notebook():
        bar = _Notebook()
    elif sys.stderr.isatty():
        bar = _Rich()
    else:
        bar = _Plain()
    try:
        yield bar
    finally:
        bar.close()


class _Silent:
    def show(self, status: RunStatus) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Speed:
    """Rows per second over the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def at(self, rows: int, now: float) -> float:
        """The speed now that so many rows are through."""
        self._seen.append((now, rows))
        while len(self._seen) > 2 and self._seen[1][0] < now - SPEED_SECONDS:
            self._seen.popleft()
        then, before = self._seen[0]
        return max(0.0, (rows - before) / (now - then)) if now > then else 0.0


class _Plain:
    """A line every half minute and at the end of a run that took that long; nothing for short ones."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PLAIN_SECONDS
        self._speed = Speed()
        self._last: RunStatus | None = None
        self._spoken = False

    def show(self, status: RunStatus) -> None:
        """Print a line if it is time."""
        now = time.monotonic()
        self._last = status
        speed = self._speed.at(through(status), now)  # at every look, or the first line would know of no other
        if now >= self._next:
            self._next = now + PLAIN_SECONDS
            self._say(status, f"{speed:,.0f} rows/s", time_left(status, speed))

    def close(self) -> None:
        """Say how it ended, if anything was said before."""
        if self._spoken and self._last is not None:
            self._say(self._last, time_left(self._last, 0))

    def _say(self, status: RunStatus, *words: str) -> None:
        self._spoken = True
        line = ", ".join([f"{through(status):,} of {status.total_rows:,} rows", *words, counts(status)])
        print(line, file=sys.stderr)  # noqa: T201  # a terminal's business


class _Rich:
    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._speed = Speed()
        self._next = 0.0

    def show(self, status: RunStatus) -> None:
        """Redraw, at most ten times a second."""
        now = time.monotonic()
        if status.total_jobs == 0 or (now < self._next and not status.finished):
            return
        self._next = now + REDRAW_SECONDS
        progress = self._progress or self._start(status)
        rows = through(status)
        speed = self._speed.at(rows, now)
        assert self._task is not None  # noqa: S101  # `_start` has made it
        progress.update(
            self._task,
            completed=rows,
            speed=f"{speed:,.0f} rows/s",
            left=time_left(status, speed),
            counts=counts(status),
        )
        progress.refresh()

    def close(self) -> None:
        """Leave the last picture standing."""
        if self._progress is not None:
            self._progress.stop()

    def _start(self, status: RunStatus) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[counts]}"),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), auto_refresh=False, expand=True)
        self._task = self._progress.add_task("", total=status.total_rows, speed="", left="", counts="")
        self._progress.start()
        return self._progress


class _Notebook:
    """One output of the cell, written over as the run goes on."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._speed = Speed()
        self._next = 0.0
        self._began = time.monotonic()
        self._last: _Page | None = None

    def show(self, status: RunStatus) -> None:
        """Redraw, at most four times a second."""
        now = time.monotonic()
        if status.total_jobs == 0 or (now < self._next and not status.finished):
            return
        self._next = now + NOTEBOOK_SECONDS
        speed = self._speed.at(through(status), now)
        took = f"{now - self._began:.1f} s"
        words = [took] if status.finished else [took, f"{speed:,.0f} rows/s", time_left(status, speed)]
        self._draw(_Page(status, words))

    def close(self) -> None:
        """The last picture stands; of a run that ended before it could be told, one that says so is drawn."""
        if self._last is not None and not self._last.finished:
            self._draw(_Page(self._last.status, []))

    def _draw(self, page: _Page) -> None:
        self._last = page
        if self._handle is None:
            self._handle = importlib.import_module("IPython.display").display(page, display_id=True)
        else:
            self._handle.update(page)


class _Page:
    """How a run stood when this was made."""

    def __init__(self, status: RunStatus, words: Sequence[str]) -> None:
        self.status = status
        self.finished = status.finished
        self._text = f"{through(status)} of {status.total_rows} rows, {counts(status)}"
        self._html = run_page(status, *words)

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return self._html


def time_left(status: RunStatus, speed: float) -> str:
    """How long it will still take, in words; given-up rows will never come."""
    if status.finished:
        return "done" if status.result.success else "stopped"
    rows = status.total_rows - status.rows_given_up - through(status)
    return f"{timedelta(seconds=round(rows / speed))} left" if speed > 0 else "– left"


def in_notebook() -> bool:
    """Whether output goes to a notebook's cell; asked without importing IPython where nobody else has."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return any(kind.__name__ == "ZMQInteractiveShell" for kind in type(shell).__mro__)  # Colab's is one of a kind
