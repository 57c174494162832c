"""Fixtures of tests of the client: a backend that is only played, and time that passes at once."""

from tests.puddle.client.played import backend, clock

__all__ = ["backend", "clock"]
