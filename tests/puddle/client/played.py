"""A backend that answers clients what a test says, and a clock on which waiting takes no time."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from google.protobuf.message import Message

from puddle.client import base_client, waiting
from puddle.client.auth.authorizer import Authorizer
from puddle.client.errors.puddle_errors import BackendError

AUTHORIZER = Authorizer("http://backend.invalid", "pk_1", "ps_1")


class Clock:
    """Time that passes only in sleep; a test says what happens meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds


class Played:
    """Answers each method with what is planned for it, one after the other; the last answer is repeated."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Message | Exception]] = defaultdict(list)
        self.asked: list[tuple[str, Any]] = []

    def plan(self, method: str, *answers: Message | Exception) -> None:
        """Let a method answer that."""
        self.answers[method] += answers

    def call(self, _authorizer: object, _service: str, method: str, request: Message, response: Message) -> Message:
        """In the place of `transport.call`."""
        self.asked.append((method, request))
        planned = self.answers[method]
        answer = planned.pop(0) if len(planned) > 1 else planned[0]
        if isinstance(answer, Exception):
            raise answer
        response.CopyFrom(answer)
        return response


AWAY = BackendError("Puddle cannot be reached")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which clients wait."""
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    return clock


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Played:
    """The backend all clients of a test speak to; it takes no time to answer."""
    played = Played()
    monkeypatch.setattr(base_client, "call", played.call)
    return played
