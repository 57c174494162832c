"""A database that is away, full or read-only, and a cloud that hangs: nothing of anybody's is lost, and it passes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from puddle.server.domain.records import Meter
from puddle.server.domain.states import Status
from puddle.server.faults import IN_TRANSACTION, Point, armed
from puddle.server.reconcile.lanes import Lane, Lanes
from puddle.server.reconcile.loop import Loop
from puddle.server.store import Store
from puddle.server.store.ailments import Ailment, ails
from puddle.server.transports.connect import refusal_of
from tests.puddle.reconcile.places import Place, ruled

SAID = {
    "away": "the database does not answer; try again in a moment",
    "read-only": (
        "the database is read-only just now, so nothing can be changed; what there is can be seen, and machines run on"
    ),
}


@dataclass
class Outage:
    """What is wrong with a database: "", "away" or "read-only"."""

    now: str = ""

    def strike(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> Outage:
        """Let it come over a store whenever `now` says so."""
        for name in ("reading", "writing"):
            monkeypatch.setattr(store, name, partial(self._begun, getattr(store, name)))
        sa.event.listen(store.engine, "begin", self._restrict)
        return self

    def _begun(self, begin: Callable[[], Any]) -> Any:
        if self.now == "away":
            raise sa.exc.OperationalError("connect", None, Exception("the server closed the connection"))
        return begin()

    def _restrict(self, connection: sa.Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA query_only = {'on' if self.now == 'read-only' else 'off'}")
        elif self.now == "read-only":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def told(do: Callable[[], object]) -> str:
    """What a caller is told."""
    with pytest.raises(sa.exc.DBAPIError) as error:
        do()
    return refusal_of(error.value, "Method", "request").sentence


def wait_out(place: Place, outage: Outage, what: str) -> None:
    """Let ten minutes pass in an outage, and then half a minute without it."""
    outage.now = what
    for _ in range(10):
        place.at.clock.turn(60)
        assert not place.loop._turned()
    outage.now = ""
    for _ in range(30):
        place.at.clock.turn(5)
        place.loop._turned()


@pytest.mark.parametrize("what", SAID)
def test_a_database_that_takes_no_changes_for_a_while_costs_no_wish_and_no_machine(
    store: Store, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, outage = ruled(store), Outage().strike(store, monkeypatch)
    one, two = place.started(idle_minutes=-1), place.started(name="two", idle_minutes=-1)
    place.at.api.wishes.stop(place.at.ann, one)
    outage.now = what
    assert told(lambda: place.at.api.wishes.stop(place.at.ann, two)) == SAID[what]
    wait_out(place, outage, what)
    assert (place.system(one).status, place.system(two).status) == (Status.STOPPED, Status.STARTED)
    assert place.at.cloud.contents().machines == {one, two}
    assert place.alerts() == []


@pytest.mark.parametrize("what", SAID)
@pytest.mark.parametrize("point", sorted({Point.LEASED, Point.LOOKED, Point.DECIDED, Point.MACHINE_ORDERED,
                                          Point.MACHINE_SAVED, Point.STEP_TAKEN} - IN_TRANSACTION))  # fmt: skip
def test_an_outage_that_begins_in_the_middle_of_an_order_makes_no_second_machine(
    memory: Store, what: str, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, outage = ruled(memory), Outage().strike(memory, monkeypatch)
    one = place.at.create(idle_minutes=-1).system.id

    def begin(passed: Point) -> None:
        if passed is point:
            outage.now = what

    with armed(begin):
        place.loop._turned()
    assert outage.now, "the point was passed"
    wait_out(place, outage, what)
    assert place.system(one).status is Status.STARTED
    assert place.at.cloud.contents().machines == {one}
    (uptime,) = place.at.cloud.uptimes()
    assert [it.start for it in place.sessions(Meter.VM)] == [uptime.start]


def test_a_full_disk_is_told_in_a_sentence_and_passes(tmp_path: Any) -> None:
    """SQLite is given no page more than it has; then more."""
    store, room = Store(f"sqlite:///{tmp_path / 'puddle.db'}"), {"pages": 10**9}
    store.migrate()
    sa.event.listen(store.engine, "checkout", lambda it, _r, _p: it.execute(f"PRAGMA max_page_count = {room['pages']}"))
    place = ruled(store)
    one = place.started(idle_minutes=-1)
    room["pages"] = 1
    said = told(lambda: [place.at.create(name=f"s-{n}", config=f'a = "{"x" * 4000}"') for n in range(50)])
    assert said.startswith("the database's disk is full, so nothing can be changed until an administrator makes room")
    before = len(place.at.api.systems.page(place.at.ada, _everything()))
    assert (place.system(one).status, place.at.cloud.contents().running) == (Status.STARTED, {one})
    room["pages"] = 10**9
    place.at.create(name="afterwards")
    assert len(place.at.api.systems.page(place.at.ada, _everything())) == before + 1
    store.close()


def _everything() -> Any:
    from puddle.server.store.stamps import Wanted

    return Wanted(limit=1000)


@pytest.mark.parametrize(
    ("code", "text", "what"),
    [
        ("53100", "could not extend file", Ailment.FULL),
        ("25006", "cannot execute INSERT in a read-only transaction", Ailment.READ_ONLY),
        ("0A000", "cannot set transaction read-write mode during recovery", Ailment.READ_ONLY),
        ("0A000", "cached plan must not change result type", None),
        ("40001", "could not serialize access", None),
        ("", "", None),
    ],
)
def test_what_ails_postgresql_is_told_by_its_number(code: str, text: str, what: Ailment | None) -> None:
    class Theirs(Exception):
        sqlstate = code

    assert ails(sa.exc.InternalError("INSERT", None, Theirs(text))) is what


def test_a_cloud_that_answers_after_ten_minutes_harms_nobody(place: Place) -> None:
    """In threads: a machine is ordered; its owner is told why it takes long, and gives up; then the answer comes."""
    asked, let_go, create = threading.Event(), threading.Event(), place.at.cloud.create
    one, two = place.at.create().system.id, place.at.create(place.at.ben, name="two").system.id

    def slowly(order: Any) -> str:
        if order.system_id == one:
            asked.set()
            let_go.wait(120)
        return create(order)

    place.at.cloud.create = slowly  # type: ignore[method-assign]
    loop = Loop(place.at.backend, "slow", lanes=Lanes(2, limits={Lane.CLOUD: 0.5, Lane.PRODUCT: 30.0}))

    def until(holds: Callable[[], bool]) -> None:
        for _ in range(2000):
            place.at.clock.turn(1)
            loop.turn(place.now)
            if holds():
                return
        raise AssertionError(f"never: {place.system(one)}")

    try:
        until(lambda: asked.is_set() and place.system(one).reason == "TIMEOUT")
        until(lambda: place.system(two).status is Status.STARTED)
        place.at.api.wishes.terminate(place.at.ann, one)
        until(lambda: place.system(one).reason == "SILENT")
        place.at.clock.turn(600)
        let_go.set()
        until(lambda: place.system(one).status is Status.TERMINATED)
        until(lambda: place.at.cloud.contents().machines == {two})
    finally:
        let_go.set()
        loop.close()
    assert place.system(two).status is Status.STARTED


def test_who_waits_for_a_system_whose_cloud_is_away_is_told_so(place: Place) -> None:
    one = place.started(idle_minutes=-1)
    place.at.cloud.faults.cut_off()
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(20, 2)
    waiting = place.system(one)
    assert (waiting.status, waiting.reason) == (Status.STOPPING, "SILENT")
    assert waiting.detail == "its cloud does not answer just now; it is asked again"
    place.at.cloud.faults.clear()
    place.pass_by(20, 2)
    assert (place.system(one).status, place.system(one).reason) == (Status.STOPPED, "")


def test_a_machine_that_is_not_listed_for_a_moment_is_nobodys_loss(place: Place) -> None:
    one = place.started(idle_minutes=-1)
    place.at.cloud.outside.hide(one)
    place.pass_by(120, 60)
    missed = place.system(one)
    assert (missed.status, missed.reason, missed.session_id != "") == (Status.STARTED, "MISSING", True)
    place.at.cloud.outside.show()
    place.pass_by(120, 60)
    found = place.system(one)
    assert (found.status, found.reason, found.missing) == (Status.STARTED, "", 0)
    assert len(place.sessions(Meter.VM)) == 1
    assert place.at.cloud.contents().running == {one}
