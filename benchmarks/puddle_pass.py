"""What a full pass of the reconciler costs: N systems on the simulated cloud, one process, everything at rest.

    python benchmarks/puddle_pass.py --systems 10000 --database sqlite:////tmp/pass.db

Prints the CPU seconds of bringing them all up, and of a pass in which nothing has changed: each machine and each
product is asked, and every next look is written.
"""

from __future__ import annotations

import argparse
import resource
import time

import structlog

from puddle.server.auth.secrets import Keyring
from puddle.server.backend import Backend
from puddle.server.domain.catalog import Image, ImageStatus, InstanceType
from puddle.server.domain.people import Role, User
from puddle.server.domain.records import System
from puddle.server.domain.rules import Rules
from puddle.server.domain.states import Status
from puddle.server.reconcile.loop import Loop
from puddle.server.store import Store
from puddle.testing import HandClock, MemoryWorld, SimulatedCloud, SimulatedProduct


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=10_000)
    parser.add_argument("--database", default="sqlite://")
    parser.add_argument("--workers", type=int, default=0)
    given = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory())
    clock = HandClock()
    backend = installation(given.database, clock)
    populate(backend, given.systems)
    loop = Loop(backend, "measured", workers=given.workers)
    report("bringing them up", given.systems, lambda: settle(loop, backend, clock))
    for number in (1, 2, 3):
        clock.turn(60)
        report(f"quiet pass {number}", given.systems, lambda: one_pass(loop, backend))
        print(f"  calls so far: {dict(backend.clouds['simulated'].calls)}")  # type: ignore[attr-defined]
    loop.close()
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def installation(url: str, clock: HandClock) -> Backend:
    """A Puddle over an empty database."""
    store, world = Store(url), MemoryWorld()
    store.migrate()
    return Backend(
        store=store,
        clouds={"simulated": SimulatedCloud(world, clock)},
        products={"simulated": SimulatedProduct(world, clock)},
        keyring=Keyring([b"k" * 32]),
        rules=Rules(),
        clock=clock,
    )


def populate(backend: Backend, systems: int) -> None:
    """Let a hundred users wish for systems."""
    now, secret = backend.now(), ""
    with backend.store.writing() as tx:
        for number in range(100):
            tx.users.add(User(id=f"u-{number}", name=f"user{number}", role=Role.USER))
        tx.instance_types.add(
            InstanceType(id="t", text="small", cloud="simulated", cloud_name="small", price_micros=900_000)
        )
        tx.images.add(
            Image(
                id="i",
                cloud="simulated",
                product="simulated",
                version="1",
                created=now,
                updated=now,
                status=ImageStatus.AVAILABLE,
                cloud_image_id="image-i",
            )
        )
        for number in range(systems):
            system_id = f"sys-{number:06}"
            secret = backend.keyring.encrypt("secret", "password", system_id)
            tx.systems.create(new_system(system_id, number, now, secret), look_at=now)


def new_system(system_id: str, number: int, now: int, secret: str) -> System:
    """A system as it is created."""
    return System(
        id=system_id,
        name=f"s{number}",
        owner_id=f"u-{number % 100}",
        cloud="simulated",
        product="simulated",
        version="1",
        image_id="i",
        instance_type_id="t",
        disk_gb=10,
        created=now,
        updated=now,
        idle_minutes=240,
        username="puddle",
        secret=secret,
        deadline=now + 3600,
        cu=1,
    )


def settle(loop: Loop, backend: Backend, clock: HandClock) -> None:
    """Turn until all are started."""
    while True:
        one_pass(loop, backend)
        with backend.store.reading() as tx:
            if all(status is Status.STARTED for status in tx.systems.known().values()):
                return
        clock.turn(2)


def one_pass(loop: Loop, backend: Backend) -> None:
    """Do all that is due."""
    while loop.turn(backend.now()):
        pass


def report(what: str, systems: int, do: object) -> None:
    """Measure one thing."""
    cpu, wall = time.process_time(), time.perf_counter()
    do()  # type: ignore[operator]
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{what}: {cpu:.1f} s CPU, {wall:.1f} s, {1000 * cpu / systems:.2f} ms CPU per system", flush=True)


if __name__ == "__main__":
    main()
