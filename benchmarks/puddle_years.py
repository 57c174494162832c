"""Puddle after years: what calls and passes of the reconciler cost when nearly everything is history.

    python benchmarks/puddle_years.py [--terminated 100000] [--entries 1000000] [--events 1000000] [--url postgresql+psycopg://…]

A database is filled with systems that were terminated, the sessions, ledger entries and events of their lives, alerts
and reports, and with `--living` systems on a simulated cloud. Then use cases are called as the transports call them,
and their times taken; so are a full pass of the reconciler and its chores. Without `--url` it is a SQLite file; the
database behind a URL should be empty, and is left filled. Prints a table, and JSON as its last line.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from puddle_scale import create, fill, installation, settle

from puddle.server.api import Api
from puddle.server.api.creating import NewSystem
from puddle.server.api.watching import Watching
from puddle.server.backend import Backend
from puddle.server.domain.people import Caller, Role, User
from puddle.server.domain.records import LedgerEntry, Meter, Session, Snapshot, SnapshotStatus, System
from puddle.server.domain.states import Status
from puddle.server.domain.trail import Alert, Event, Report, ReportEntry, ReportStatus
from puddle.server.reconcile.loop import Loop
from puddle.server.store import schema
from puddle.server.store.stamps import Wanted
from puddle.server.store.systems import NEVER_AGAIN
from puddle.server.store.trail import WantedEvents
from puddle.testing import HandClock

YEARS_S = 5 * 365 * 24 * 3600
OWNERS = 100


# the past


class Past:
    """Rows of the past, spread evenly over five years before `now`."""

    def __init__(self, backend: Backend, terminated: int, entries: int, events: int) -> None:
        self._engine = backend.store.engine
        self._first = backend.now() - YEARS_S
        self._terminated = terminated
        self._entries = entries
        self._events = events

    def write(self) -> None:
        """Write all of it."""
        self._put(schema.SYSTEMS.table, self._systems())
        self._put(schema.SESSIONS.table, (schema.SESSIONS.values(each) for each in self._sessions()))
        self._put(schema.LEDGER.table, (schema.LEDGER.values(each) for each in self._ledger()))
        self._put(schema.EVENTS.table, (schema.EVENTS.values(each) for each in self._trail()))
        self._put(schema.EVENT_TARGETS, self._targets())
        self._put(schema.ALERTS.table, (schema.ALERTS.values(each) for each in self._alerts()))
        self._put(schema.SNAPSHOTS.table, (schema.SNAPSHOTS.values(each) for each in self._snapshots()))
        self._put(schema.REPORTS.table, (schema.REPORTS.values(each) for each in self._reports()))
        self._put(schema.REPORT_ENTRIES.table, (schema.REPORT_ENTRIES.values(each) for each in self._lines()))

    def _put(self, table: sa.Table, rows: Iterator[dict[str, Any]]) -> None:
        with self._engine.begin() as connection:
            while some := list(islice(rows, 20_000)):
                connection.execute(sa.insert(table), some)

    def _at(self, number: int, of: int) -> int:
        return self._first + YEARS_S * number // of

    def _systems(self) -> Iterator[dict[str, Any]]:
        for n in range(self._terminated):
            at = self._at(n, self._terminated)
            system = System(
                id=f"old-{n:08}", name=f"s-{n % 50}", owner_id=_owner(n), cloud="simulated", product="simulated",
                version="1", image_id="i-1", instance_type_id="t-1", disk_gb=10, created=at, updated=at + 9000,
                status=Status.TERMINATED,
            )  # fmt: skip
            yield {**schema.SYSTEMS.values(system), "look_at": NEVER_AGAIN}

    def _sessions(self) -> Iterator[Session]:
        for n in range(self._entries // 4):
            at, system = self._at(n, self._entries // 4), f"old-{n % self._terminated:08}"
            yield Session(
                id=f"x-{n:09}", meter=Meter.VM, subject_id=system, system_id=system, owner_id=_owner(n), text="small",
                price_micros=900_000, start=at, booked=at + 7200, end=at + 7200,
            )  # fmt: skip

    def _ledger(self) -> Iterator[LedgerEntry]:
        for n in range(self._entries):
            at, system = self._at(n, self._entries), f"old-{n // 4 % self._terminated:08}"
            yield LedgerEntry(
                id=f"l-{n:09}", session_id=f"x-{n // 4:09}", meter=Meter.VM, system_id=system, owner_id=_owner(n // 4),
                price_micros=900_000, start=at, end=at + 1800,
            )  # fmt: skip

    def _trail(self) -> Iterator[Event]:
        for n in range(self._events):
            at = self._at(n, self._events)
            yield Event(
                id=f"evt-{n:016x}", time=at, actor_kind="user", actor_id=_owner(n), actor_name=f"user-{n % OWNERS:03}",
                action="system.stop", targets=(f"old-{n % self._terminated:08}", _owner(n)),
                before='{"status": "STARTED"}', after='{"status": "STOPPING"}', request_id=f"{n:016x}",
            )  # fmt: skip

    def _targets(self) -> Iterator[dict[str, Any]]:
        for event in self._trail():
            for target in event.targets:
                yield {"target": target, "time": event.time, "event_id": event.id}

    def _alerts(self) -> Iterator[Alert]:
        for n in range(self._events // 5):
            at = self._at(n, self._events // 5)
            yield Alert(
                id=f"n-{n:09}", time=at, kind="idle_warning", system_id=f"old-{n % self._terminated:08}",
                owner_id=_owner(n), message="it will be stopped in 10 minutes", acknowledged=n % 1000 != 0,
            )  # fmt: skip

    def _snapshots(self) -> Iterator[Snapshot]:
        for n in range(self._terminated // 5):
            at, alive = self._at(n, self._terminated // 5), n % 100 == 0
            yield Snapshot(
                id=f"snap-{n:08}", name="copy", description="", system_id=f"old-{n:08}", owner_id=_owner(n),
                cloud="simulated", product="simulated", version="1", image_id="i-1", disk_gb=10, created=at, updated=at,
                status=SnapshotStatus.FAILED if alive else SnapshotStatus.DELETED, failure="the disk could not be read",
            )  # fmt: skip

    def _reports(self) -> Iterator[Report]:
        for n in range(self._entries // 1000):
            at = self._at(n, self._entries // 1000)
            yield Report(
                id=f"rep-{n:08}", asked_by=_owner(n), owner_id=_owner(n), start=0, end=at, created=at,
                status=ReportStatus.READY,
            )  # fmt: skip

    def _lines(self) -> Iterator[ReportEntry]:
        for n in range(self._entries // 10):
            yield ReportEntry(
                report_id=f"rep-{n // 100:08}", number=n % 100, system_id=f"old-{n % self._terminated:08}",
                system_name="s", owner_id=_owner(n), owner_name="user", cloud="simulated", product="simulated",
                version="1", instance_type="small", session_id=f"x-{n:09}", meter="VM", start=0, end=1,
                price_micros=900_000,
            )  # fmt: skip


def _owner(number: int) -> str:
    return f"u-{number % OWNERS:03}"


# the present


def calls(backend: Backend, callers: list[Caller], living: list[str]) -> dict[str, Callable[[int], object]]:
    """Return what is asked most, each given a number that makes it another question."""
    api, admin = Api(backend), Caller(User(id="u-adm", name="ada", role=Role.ADMIN))
    middle = backend.now() - YEARS_S // 2
    wanted = NewSystem(
        name="another", cloud="simulated", product="simulated", image_id="i-1", instance_type_id="t-1", disk_gb=10,
        validate_only=True,
    )  # fmt: skip

    def caller(n: int) -> Caller:
        return callers[n % len(callers)]

    def vitals() -> object:
        with backend.store.reading() as tx:
            return tx.systems.counts()

    return {
        "GetSystem": lambda n: api.systems.get(admin, living[n % len(living)]),
        "ListSystems, mine": lambda n: api.systems.page(caller(n), Wanted(owner_id=caller(n).user.id)),
        "ListSystems, everybody's": lambda _n: api.systems.page(admin, Wanted()),
        "ListSystems, terminated too, middle": lambda _n: api.systems.page(
            admin, Wanted(include_terminated=True, after=(middle, "old"))
        ),
        "ListSystems, by name": lambda n: api.systems.page(admin, Wanted(name=f"s-{n}")),
        "CreateSystem, validate only": lambda n: api.creating.create(caller(n), wanted),
        "GetConsumption": lambda n: api.systems.consumption(caller(n)),
        "ListEvents, all": lambda _n: api.trail.events(admin, WantedEvents()),
        "ListEvents, all, middle": lambda _n: api.trail.events(admin, WantedEvents(before=(middle, "evt-"))),
        "ListEvents, of a system": lambda n: api.trail.events(admin, WantedEvents(target=f"old-{n:08}")),
        "ListEvents, of a user": lambda n: api.trail.events(admin, WantedEvents(target=_owner(n))),
        "ListEvents, by me": lambda n: api.trail.events(caller(n), WantedEvents()),
        "ListAlerts, mine": lambda n: api.trail.alerts(caller(n)),
        "ListAlerts, everybody's": lambda _n: api.trail.alerts(admin),
        "ListSnapshots, everybody's": lambda _n: api.snapshots.all(admin, everybody=True),
        "ListReports": lambda n: api.reports.all(caller(n)),
        "ListUsers": lambda _n: api.people.users(),
        "WatchSystems, a look": lambda _n: Watching(backend).revisions(),
        "healthz": lambda _n: vitals(),
    }


@dataclass(frozen=True)
class Taken:
    """Milliseconds of calls: their median and 95th percentile by the clock, and the latter of CPU in this process."""

    median: float
    p95: float
    cpu: float


def taken(ask: Callable[[int], object], rounds: int) -> Taken:
    """Return how long calls take; a slow one is asked fewer times."""
    walls, cpus = [], []
    give_up = time.perf_counter() + 20.0
    for number in range(rounds):
        began, cpu = time.perf_counter(), time.process_time()
        ask(number)
        walls.append(1000 * (time.perf_counter() - began))
        cpus.append(1000 * (time.process_time() - cpu))
        if time.perf_counter() > give_up and len(walls) >= 5:
            break
    last = (statistics.quantiles(each, n=20)[-1] for each in (walls, cpus))
    return Taken(statistics.median(walls), *last)


def passes(backend: Backend, loop: Loop, clock: HandClock) -> dict[str, Taken]:
    """Return how long a full pass of the reconciler takes, and each of its chores."""

    def full(_n: int) -> None:
        clock.turn(backend.rules.look_every_s)
        settle(loop, clock)

    chores = {f"chore: {it.name}": it.do for it in loop._chores._chores}
    found = {name: taken(lambda _n, do=do: do(backend.now()), 20) for name, do in chores.items()}
    return {"full pass": taken(full, 10), **found}


def analyze(backend: Backend) -> None:
    """Let the database look at what it holds, as it does by itself in time."""
    with backend.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "PRAGMA optimize")


def measure(url: str, options: argparse.Namespace) -> dict[str, Taken]:
    """Fill a database, and measure."""
    clock = HandClock()
    backend = installation(url, clock)
    callers = fill(backend)
    loop = Loop(backend, "bench", workers=0)
    create(Api(backend), callers, options.living)
    for _ in range(5):
        settle(loop, clock)
        clock.turn(backend.rules.soon_s)
    began = time.perf_counter()
    Past(backend, options.terminated, options.entries, options.events).write()
    analyze(backend)
    print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    if file := backend.store.engine.url.database if url.startswith("sqlite") else "":
        print(f"{Path(file).stat().st_size / 1e6:.0f} MB", file=sys.stderr)
    living = [each.system.id for each in Api(backend).systems.page(callers[0], Wanted(limit=1000))]
    found = {name: taken(ask, options.rounds) for name, ask in calls(backend, callers, living).items()}
    return {**found, **passes(backend, loop, clock)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--living", type=int, default=300)
    parser.add_argument("--terminated", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--url", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="puddle-years-") as folder:
        found = measure(options.url or f"sqlite:///{Path(folder, 'puddle.db')}", options)
    print(f"{'milliseconds':<40} {'median':>10} {'p95':>10} {'p95, CPU':>10}")
    for name, it in found.items():
        print(f"{name:<40} {it.median:10.2f} {it.p95:10.2f} {it.cpu:10.2f}")
    print(json.dumps({name: asdict(it) for name, it in found.items()}))


if __name__ == "__main__":
    main()
