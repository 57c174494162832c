"""A clock that a test turns."""

from __future__ import annotations


class HandClock:
    """Unix seconds, which pass only when `turn` says so."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
