"""Two bounded thread pools for calls to clouds and to products (bulkheads), so that neither delays the other.

A call that takes longer than it may is given up: the loop goes on with what stands in for its answer, and nothing more
is asked on behalf of that system there until the call has come back. Python cannot end a thread; every driver has time
limits of its own, this one only keeps the rest going.

Without threads (`workers` 0) each call is made at once, in the caller's thread: for tests on a hand-turned clock.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import Any

import structlog

from puddle.server.reconcile.mishaps import surviving
from puddle.server.reconcile.work import Work

_log = structlog.get_logger(__name__)


class Lane(Enum):
    """Whom a call is made to."""

    CLOUD = "cloud"
    PRODUCT = "product"


@dataclass(slots=True, eq=False)
class Call:
    """A call for a piece of work. `instead`: what stands in for an answer that is late. `ends`: monotonic seconds."""

    work: Work
    lane: Lane
    instead: Any
    ends: float
    given_up: bool = False

    @property
    def place(self) -> tuple[str, Lane]:
        """The system and lane, where only one call may hang."""
        return self.work.system.id, self.lane


class Lanes:
    """The two pools, and what has come back from them."""

    def __init__(self, workers: int, *, limits: Mapping[Lane, float] | None = None) -> None:
        """`workers` in each pool; `limits`: seconds a call may take, from when it was asked for."""
        self._pools: dict[Lane, Executor] = {}
        if workers:
            self._pools = {lane: ThreadPoolExecutor(workers, f"puddle-{lane.value}") for lane in Lane}
        self._limits = {Lane.CLOUD: 60.0, Lane.PRODUCT: 20.0, **(limits or {})}
        self._answers: queue.SimpleQueue[tuple[Call, Any]] = queue.SimpleQueue()
        self._open: set[Call] = set()
        self._hanging: dict[tuple[str, Lane], Call] = {}
        self._next_check = 0.0

    @property
    def threaded(self) -> bool:
        """Whether calls are made in threads."""
        return bool(self._pools)

    def start(self, work: Work, lane: Lane, do: Callable[[], Any], instead: Any) -> None:
        """Make a call; what it gives (`instead`, where it fails unexpectedly or is late) is in `finished` some day."""
        call = Call(work, lane, instead, time.monotonic() + self._limits[lane])
        if call.place in self._hanging:
            self._answers.put((call, instead))
        elif self._pools:
            self._open.add(call)
            self._pools[lane].submit(self._make, call, do)
        else:
            self._make(call, do)

    def _make(self, call: Call, do: Callable[[], Any]) -> None:
        answer = call.instead
        with surviving("call_failed", system_id=call.work.system.id, lane=call.lane.value):
            if not call.given_up:
                answer = do()
        self._answers.put((call, answer))

    def finished(self, wait: float) -> list[tuple[Work, Any]]:
        """Return what has come back, or is late; where nothing has, after `wait` seconds at most."""
        came = self._drained(wait if self._open else 0.0)
        return [(call.work, answer) for call, answer in came if self._counts(call)] + self._late()

    def _drained(self, wait: float) -> list[tuple[Call, Any]]:
        came: list[tuple[Call, Any]] = []
        try:
            came.append(self._answers.get(timeout=wait) if wait else self._answers.get_nowait())
            while True:
                came.append(self._answers.get_nowait())
        except queue.Empty:
            return came

    def _counts(self, call: Call) -> bool:
        self._open.discard(call)
        if call.given_up and self._hanging.get(call.place) is call:
            del self._hanging[call.place]
        return not call.given_up

    def _late(self) -> list[tuple[Work, Any]]:
        now = time.monotonic()
        if now < self._next_check:
            return []
        self._next_check = now + 0.5
        late = [call for call in self._open if call.ends <= now]
        for call in late:
            _log.warning("call_late", system_id=call.work.system.id, lane=call.lane.value)
            call.given_up = True
            self._open.discard(call)
            self._hanging[call.place] = call
        return [(call.work, call.instead) for call in late]

    def close(self) -> None:
        """Make no more calls, and wait for those that are being made."""
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
