"""Polling with a growing interval, until a condition holds or a timeout passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from puddle.client.errors.puddle_errors import BackendError
from puddle.client.progress import Progress

Seen = TypeVar("Seen")

FIRST_PAUSE_S = 0.5
AWAY_S = 300
"""For how long a backend may be away while somebody waits: it is restarted, say. What is waited for goes on."""


def wait(
    look: Callable[[], Seen],
    done: Callable[[Seen], bool],
    still: Callable[[Seen], str],
    *,
    timeout_s: float,
    longest_pause_s: float,
    progress: Progress,
) -> Seen:
    """Return the first thing seen that is `done`; meanwhile `progress` shows what `still` says.

    Raises TimeoutError after `timeout_s`, with what `still` says of the thing seen last; what `look` raises, but
    BackendError only when the backend is away for longer than `AWAY_S` or at the end.
    """
    heard = time.monotonic()
    deadline = heard + timeout_s
    for pause in _pauses(longest_pause_s):
        try:
            seen = look()
        except BackendError:
            if time.monotonic() >= min(deadline, heard + AWAY_S):
                raise
        else:
            heard = time.monotonic()
            if done(seen):
                return seen
            if heard >= deadline:
                raise TimeoutError(f"after {timeout_s / 60:g} minutes {still(seen)}; it goes on: wait again")
            progress.say(still(seen))
        left = max(0.0, deadline - time.monotonic())
        progress.pause(min(pause, left), time.sleep)  # the last look is at the end itself
    raise AssertionError("there is always another pause")


def _pauses(longest: float) -> Iterator[float]:
    pause = min(FIRST_PAUSE_S, longest)
    while True:
        yield pause
        pause = min(pause * 1.3, longest)
