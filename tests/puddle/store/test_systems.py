"""Wishes and decisions do not overwrite one another, and nobody works on what somebody else has leased."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from puddle.server.domain.records import Meter
from puddle.server.domain.states import Status
from puddle.server.store import Store
from puddle.server.store.stamps import Wanted
from puddle.server.store.systems import Release
from tests.puddle.records import instance_type, session, system, user


def create(store: Store, **given: object) -> None:
    with store.writing() as tx:
        tx.systems.create(system(**given), look_at=0)


def claim(store: Store, now: int = 10, holder: str = "a", until: int = 100, limit: int = 10):
    with store.writing() as tx:
        return tx.systems.claim(now, holder, until, limit)


def test_a_write_that_has_not_seen_the_last_one_is_refused(store: Store) -> None:
    create(store)
    with store.writing() as tx:
        first = tx.systems.get("s-1")
        assert first is not None
        assert tx.systems.write(replace(first, detail="a"), look_at=1)
        assert not tx.systems.write(replace(first, detail="b"), look_at=1)
        now = tx.systems.get("s-1")
    assert now is not None
    assert (now.detail, now.revision) == ("a", 1)


def test_what_is_leased_is_not_leased_again_until_the_lease_ends(store: Store) -> None:
    create(store)
    (first,) = claim(store, now=10, until=100)
    assert claim(store, now=50, holder="b") == []
    (second,) = claim(store, now=100, holder="b", until=200)
    assert second.fence == first.fence + 1


def test_a_holder_whose_lease_was_taken_over_writes_nothing(store: Store) -> None:
    create(store)
    (old,) = claim(store, now=10, until=100)
    (new,) = claim(store, now=100, holder="b", until=200)
    with store.writing() as tx:
        assert not tx.systems.decide(old, replace(old.system, detail="old"), look_at=5, keep_lease=False)
        assert not tx.systems.note_machine(old, "m-old")
        tx.systems.release([Release(claim=old, revision=old.system.revision, look_at=5)])
        assert tx.systems.decide(new, replace(new.system, detail="new"), look_at=300, keep_lease=False)
    with store.reading() as tx:
        kept = tx.systems.get("s-1")
        assert kept is not None
        assert (kept.detail, kept.machine_id) == ("new", "")
        assert tx.systems.next_due() == 300


def test_a_wish_in_between_makes_the_decision_old_but_keeps_the_machine(store: Store) -> None:
    create(store)
    (held,) = claim(store)
    with store.writing() as tx:
        assert tx.systems.write(replace(held.system, status=Status.TERMINATING), look_at=20)
    with store.writing() as tx:
        assert tx.systems.note_machine(held, "m-1")
        assert not tx.systems.decide(held, replace(held.system, status=Status.STARTED), look_at=99, keep_lease=False)
        tx.systems.release([Release(claim=held, revision=held.system.revision, look_at=99)])
    with store.reading() as tx:
        kept = tx.systems.get("s-1")
        assert kept is not None
        assert (kept.status, kept.machine_id) == (Status.TERMINATING, "m-1")
        assert tx.systems.next_due() == 20, "the wish is still due"


def test_a_lease_that_beats_lasts(store: Store) -> None:
    create(store)
    held = claim(store, now=10, until=100)
    with store.writing() as tx:
        tx.systems.renew(held, 500)
    assert claim(store, now=300, holder="b") == []


def test_the_longest_due_are_leased_first(store: Store) -> None:
    for number in range(5):
        create(store, id=f"s-{number}", name=f"n{number}")
    with store.writing() as tx:
        for number, held in enumerate(tx.systems.claim(10, "a", 11, 10)):
            tx.systems.decide(held, held.system, look_at=50 - number, keep_lease=False)
    assert [held.system.id for held in sorted(claim(store, now=60, limit=2), key=lambda it: it.system.id)] == [
        "s-3",
        "s-4",
    ]


def test_no_system_is_leased_to_two_of_many_threads(store: Store) -> None:
    for number in range(40):
        create(store, id=f"s-{number:02}", name=f"n{number}")
    taken: list[str] = []

    def work(holder: str) -> None:
        while held := claim(store, now=10, holder=holder, until=100, limit=3):
            taken.extend(each.system.id for each in held)

    threads = [threading.Thread(target=work, args=(f"h{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [f"s-{number:02}" for number in range(40)]


def test_an_owner_has_one_living_system_of_a_name(store: Store) -> None:
    create(store)
    with pytest.raises(sa.exc.IntegrityError):
        create(store, id="s-2")
    create(store, id="s-3", owner_id="u-2")
    create(store, id="s-4", name="two", status=Status.TERMINATED)
    create(store, id="s-5", name="two")


def test_a_list_goes_on_where_it_ended(store: Store) -> None:
    with store.writing() as tx:
        tx.users.add(user())
        tx.instance_types.add(instance_type())
    for number in range(7):
        create(store, id=f"s-{number}", name=f"n{number}", created=1000 + number // 3)
    found: list[str] = []
    wanted = Wanted(owner_id="u-1", limit=2)
    with store.reading() as tx:
        created = {each.id: each.created for each in tx.systems.all()}
    while page := store.stamps(wanted):
        found += [stamp.id for stamp in page]
        assert all((stamp.owner_name, stamp.type_text) == ("ann", "small") for stamp in page)
        wanted = replace(wanted, after=(created[page[-1].id], page[-1].id))
    assert found == [f"s-{number}" for number in range(7)]


def test_what_is_held_is_counted(store: Store) -> None:
    create(store, id="s-1", name="a", status=Status.STARTED, cu=2)
    create(store, id="s-2", name="b", status=Status.STOPPED)
    create(store, id="s-3", name="c", status=Status.TERMINATED)
    create(store, id="s-4", name="d", status=Status.INITIALIZING, cu=3, owner_id="u-2")
    with store.reading() as tx:
        assert tx.systems.held_by(["u-1"]) == (2, 1, 2)
        assert tx.systems.held_by(["u-1", "u-2"]) == (3, 2, 5)
        assert tx.systems.consumed() == 5
        assert [each.id for each in tx.systems.consuming("u-2")] == ["s-4"]


@pytest.mark.parametrize("status", [Status.SNAPSHOTTING, Status.FAILING, Status.TERMINATING])
def test_what_was_down_before_does_not_count_as_running(store: Store, status: Status) -> None:
    create(store, id="s-1", name="a", status=status)
    create(store, id="s-2", name="b", status=status, session_id="x", cu=0)
    create(store, id="s-3", name="c", status=status, cu=1)
    with store.reading() as tx:
        assert tx.systems.held_by(["u-1"]) == (3, 2, 1)


def test_what_had_a_type_that_is_removed_is_shown_all_the_same(store: Store) -> None:
    create(store, status=Status.TERMINATED)
    with store.reading() as tx:
        seen = tx.systems.seen("s-1")
    assert seen is not None
    assert (seen.instance_type.id, seen.instance_type.text, seen.instance_type.gpu_count) == ("t-1", "removed", 0)


def test_it_is_called_as_in_its_last_session(store: Store) -> None:
    create(store, status=Status.TERMINATED)
    create(store, id="s-2", name="two", status=Status.TERMINATED)
    with store.writing() as tx:
        tx.sessions.add(session(id="x-2", text="large", start=2000))
        tx.sessions.add(session(id="x-1", text="small", start=1000))
        tx.sessions.add(session(id="x-3", text="10 GB", start=3000, meter=Meter.DISK))
    with store.reading() as tx:
        seen = tx.systems.seen_of(["s-1", "s-2"])
    assert {each.system.id: each.instance_type.text for each in seen} == {"s-1": "large", "s-2": "removed"}


def test_who_reads_sees_one_state(store: Store) -> None:
    create(store)
    with store.reading() as tx:
        before = tx.systems.all()
        create(store, id="s-2", name="two")
        assert tx.systems.all() == before
    with store.reading() as tx:
        assert tx.systems.all() != before
