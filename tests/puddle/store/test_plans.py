"""However long the history grows, no question that is asked all day reads through all of it.

All statements of the use cases, of passes of the reconciler and of its chores are noted, and each database is asked how
it would answer them. SQLite decides without looking at what is there; PostgreSQL, whose tables are small here, is told
to avoid reading them from end to end where it can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from puddle.server.api.watching import Watching
from puddle.server.domain.people import Limits
from puddle.server.domain.states import Status
from puddle.server.store import Store
from puddle.server.store.prepared import Prepared
from puddle.server.store.schema import METADATA
from puddle.server.store.stamps import Wanted
from puddle.server.store.trail import WantedEvents
from puddle.server.transports.app import Application
from tests.puddle.reconcile.places import Place, ruled
from tests.puddle.records import user

GROWING = {"systems", "sessions", "ledger", "events", "event_targets", "notices", "reports", "report_entries",
           "snapshots", "answers", "tokens"}  # fmt: skip
PARTIAL = {index.name for table in METADATA.tables.values() for index in table.indexes
           if index.dialect_options["sqlite"]["where"] is not None}  # fmt: skip
"""Indexes of what is still alive, open or unread: those may be read as a whole."""


@dataclass
class Notebook:
    """The statements that were executed, each with values it was executed with."""

    found: dict[str, Any] = field(default_factory=dict)

    def note(self, statement: str, values: Any) -> None:
        """Keep a statement that reads or changes what is there."""
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            self.found.setdefault(statement, values)


@contextmanager
def noted(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    book, rows = Notebook(), Prepared._rows

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        book.note(statement, values[0] if many else values)

    def prepared(self: Prepared, driver: Any, dialect: sa.Dialect, values: dict[str, Any]) -> Any:
        text, names, usual = self._texts.get(dialect.name) or self._compiled(dialect)
        given = {**usual, **values}
        book.note(text, tuple(given[name] for name in names) if names else given)
        return rows(self, driver, dialect, values)

    monkeypatch.setattr(Prepared, "_rows", prepared)
    sa.event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield book
    finally:
        sa.event.remove(store.engine, "before_cursor_execute", note)


def live(place: Place) -> None:
    """Ask and wish whatever is asked and wished, and let the reconciler do all it does."""
    at, api, wishes = place.at, place.at.api, place.at.api.wishes
    with at.store.writing() as tx:
        tx.users.put(user(limits=Limits(budget_micros=10**12), groups=("team",)))
    one, two = place.started(idle_minutes=-1), place.at.create(name="two", key="once").system.id
    copy = wishes.snapshot(at.ann, one, "copy")
    place.pass_by(20, 2)
    wishes.stop(at.ann, one)
    place.pass_by(10, 2)
    wishes.scale(at.ann, one, "t-2")
    place.pass_by(10, 2)
    wishes.start(at.ann, one)
    wishes.terminate(at.ann, two)
    at.cloud.outside.crash(one)
    place.pass_by(600, 60)
    wishes.extend_idle(at.ann, one, 60)
    report = api.reports.create(at.ada, 0, place.now, everybody=True)
    mine = api.reports.create(at.ann, 0, place.now)
    place.pass_by(7200, 600)
    api.reports.entries(at.ada, report.id, 0, 10)
    api.reports.all(at.ann)
    api.reports.get(at.ann, mine.id)
    look(place, one)
    api.snapshots.delete(at.ann, copy.id)
    place.pass_by(20, 2)


def look(place: Place, one: str) -> None:
    """Look at everything there is to look at."""
    at, api, now = place.at, place.at.api, place.now
    pages = [
        Wanted(), Wanted(owner_id="u-1"), Wanted(after=(now, "x")), Wanted(owner_id="u-1", after=(now, "x")),
        Wanted(owner_id="u-1", name="one"), Wanted(name="one"), Wanted(name="one", include_terminated=True),
        Wanted(statuses=(Status.STARTED,)), Wanted(statuses=(Status.STARTED,), include_terminated=True),
        Wanted(include_terminated=True), Wanted(include_terminated=True, after=(now, "x")),
        Wanted(owner_id="u-1", include_terminated=True, after=(now, "x")),
    ]  # fmt: skip
    for wanted in pages:
        api.systems.page(at.ada, wanted)
    events = [
        WantedEvents(), WantedEvents(target=one), WantedEvents(target="u-1", since=1, until=now),
        WantedEvents(target="u-1", before=(now, "evt-x")), WantedEvents(target=one, actor_id="u-1"),
        WantedEvents(actor_id="u-1", before=(now, "evt-x")), WantedEvents(before=(now, "evt-x")),
        WantedEvents(actor_id="u-1"), WantedEvents(since=1, until=now),
    ]  # fmt: skip
    for asked in events:
        api.trail.events(at.ada, asked)
    api.systems.get(at.ann, one)
    api.systems.consumption(at.ann)
    for caller in (at.ann, at.ada):
        for acknowledged in (False, True):
            for alert in api.trail.alerts(caller, acknowledged=acknowledged):
                api.trail.acknowledge(caller, alert.id)
    for everybody in (False, True):
        api.snapshots.all(at.ann, everybody=everybody)
    api.snapshots.of_system(at.ann, one)
    api.people.users()
    api.instance_types.update(at.ada, api.instance_types.all()[0])
    key, secret = api.logins.create_key(at.ann, "key")
    login = api.logins.login(key.id, secret, "127.0.0.1")
    api.logins.authenticate(login.token)
    api.logins.logout(at.ann, login.token)
    watching = Watching(at.backend)
    watching.seen(list(watching.revisions()), admin=True)
    application = Application(api, version="1")
    application._ping()
    application._systems()


def steps_of_sqlite(tx: sa.Connection, statement: str, values: Any) -> Iterator[str]:
    """Yield where SQLite would read a growing table from end to end."""
    steps = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    first_ones = is_page(statement) and "USE TEMP B-TREE FOR ORDER BY" not in steps
    for step in steps:
        words = step.split()
        if words[0] != "SCAN" or words[1] not in GROWING:
            continue
        index = words[words.index("INDEX") + 1] if "INDEX" in words else ""
        if not (index in PARTIAL or (index and first_ones)):
            yield step


def is_page(statement: str) -> bool:
    """Whether it takes some from one end, whatever they are: an index in that order is then read no further."""
    outer = re.sub(r"\(SELECT [^()]*\)", "", statement)
    return bool(re.search(r"\sLIMIT\s", outer)) and not re.search(r"\sWHERE\s", outer)


def steps_of_postgresql(tx: sa.Connection, statement: str, values: Any) -> Iterator[str]:
    """Yield where PostgreSQL would."""
    explained = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
    plans = [(explained[0]["Plan"], False)]
    while plans:
        plan, limited = plans.pop()
        kind, read = plan["Node Type"], plan.get("Relation Name", "")
        limited = (limited or kind == "Limit") and kind != "Sort"
        plans += [(each, limited) for each in plan.get("Plans", ())]
        bounded = "Index Cond" in plan or plan.get("Index Name") in PARTIAL or (limited and "Filter" not in plan)
        if read in GROWING and (kind == "Seq Scan" or ("Index" in kind and not bounded)):
            yield f"{kind} {read} {plan.get('Index Name', '')}"


STEPS = {"sqlite": steps_of_sqlite, "postgresql": steps_of_postgresql}


def test_nothing_reads_a_growing_table_from_end_to_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    place = ruled(store)
    _leave_unmeasured(store)
    with noted(store, monkeypatch) as book:
        live(place)
    assert len(book.found) > 60, "that was not all of it"
    wrong = {}
    with store.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
            connection.exec_driver_sql("SET enable_sort = off")
        for statement, values in book.found.items():
            if steps := list(STEPS[connection.dialect.name](connection, statement, values)):
                wrong[statement] = steps
    assert not wrong, "\n\n".join(f"{statement}\n  {steps}" for statement, steps in wrong.items())


def _leave_unmeasured(store: Store) -> None:
    """PostgreSQL measures tables at a time of its own, and for a few rows it knows of it would use any index at all."""
    if store.engine.dialect.name == "postgresql":
        with store.engine.begin() as connection:
            for table in METADATA.sorted_tables:
                connection.exec_driver_sql(f"ALTER TABLE {table.name} SET (autovacuum_enabled = off)")
