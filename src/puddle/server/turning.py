"""The loops of one server process: each in a thread of its own, woken by wishes that are written here."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from puddle.server.backend import Backend
from puddle.server.reconcile.loop import Loop
from puddle.server.settings import Settings

_log = structlog.get_logger(__name__)
_LOOPS_END_S = 60.0


@dataclass(slots=True)
class Bell:
    """Wakes whoever wants to know of a wish that was written here."""

    listeners: list[Callable[[], None]] = field(default_factory=list)

    def ring(self) -> None:
        """Wake them."""
        for wake in self.listeners:
            wake()


class Turner:
    """One loop in a thread of its own, and how long ago it turned."""

    def __init__(self, backend: Backend, settings: Settings, number: int) -> None:
        """The thread starts with `start`."""
        terms = settings.reconciler
        self._loop = _Counted(backend, _holder(number), workers=terms.workers, batch=terms.batch, lease_s=terms.lease_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop.run, args=(self._stop,), name=f"reconcile-{number}")
        self.wake = self._loop.wake

    def start(self) -> None:
        """Begin to turn."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to stop."""
        self._stop.set()
        self._loop.wake()

    def join(self) -> None:
        """Wait until it has stopped; a call that hangs is not waited for for ever."""
        if self._thread.ident is None:
            return
        self._thread.join(_LOOPS_END_S)
        if self._thread.is_alive():
            _log.warning("a loop has not ended; its leases end by themselves", seconds=_LOOPS_END_S)

    @property
    def turns(self) -> int:
        """How many turns it made."""
        return self._loop.turns

    @property
    def age(self) -> float:
        """Seconds since its last turn, or since it was made."""
        return time.monotonic() - self._loop.last


class _Counted(Loop):
    """A loop that counts its turns; those that fail do not count."""

    turns = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last = time.monotonic()

    def turn(self, now: int) -> int:
        """See Loop."""
        moved = super().turn(now)
        self.turns += 1
        self.last = time.monotonic()
        return moved


def _holder(number: int) -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{number}:{secrets.token_hex(4)}"
