"""A sign of life from long work on one file, so that somebody else can tell slow from stuck.

Whoever reads a file says `beat()` whenever it got further, and wraps the reading in `reading()`. Whoever must not wait
for ever gives the work a `Heartbeat` (`attached`) and looks at its counters through a `Monitor`, from another thread
or, where the counters lie in shared memory, from another process. Without a Heartbeat all of this does nothing.
"""

from __future__ import annotations

import contextvars
import threading
from array import array
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager

COUNTERS = 2
_BEATS, _DEPTH = range(COUNTERS)

Counters = MutableSequence[int]


class GivenUp(Exception):  # no error of anybody's: nobody waits for this work any more
    """Raised by `beat` in work that was given up, to end it."""


class Heartbeat:
    """The sign of life of one worker. Its threads may share it."""

    def __init__(self, counters: Counters | None = None) -> None:
        """`counters`: `COUNTERS` zeros, in shared memory for another process to see."""
        self.counters: Counters = array("q", [0] * COUNTERS) if counters is None else counters
        self.given_up = False
        self._lock = threading.Lock()

    def beat(self) -> None:
        """Got further. Raises GivenUp once nobody waits for it."""
        if self.given_up:
            raise GivenUp
        self.counters[_BEATS] += 1

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Within this, silence is suspicious."""
        self._enter(1)
        try:
            yield
        finally:
            self._enter(-1)

    def _enter(self, step: int) -> None:
        with self._lock:
            self.counters[_BEATS] += 1
            self.counters[_DEPTH] += step


class Monitor:
    """How long a heartbeat has been silent while its owner read."""

    def __init__(self, counters: Counters, now: float) -> None:
        self._counters = counters
        self._seen = counters[_BEATS]
        self._since = now

    def silent(self, now: float) -> float:
        """Seconds since the last beat that a look has seen; 0 while nothing is read."""
        beats = self._counters[_BEATS]
        if not self._counters[_DEPTH] or beats != self._seen:
            self._seen, self._since = beats, now
        return now - self._since


_attached: contextvars.ContextVar[Heartbeat | None] = contextvars.ContextVar("heartbeat", default=None)


@contextmanager
def attached(heartbeat: Heartbeat) -> Iterator[None]:
    """Let work done within this, and in threads that take over its context, beat `heartbeat`."""
    token = _attached.set(heartbeat)
    try:
        yield
    finally:
        _attached.reset(token)


def beat() -> None:
    """Got further, if anybody wants to know."""
    heartbeat = _attached.get()
    if heartbeat is not None:
        heartbeat.beat()


@contextmanager
def reading() -> Iterator[None]:
    """A file is being read: from now on, silence is suspicious."""
    heartbeat = _attached.get()
    if heartbeat is None:
        yield
        return
    with heartbeat.reading():
        yield
