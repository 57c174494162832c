"""A server without its web: a reconciler in a process of its own, over a database and a simulated cloud on disk."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import nullcontext

import psutil
from sqlalchemy.exc import OperationalError

from puddle.server.auth.secrets import Keyring
from puddle.server.backend import Backend
from puddle.server.domain.rules import CloudPrices, Rules
from puddle.server.faults import Point, armed, from_environment
from puddle.server.reconcile.loop import Loop
from puddle.server.store import Store
from puddle.testing import Delays, FileWorld, SimulatedCloud, SimulatedProduct, WorldClock

LEASE_S = 10
RULES = Rules(
    cu_pool=6,
    probe_every_s=20,
    look_every_s=20,
    soon_s=1,
    book_every_s=30,
    prices={"simulated": CloudPrices(disk_gb_micros=110, snapshot_gb_micros=70, build_micros=500_000)},
)


def backend_over(url: str, world: FileWorld) -> Backend:
    """The installation all processes of a trial share."""
    clock = WorldClock(world)
    cloud = SimulatedCloud(world, clock, delays=Delays.of(2.0))
    return Backend(
        store=Store(url),
        clouds={"simulated": cloud},
        products={"simulated": SimulatedProduct(world, clock, ready_after=2.0)},
        keyring=Keyring([b"k" * 32]),
        rules=RULES,
        clock=clock,
    )


class Nap:
    """Suspends the process at the nth passage of a point, though not while it keeps the world from all others."""

    def __init__(self, fault: str, world: FileWorld) -> None:
        self._world = world
        point, _, nth = fault.partition(":")
        self._point, self._left = Point(point), int(nth)

    def __call__(self, point: Point) -> None:
        """Pass a point."""
        if point is self._point:
            self._left -= 1
            if self._left == 0:
                with self._world.at_rest():
                    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # of this thread: at once


def work(url: str, world_path: str, holder: str, fault: str, trial: int) -> None:
    """Turn until killed: by `fault` (as in PUDDLE_FAULT), or by the trial, a process without which this one ends.

    After "nap:" a fault suspends the process, until the trial wakes it.
    """
    world = FileWorld(world_path)
    backend = backend_over(url, world)
    loop = Loop(backend, holder, workers=2, lease_s=LEASE_S)
    hook = Nap(fault.removeprefix("nap:"), world) if fault.startswith("nap:") else from_environment(fault)
    with armed(hook) if hook else nullcontext():
        while psutil.pid_exists(trial):
            try:
                moved = loop.turn(backend.now())
            except OperationalError:  # its transaction was ended while it slept: it begins again, as `Loop.run` does
                if not fault.startswith("nap:"):
                    raise
                loop, moved = Loop(backend, holder, workers=2, lease_s=LEASE_S), 0
            if not moved:
                time.sleep(0.03)
