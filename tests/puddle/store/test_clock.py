"""All servers of one database go by its clock, and none that is suspended holds up the others for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from puddle.server.store import Store
from puddle.server.store.clock import DatabaseClock
from tests.puddle.records import system


@pytest.fixture
def impatient(postgres_url: str) -> Iterator[Store]:
    """A store on PostgreSQL that lets nobody hold a lock for more than a second without doing anything."""
    patient = Store(postgres_url)
    patient.migrate()
    with patient.writing() as tx:
        tx.systems.create(system(), look_at=0)
    patient.close()
    store = Store(postgres_url, patience_s=1)
    yield store
    store.close()


def test_servers_whose_own_clocks_are_wrong_agree(postgres_url: str) -> None:
    store = Store(postgres_url)
    clocks = [DatabaseClock(store, lambda wrong=wrong: time.time() + wrong) for wrong in (-300.0, 0.0, 7200.0)]
    before = [clock() for clock in clocks]
    for clock in clocks:
        clock.compare()
    after = [clock() for clock in clocks]
    store.close()
    assert max(before) - min(before) > 7000
    assert max(after) - min(after) < 60


def test_a_file_has_no_other_clock_than_its_machine(memory: Store) -> None:
    clock = DatabaseClock(memory, lambda: 1000.0)
    clock.compare()
    assert clock() == 1000.0


def test_an_answer_that_took_long_says_nothing_of_the_time(postgres_url: str) -> None:
    store = Store(postgres_url)
    times = iter((100.0, 110.0, 120.0))
    clock = DatabaseClock(store, lambda: next(times))
    clock.compare()
    store.close()
    assert clock() == 120.0


def test_a_transaction_of_a_server_that_is_suspended_holds_up_no_other(impatient: Store) -> None:
    """Its locks are taken from it; when it goes on it cannot write."""
    held, let_go, went_wrong = threading.Event(), threading.Event(), []

    def suspended() -> None:
        try:
            with impatient.writing() as tx:
                tx.lock("limits")
                tx.systems.write(system(name="old"), look_at=0)
                held.set()
                let_go.wait(60)
                tx.systems.write(system(name="older", revision=1), look_at=0)
        except sa.exc.DBAPIError as error:
            went_wrong.append(error.connection_invalidated)

    thread = threading.Thread(target=suspended)
    thread.start()
    try:
        assert held.wait(60)
        for _ in range(60):  # this one waits no longer than a second for the lock, and may itself be too slow
            try:
                with impatient.writing() as tx:
                    tx.lock("limits")
                    assert tx.systems.write(system(name="new"), look_at=0)
                break
            except sa.exc.DBAPIError:
                continue
    finally:
        let_go.set()
        thread.join(60)
    assert went_wrong == [True]
    with impatient.reading() as tx:
        found = tx.systems.get("s-1")
    assert found is not None
    assert found.name == "new"
