"""Queues between the stages of a pipeline, bounded by the bytes that wait in them.

`put` blocks while the queue holds something and the new item would exceed the bound; an item larger than the bound is
let in alone, so nothing can block for ever. Cancelling wakes everybody on both sides.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """Nothing more will come out of this queue."""


class Cancelled(Exception):
    """The run was cancelled while a thread waited."""


class ByteQueue(Generic[T]):
    """A first-in first-out queue holding at most `bound` bytes."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._items: deque[tuple[T, int]] = deque()
        self._held = 0
        self._closed = False
        self._cancelled = False
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._filled = threading.Condition(self._lock)

    @property
    def held(self) -> int:
        """The bytes waiting now."""
        return self._held

    def put(self, item: T, size: int = 0) -> None:
        """Add an item of `size` bytes; blocks while there is no room. Raises Cancelled."""
        with self._lock:
            while not self._cancelled and self._items and self._held + size > self._bound:
                self._room.wait()
            if self._cancelled:
                raise Cancelled
            self._items.append((item, size))
            self._held += size
            self._filled.notify()

    def get(self) -> T:
        """Take the oldest item; blocks while there is none. Raises Closed after the last one, or Cancelled."""
        with self._lock:
            while not self._cancelled and not self._items and not self._closed:
                self._filled.wait()
            if self._cancelled:
                raise Cancelled
            if not self._items:
                raise Closed
            item, size = self._items.popleft()
            self._held -= size
            self._room.notify()
            return item

    def close(self) -> None:
        """Nothing more will be put; what waits can still be taken."""
        with self._lock:
            self._closed = True
            self._filled.notify_all()

    def cancel(self) -> None:
        """Drop what waits, and make every present and future call raise Cancelled."""
        with self._lock:
            self._cancelled = True
            self._items.clear()
            self._held = 0
            self._room.notify_all()
            self._filled.notify_all()
