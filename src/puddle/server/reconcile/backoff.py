"""Exponential backoff: how long to wait before something that failed is tried again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """How often something failed in a row, and when it is tried again (unix seconds)."""

    times: int
    again: int


class Backoff:
    """Failures by key. Kept in memory: a new process tries at once."""

    def __init__(self, first: int, most: int) -> None:
        """Seconds: `first` after one failure, `most` after many."""
        self._first = max(1, first)
        self._most = max(most, self._first)
        self._failures: dict[str, Failure] = {}

    def failed(self, key: str, now: int) -> Failure:
        """Note a failure; return what is known of them now."""
        times = self.times(key) + 1
        wait = min(self._most, self._first * 2 ** min(times - 1, 20))
        self._failures[key] = Failure(times, now + wait)
        return self._failures[key]

    def well(self, key: str) -> None:
        """Forget the failures."""
        self._failures.pop(key, None)

    def times(self, key: str) -> int:
        """Return how often it failed since it last went well."""
        return self._failures[key].times if key in self._failures else 0

    def waits(self, key: str, now: int) -> bool:
        """Whether it is not to be tried yet; it is where the clock was put back."""
        return key in self._failures and 0 < self._failures[key].again - now <= self._most
