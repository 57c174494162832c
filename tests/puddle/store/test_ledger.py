"""Whatever the bookings, a session's entries follow one another and cost what the session costs."""

from __future__ import annotations

import threading

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from puddle.server.domain.records import Meter
from puddle.server.store import Store
from puddle.server.store.schema import LEDGER, SESSIONS
from tests.puddle.records import session

MEMORY = Store("sqlite://")
MEMORY.migrate()


@given(
    price=st.integers(0, 10**9),
    steps=st.lists(st.integers(0, 10**6), max_size=6),
    end=st.integers(0, 10**7),
)
def test_entries_of_a_session_cost_what_it_costs(price: int, steps: list[int], end: int) -> None:
    with MEMORY.writing() as tx:
        tx.sessions.open(session(price_micros=price))
        for step in steps:
            running = tx.sessions.running("s-1", Meter.VM)
            assert running is not None
            tx.sessions.book(running.id, running.booked + step)
        tx.sessions.close("x-1", 1000 + end)
        ended = tx.sessions.get("x-1")
        entries = tx.ledger.of_session("x-1")
        total = tx.ledger.total("s-1", Meter.VM)
        spent = tx.sessions.spent(["u-1"], 0, 10**9)
        tx.connection.rollback()
    assert ended is not None
    assert ended.end == max(1000 + end, 1000 + sum(steps)), "what is booked is booked"
    joints = [1000, *(entry.end for entry in entries)]
    assert [entry.start for entry in entries] == joints[:-1]
    assert joints[-1] == ended.end
    assert total == spent == price * (ended.end - 1000)


def test_beginning_and_ending_twice_counts_once(store: Store) -> None:
    with store.writing() as tx:
        for _ in range(2):
            tx.sessions.open(session())
        for end in (2000, 3000):
            tx.sessions.close("x-1", end)
    with store.reading() as tx:
        assert tx.sessions.running("s-1", Meter.VM) is None
        assert tx.ledger.total("s-1", Meter.VM) == 900_000 * 1000


def test_two_who_book_at_once_book_once(store: Store) -> None:
    with store.writing() as tx:
        tx.sessions.open(session())
    both = threading.Barrier(2)

    def book() -> None:
        with store.writing() as tx:
            if store.engine.dialect.name != "sqlite":  # there, the second transaction begins when the first has ended
                assert tx.sessions.get("x-1") is not None
                both.wait()
            tx.sessions.book("x-1", 2000)

    threads = [threading.Thread(target=book) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as tx:
        assert [(entry.start, entry.end) for entry in tx.ledger.of_session("x-1")] == [(1000, 2000)]


def test_what_was_spent_in_a_span_is_cut_at_its_edges(store: Store) -> None:
    with store.writing() as tx:
        tx.sessions.open(session())
        tx.sessions.close("x-1", 2000)
        tx.sessions.open(session(id="x-2", start=3000, booked=3000))
        tx.sessions.open(session(id="x-3", start=3000, booked=3000, owner_id="u-2"))
    with store.reading() as tx:
        assert tx.sessions.spent(["u-1"], 1500, 3100) == 900_000 * (500 + 100)
        assert tx.sessions.spent(["u-1"], 2500, 2600) == 0
        assert [each.id for each in tx.sessions.within(1999, 3001, "u-1")] == ["x-1", "x-2"]
        assert [each.id for each in tx.sessions.within(2000, 3000)] == []


def test_what_the_disk_of_a_system_has_cost_counts_up_to_now_and_nothing_else(store: Store) -> None:
    assert store.disk_cost("s-1", 5000) == 0
    with store.writing() as tx:
        tx.sessions.open(session(id="vm"))
        tx.sessions.open(session(id="d-1", meter=Meter.DISK, price_micros=4))
        tx.sessions.close("d-1", 2000)
        tx.sessions.open(session(id="d-2", meter=Meter.DISK, price_micros=10**15, start=3000, booked=3000))
        tx.sessions.open(session(id="d-3", meter=Meter.DISK, subject_id="s-2"))
    assert store.disk_cost("s-1", 5000) == 4 * 1000 + 10**15 * 2000


def test_prices_of_giants_stay_exact(store: Store) -> None:
    with store.writing() as tx:
        tx.sessions.open(session(price_micros=10**9, start=0, booked=0))
        tx.sessions.close("x-1", 3 * 10**9)
    with store.reading() as tx:
        assert tx.ledger.total("s-1", Meter.VM) == 3 * 10**18


def test_open_sessions_are_found_for_booking(store: Store) -> None:
    with store.writing() as tx:
        tx.sessions.open(session())
        tx.sessions.open(session(id="x-2", booked=5000))
        assert [each.id for each in tx.sessions.unbooked(2000)] == ["x-1"]


def test_the_names_of_the_tables_hold() -> None:
    assert (LEDGER.table.name, SESSIONS.table.name) == ("ledger", "sessions")
    assert isinstance(LEDGER.c["end"].type, sa.BigInteger)
