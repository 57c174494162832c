"""The reconciler's loops in this process, each in a thread of its own, and what wakes them when a wish is written."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from puddle.server.backend import Backend
from puddle.server.reconcile.loop import Loop
from puddle.server.settings import Settings

_log = structlog.get_logger(__name__)
_JOIN_TIMEOUT_S = 60.0


@dataclass(slots=True)
class Notifier:
    """Calls all listeners when a wish was written in this process."""

    listeners: list[Callable[[], None]] = field(default_factory=list)

    def notify(self) -> None:
        """Call them."""
        for listener in self.listeners:
            listener()


class LoopThread:
    """One loop of the reconciler in a thread of its own."""

    def __init__(self, backend: Backend, settings: Settings, number: int) -> None:
        """The thread starts with `start`."""
        given = settings.reconciler
        self._loop = Loop(backend, _holder(number), workers=given.workers, batch=given.batch, lease_s=given.lease_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop.run, args=(self._stop,), name=f"reconcile-{number}")
        self.wake = self._loop.wake

    def start(self) -> None:
        """Start the loop."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the loop to stop."""
        self._stop.set()
        self._loop.wake()

    def join(self) -> None:
        """Wait until the loop has stopped, but not for ever where one of its calls hangs."""
        if self._thread.ident is None:
            return
        self._thread.join(_JOIN_TIMEOUT_S)
        if self._thread.is_alive():
            _log.warning("a loop has not stopped; its leases will expire", seconds=_JOIN_TIMEOUT_S)

    @property
    def turns(self) -> int:
        """How many turns the loop has made; those that failed do not count."""
        return self._loop.turns

    @property
    def age(self) -> float:
        """Seconds since its last turn, or since it was made."""
        return time.monotonic() - self._loop.last_turn


def _holder(number: int) -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{number}:{secrets.token_hex(4)}"
