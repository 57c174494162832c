"""Fault injection: named points in the code where a crash would hurt most, so that tests can crash there.

`reach` does nothing unless armed. ``PUDDLE_FAULT=machine_ordered:3`` in the environment makes the process kill itself
(SIGKILL) when it reaches a point the third time; `armed` calls a test's hook there, which may raise `Crash`.

A decision is written with all its consequences in one transaction, before its step is taken; so between any two points
the database says what there is to do, and every step may be taken again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

VARIABLE = "PUDDLE_FAULT"


class Point(StrEnum):
    """A place in the code. Those `IN_TRANSACTION` are within one, whose writes a crash loses."""

    LEASED = "leased"
    LOOKED = "looked"
    DECIDING = "deciding"
    DECIDED = "decided"
    MACHINE_ORDERED = "machine_ordered"
    MACHINE_SAVED = "machine_saved"
    STEP_TAKEN = "step_taken"
    ENDING = "ending"
    ENDED = "ended"
    RESTED = "rested"
    BOOKING = "booking"
    BUILD_BEGUN = "build_begun"
    IMAGE_BUILT = "image_built"
    IMAGE_REMOVED = "image_removed"
    SNAPSHOT_REMOVED = "snapshot_removed"
    ORPHAN_REMOVED = "orphan_removed"
    REPORTING = "reporting"


MEANING: Mapping[Point, str] = {
    Point.LEASED: "systems are leased, nothing has been asked of their clouds",
    Point.LOOKED: "the facts are known, nothing is decided",
    Point.DECIDING: "a decision and what follows from it are written, but not committed",
    Point.DECIDED: "a decision is committed, its step not taken",
    Point.MACHINE_ORDERED: "a machine is ordered, its id not saved",
    Point.MACHINE_SAVED: "a machine's id is saved, the lease not given back",
    Point.STEP_TAKEN: "a step is taken, its outcome not written",
    Point.ENDING: "the outcome of a step is written, but not committed",
    Point.ENDED: "the outcome of a step is committed",
    Point.RESTED: "what needs no step is done with, no step is taken yet",
    Point.BOOKING: "spans are booked in the ledger, but not committed",
    Point.BUILD_BEGUN: "an image is leased to a builder, nothing built",
    Point.IMAGE_BUILT: "an image is built, its row not written",
    Point.IMAGE_REMOVED: "an image is removed, its row not written",
    Point.SNAPSHOT_REMOVED: "a snapshot is removed, its row not written",
    Point.ORPHAN_REMOVED: "an orphan is removed, nobody told",
    Point.REPORTING: "the lines of a report are written, but not committed",
}

IN_TRANSACTION = frozenset({Point.DECIDING, Point.ENDING, Point.BOOKING, Point.REPORTING})


class Crash(BaseException):
    """A simulated crash of the process: nothing may catch it."""


Hook = Callable[[Point], None]


def reach(point: Point) -> None:
    """Pass a point: call the hook, if one is armed."""
    if _State.hook is not None:
        _State.hook(point)


@contextmanager
def armed(hook: Hook) -> Iterator[None]:
    """Call `hook` at every point that is reached."""
    before, _State.hook = _State.hook, hook
    try:
        yield
    finally:
        _State.hook = before


def crash_at(point: Point, nth: int = 1) -> Hook:
    """Return a hook that raises `Crash` when a point is reached the nth time."""
    return _Counted(point, nth, _raise_crash)


def from_environment(given: str) -> Hook | None:
    """Return the hook that a value of ``PUDDLE_FAULT`` asks for; None where it is empty. Raises ValueError."""
    if not given:
        return None
    name, _, nth = given.partition(":")
    if name not in list(Point) or not (nth or "1").isdecimal():
        raise ValueError(f"{VARIABLE} is <point>:<nth>, the point one of {', '.join(Point)}; it is {given!r}")
    return _Counted(Point(name), int(nth or 1), _kill)


class _Counted:
    """Does something when a point is reached the nth time, and only then."""

    def __init__(self, point: Point, nth: int, do: Callable[[Point], None]) -> None:
        self._point = point
        self._left = nth
        self._do = do

    def __call__(self, point: Point) -> None:
        if point is self._point:
            self._left -= 1
            if self._left == 0:
                self._do(point)


def _raise_crash(point: Point) -> None:
    raise Crash(MEANING[point])


def _kill(_point: Point) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _State:
    """What is armed in this process."""

    hook: Hook | None = from_environment(os.environ.get(VARIABLE, ""))
