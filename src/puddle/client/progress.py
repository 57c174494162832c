"""What one sees while waiting: a line that says how things stand, and for how long one has waited.

    system first is still initializing, waiting for product · 12 s

On a terminal it is drawn over and over on the standard error, and gone when the wait is over. In a notebook it is part
of the cell's output, and for how long one has waited stays. Where nobody looks, as in a pipe or a file, nothing is
written.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

TICK_S = 1.0
"""The seconds that one sees are counted while a longer pause goes on."""


class Progress:
    """The line of one wait; ended by leaving the `with` block."""

    def __init__(self, show: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        """With ``show=False`` nothing is ever written."""
        self._clock = clock
        self._began = clock()
        self._notebook = in_notebook()
        self._out = _out(self._notebook) if show else None
        self._said = ""
        self._drawn = 0

    def say(self, said: str) -> None:
        """Show how it stands now."""
        self._said = said
        self._draw()

    def pause(self, seconds: float, sleep: Callable[[float], None]) -> None:
        """Let `sleep` pass the time, and go on counting."""
        left = seconds
        while self._out is not None and left > TICK_S:
            sleep(TICK_S)
            left -= TICK_S
            self._draw()
        sleep(left)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self._out is None or not self._drawn:
            return
        waited = f"waited {spent(self._clock() - self._began)}" if self._notebook else ""
        self._out.write(f"\r{waited:{self._drawn}}" + ("\n" if self._notebook else "\r"))
        self._out.flush()

    def _draw(self) -> None:
        if self._out is None:
            return
        line = f"{self._said} · {spent(self._clock() - self._began)}"
        if not self._notebook:
            line = line[: shutil.get_terminal_size().columns - 1]
        self._out.write(f"\r{line:{self._drawn}}")
        self._out.flush()
        self._drawn = len(line)


def spent(seconds: float) -> str:
    """Return a span for people: "42 s", "3 min 5 s", "1 h 2 min"."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def in_notebook() -> bool:
    """Whether this runs in a notebook's kernel, whose output is not a terminal."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in getattr(shell, "config", {})


def _out(notebook: bool) -> TextIO | None:
    """Return where somebody looks, if anybody does."""
    if notebook:
        return sys.stdout
    return sys.stderr if sys.stderr is not None and sys.stderr.isatty() else None
