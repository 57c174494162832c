"""A sign of life from long work on one file, so that somebody else can tell slow from stuck.

Whoever reads a file says `beat()` whenever it got further, and wraps the reading in `reading()`. Whoever must not wait
for ever gives the work a `Pulse` (`attached`) and looks at its words through a `Watch`, from another thread or, where
the words lie in shared memory, from another process. Without a Pulse all of this does nothing.
"""

from __future__ import annotations

import contextvars
import threading
from array import array
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager

WORDS = 2
_BEATS, _DEPTH = range(WORDS)

Words = MutableSequence[int]


class GivenUp(Exception):  # no error of anybody's: nobody waits for this work any more
    """Raised by `beat` in work that was given up, to end it."""


class Pulse:
    """The sign of life of one worker. Its threads may share it."""

    def __init__(self, words: Words | None = None) -> None:
        """`words`: `WORDS` zeros, in shared memory for another process to see."""
        self.words: Words = array("q", [0] * WORDS) if words is None else words
        self.given_up = False
        self._lock = threading.Lock()

    def beat(self) -> None:
        """Got further. Raises GivenUp once nobody waits for it."""
        if self.given_up:
            raise GivenUp
        self.words[_BEATS] += 1

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
            self.words[_BEATS] += 1
            self.words[_DEPTH] += step


class Watch:
    """How long a pulse has been silent while its owner read."""

    def __init__(self, words: Words, now: float) -> None:
        self._words = words
        self._seen = words[_BEATS]
        self._since = now

    def silent(self, now: float) -> float:
        """Seconds since the last beat that a look has seen; 0 while nothing is read."""
        beats = self._words[_BEATS]
        if not self._words[_DEPTH] or beats != self._seen:
            self._seen, self._since = beats, now
        return now - self._since


_attached: contextvars.ContextVar[Pulse | None] = contextvars.ContextVar("pulse", default=None)


@contextmanager
def attached(pulse: Pulse) -> Iterator[None]:
    """Let work done within this, and in threads that take over its context, beat `pulse`."""
    token = _attached.set(pulse)
    try:
        yield
    finally:
        _attached.reset(token)


def beat() -> None:
    """Got further, if anybody wants to know."""
    pulse = _attached.get()
    if pulse is not None:
        pulse.beat()


@contextmanager
def reading() -> Iterator[None]:
    """A file is being read: from now on, silence is suspicious."""
    pulse = _attached.get()
    if pulse is None:
        yield
        return
    with pulse.reading():
        yield
