"""One trial: people wish, servers are killed at named points and started again, and in the end everything must add up.

A trial is a history drawn from its seed: systems are created, stopped, scaled, snapshotted and terminated, images are
built, reports made, while the servers die with SIGKILL in the middle of it. Then they are left alone until all is at
rest, and the database is compared with what was wished, and with what the simulated cloud says.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

import psutil
import sqlalchemy as sa

from puddle.server.api import Api
from puddle.server.clouds.base import Order, Shape
from puddle.server.domain.catalog import ImageStatus
from puddle.server.domain.people import Caller
from puddle.server.domain.records import Meter, Snapshot, SnapshotStatus, System
from puddle.server.domain.states import SETTLED, Status, Wish
from puddle.server.domain.trail import ReportStatus
from puddle.server.errors import Invalid, Precondition
from puddle.server.faults import IN_TRANSACTION, Point
from puddle.server.store.schema import SYSTEMS
from puddle.testing import FileWorld, SimulatedCloud
from tests.puddle.crash.node import LEASE_S, backend_over, work
from tests.puddle.installations import ADA, ANN, IMAGE, LARGE, SMALL, wanted

POINTS = list(Point)
STEPS = 26
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.puddle.crash.node"])

LEADS_TO = {
    Wish.START: Status.STARTED,
    Wish.STOP: Status.STOPPED,
    Wish.REBOOT: Status.STARTED,
    Wish.RESTART: Status.STARTED,
    Wish.SCALE: Status.STOPPED,
    Wish.TERMINATE: Status.TERMINATED,
    Wish.FAIL: Status.FAILED,
}


@dataclass
class Trial:
    """A history and its processes. `expected`: where each system must end; `killed`: where servers were, how often.

    `patience_s`: for how long servers may work before time goes on; on a busy machine it takes more to go wrong at all.
    With `naps` every second server is not killed but suspended for longer than its lease, and then goes on.
    """

    seed: int
    url: str
    world: str
    servers: int = 1
    naps: bool = False
    patience_s: float = 0.3
    expected: dict[str, Status] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    _nodes: dict[int, BaseProcess] = field(default_factory=dict)
    _faults: dict[int, str] = field(default_factory=dict)
    _asleep: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # noqa: S311 -- a history, not a secret
        self.backend = backend_over(self.url, FileWorld(self.world))
        self.backend.store.migrate()
        self.api = Api(self.backend)
        self.ann, self.ada = Caller(ANN), Caller(ADA)
        self.clock = self.backend.clock
        cloud = self.backend.clouds["simulated"]
        assert isinstance(cloud, SimulatedCloud)
        self.cloud = cloud
        self._fill()

    def _fill(self) -> None:
        with self.backend.store.writing() as tx:
            for person in (ANN, ADA):
                tx.users.add(person)
            for size in (SMALL, LARGE):
                tx.instance_types.add(size)
            tx.images.add(IMAGE)

    # the history

    def run(self) -> None:
        """Live through it, and raise AssertionError where something does not add up."""
        try:
            for step in range(STEPS):
                self._something(step)
                self._keep_servers(armed=True)
                self._pass_time(self.rng.choice((1, 2, 3, LEASE_S + 1) if not self._asleep else (LEASE_S + 1,)))
            self._come_to_rest()
            self._kill_all()
            self.check()
        finally:
            self._kill_all()
            self.backend.store.close()

    def _something(self, step: int) -> None:
        if step < 2:
            return self._create(f"system-{step}")
        if step == 2:
            self._leave_an_orphan()
        if step % 9 == 2:
            return self._order(f"{step}.0")
        return self.rng.choice((self._wish, self._wish, self._wish, self._snapshot, self._drop, self._from_snapshot))()

    def _order(self, version: str) -> None:
        """An image, and a report."""
        self.api.images.build(self.ada, "simulated", "simulated", version)
        self.api.reports.create(self.ann, 0, self.backend.now())

    def _create(self, name: str, **given: object) -> None:
        try:
            made = self.api.creating.create(self.ann, wanted(name=name, **given), idempotency_key=name).system
        except Precondition:
            return
        self.expected[made.id], self.types[made.id] = Status.STARTED, made.instance_type_id

    def _leave_an_orphan(self) -> None:
        """Something of ours nobody knows of, as an old backup of the database would leave it."""
        shape = Shape(cloud_type="small", vcpus=1, memory_gb=1, disk_gb=1)
        self.cloud.create(
            Order(system_id="sys-orphan", name="o", cloud_image_id="i", shape=shape, ports={}, token="t")  # noqa: S106 -- a token that names a step
        )

    def _wish(self) -> None:
        system = self._any_system()
        wish = self.rng.choice([*LEADS_TO] if self.rng.random() < 0.2 else [w for w in LEADS_TO if w not in _FINAL])
        ask: dict[Wish, Callable[[], object]] = {
            Wish.START: lambda: self.api.wishes.start(self.ann, system.id),
            Wish.STOP: lambda: self.api.wishes.stop(self.ann, system.id),
            Wish.REBOOT: lambda: self.api.wishes.reboot(self.ann, system.id),
            Wish.RESTART: lambda: self.api.wishes.restart(self.ann, system.id),
            Wish.SCALE: lambda: self.api.wishes.scale(self.ann, system.id, self._other_type(system)),
            Wish.TERMINATE: lambda: self.api.wishes.terminate(self.ann, system.id),
            Wish.FAIL: lambda: self.api.wishes.fail(self.ada, system.id),
        }
        try:
            ask[wish]()
        except (Precondition, Invalid):  # the second: it was scaled to that just now
            return
        self.expected[system.id] = LEADS_TO[wish]
        if wish is Wish.SCALE:
            self.types[system.id] = self._other_type(system)
        if wish is Wish.FAIL:
            self.types.pop(system.id, None)  # what is given up while it is being scaled has either size

    def _snapshot(self) -> None:
        with suppress(Precondition):
            self.api.wishes.snapshot(self.ann, self._any_system().id, "copy")

    def _drop(self) -> None:
        there = [each for each in self._snapshots() if each.status is SnapshotStatus.AVAILABLE]
        if there:
            with suppress(Precondition):
                self.api.snapshots.delete(self.ann, self.rng.choice(there).id)

    def _from_snapshot(self) -> None:
        usable = {SnapshotStatus.AVAILABLE, SnapshotStatus.CREATING}
        there = [each for each in self._snapshots() if each.status in usable]
        if there:
            source = self.rng.choice(there)
            self._create(f"system-{len(self.expected)}", source_snapshot_id=source.id)

    @staticmethod
    def _other_type(system: System) -> str:
        return "t-2" if system.instance_type_id == "t-1" else "t-1"

    def _any_system(self) -> System:
        return self.rng.choice(self._systems())

    def _systems(self) -> list[System]:
        with self.backend.store.reading() as tx:
            return tx.systems.all()

    def _snapshots(self) -> list[Snapshot]:
        with self.backend.store.reading() as tx:
            return tx.snapshots.of_owner("")

    # servers and time

    def _keep_servers(self, *, armed: bool) -> None:
        for place in range(self.servers):
            node = self._nodes.get(place)
            if armed and node is not None and node.is_alive() and self.rng.random() < 0.05:
                self._faults[place] = "anywhere:"
                node.kill()
                node.join()
            if node is not None and node.is_alive():
                self._let_sleep(place, node)
                continue
            if node is not None:
                node.join()
                assert node.exitcode == -signal.SIGKILL, "a server ended by itself"
                self.killed[self._faults[place].partition(":")[0]] += 1
            self._nodes[place] = self._started(place, armed=armed)

    def _started(self, place: int, *, armed: bool) -> BaseProcess:
        deaths = self.killed.total()
        point = POINTS[(self.seed + deaths) % len(POINTS)] if deaths % 2 == 0 else self.rng.choice(POINTS)
        fault = self._faults[place] = f"{point}:{self.rng.randint(1, 3)}" if armed else ""
        if fault and self.naps and point not in IN_TRANSACTION and self.rng.random() < 0.5:
            fault = f"nap:{fault}"
        holder = f"node-{place}-{deaths}"
        node = _CONTEXT.Process(target=work, args=(self.url, self.world, holder, fault, os.getpid()), daemon=True)
        node.start()
        return node

    def _let_sleep(self, place: int, node: BaseProcess) -> None:
        """Wake a server that is suspended once others have gone on for a while."""
        if not _is_suspended(node.pid):
            return
        self._asleep[place] += 1
        if self._asleep[place] == 4:
            self._wake(place)

    def _wake(self, place: int) -> None:
        del self._asleep[place]
        self.killed[f"asleep at {self._faults[place].partition(':')[0]}"] += 1
        os.kill(self._nodes[place].pid or 0, signal.SIGCONT)

    def _pass_time(self, seconds: int) -> None:
        """Let the servers do what is due, or die of it; then let time pass."""
        give_up = time.monotonic() + self.patience_s
        while self._busy() and all(node.is_alive() for node in self._nodes.values()) and time.monotonic() < give_up:
            time.sleep(0.015)
        self.clock.turn(seconds)  # type: ignore[attr-defined]  # a WorldClock

    def _busy(self) -> bool:
        now = self.backend.now()
        table = SYSTEMS.table
        query = sa.select(sa.func.count()).where(sa.or_(table.c.look_at <= now, table.c.lease_until > now))
        with self.backend.store.reading() as tx:
            return bool(tx.connection.execute(query).scalar())

    def _come_to_rest(self) -> None:
        """Servers nobody kills any more, and time enough: for leases to end, and for two sweeps."""
        for place in list(self._asleep):
            self._wake(place)
        if self.naps:
            self._pass_time(0)  # what they still do must not hurt
        self._kill_all()
        passed, give_up = 0, time.monotonic() + max(240, 300 * self.patience_s)
        while passed < 60 or self._unrest():
            assert time.monotonic() < give_up, f"not at rest: {self._unrest()}"
            self._keep_servers(armed=False)
            time.sleep(0.02)  # for what is done beside systems: builds, reports, sweeps
            seconds = 5 if passed < 100 else 60
            self._pass_time(seconds)
            passed += seconds

    def _kill_all(self) -> None:
        for node in self._nodes.values():
            node.kill()
            node.join()
        self._nodes.clear()

    def _unrest(self) -> list[str]:
        with self.backend.store.reading() as tx:
            images, reports = tx.images.of(), tx.reports.all()
        return [
            *(f"{each.id} {each.status.name}" for each in self._systems() if each.status not in SETTLED),
            *(f"{each.id} {each.status.name}" for each in self._snapshots() if each.status in _MOVING),
            *(f"{each.id} {each.status.name}" for each in images if each.status is ImageStatus.BUILDING),
            *(f"{each.id} {each.status.name}" for each in reports if each.status is ReportStatus.PENDING),
            *(["the orphan"] if "sys-orphan" in self.cloud.contents().machines else []),
            *(f"{key} without a row" for key in self.cloud.contents().snapshots - self._available()),
        ]

    # what must hold

    def check(self) -> None:
        """No lost wish, no orphan, no double, and a ledger that says what the cloud says."""
        systems = {each.id: each for each in self._systems()}
        unmade = {each.id for each in self._snapshots() if each.status is SnapshotStatus.FAILED}
        fine = (Status.FAILED, True)  # of a system that was to be made from a snapshot whose system was given up
        lost = [
            each
            for key, each in systems.items()
            if each.status is not self.expected[key] and (each.status, each.source_snapshot_id in unmade) != fine
        ]
        assert not lost, f"wishes were lost: {[(each, self.expected[each.id]) for each in lost]}"
        assert {key: systems[key].instance_type_id for key in self.types} == self.types, "a size was lost"
        there = self.cloud.contents()
        self._check_machines(systems, there.machines, there.running)
        self._check_snapshots(there.snapshots)
        self._check_orders()
        assert sum(each.cu for each in systems.values()) <= 6, "compute units were oversold"
        for each in systems.values():
            self._check_money(each)

    def _check_machines(self, systems: dict[str, System], machines: frozenset[str], running: frozenset[str]) -> None:
        living = {key for key, each in systems.items() if each.status is not Status.TERMINATED and each.machine_id}
        assert machines == living, "an orphan, or a machine that is not there"
        assert running == {key for key, each in systems.items() if each.status is Status.STARTED}
        ups = self.cloud.uptimes()
        for key in systems:
            assert len({each.machine_id for each in ups if each.system_id == key}) <= 1, f"two machines for {key}"

    def _check_snapshots(self, there: frozenset[str]) -> None:
        available = self._available()
        unlike = [each for each in self._snapshots() if each.id in there ^ available] or there ^ available
        assert there == available, f"a snapshot without a row, or a row without a snapshot: {unlike}"

    def _available(self) -> set[str]:
        return {each.id for each in self._snapshots() if each.status is SnapshotStatus.AVAILABLE}

    def _check_orders(self) -> None:
        with self.backend.store.reading() as tx:
            images, reports = tx.images.of(), tx.reports.all()
        assert {(image.status, image.detail) for image in images} == {(ImageStatus.AVAILABLE, "")}
        assert {image.id for image in images} - {IMAGE.id} == self.cloud.contents().images
        assert {report.status for report in reports} == {ReportStatus.READY}

    def _check_money(self, system: System) -> None:
        """The ledger of a system's machine is its seconds up, by the cloud's clock, at the price of each start."""
        with self.backend.store.reading() as tx:
            sessions = [each for each in tx.sessions.of_system(system.id) if each.meter is Meter.VM]
            booked = tx.ledger.total(system.id, Meter.VM)
        ups = sorted((each.start, each.end) for each in self.cloud.uptimes() if each.system_id == system.id)
        metered = [(each.start, each.end or None) for each in sorted(sessions, key=lambda s: s.start)]
        assert metered == ups, f"{system.id}: metered {metered}, up {ups}"
        closed = sum(each.price_micros * (each.end - each.start) for each in sessions if each.end)
        still = sum(each.price_micros * (each.booked - each.start) for each in sessions if not each.end)
        assert system.spent == closed, f"{system.id}: spent {system.spent}, sessions {closed}"
        assert booked == closed + still, f"{system.id}: booked {booked}, sessions {closed} and {still}"


_FINAL = {Wish.TERMINATE, Wish.FAIL}
_MOVING = {SnapshotStatus.CREATING, SnapshotStatus.DELETING}


def _is_suspended(pid: int | None) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:  # it has just been killed
        return False
