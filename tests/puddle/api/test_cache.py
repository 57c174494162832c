"""What is kept of systems between calls is never shown when it is not true any more, nor to whom it is not for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from puddle.server.api import cache
from puddle.server.domain.records import Snapshot
from puddle.server.domain.states import Status
from puddle.server.store.stamps import Wanted
from tests.puddle.installations import SMALL, Installation, there

__all__ = ["there"]


def test_what_was_seen_is_seen_again_while_nothing_changes(there: Installation) -> None:
    made = there.create().system
    first = there.api.systems.get(there.ann, made.id)
    assert there.api.systems.get(there.ann, made.id).seen is first.seen
    (listed,) = there.api.systems.page(there.ada, Wanted())
    assert listed.seen is first.seen


def test_a_change_is_seen_at_once(there: Installation) -> None:
    made = there.create().system
    there.api.systems.get(there.ann, made.id)
    there.stand(made.id, status=Status.STARTED, detail="up")
    assert there.api.systems.get(there.ann, made.id).system.detail == "up"
    with there.store.writing() as tx:
        tx.instance_types.put(replace(SMALL, text="renamed"))
    assert there.api.systems.get(there.ann, made.id).instance_type.text == "renamed"


def test_time_passes_for_what_is_kept(there: Installation) -> None:
    made = there.create().system
    now = there.backend.now()
    there.stand(
        made.id, status=Status.STARTED, session_id="x", session_started=now, session_price_micros=7, started=now
    )
    assert there.api.systems.get(there.ann, made.id).current_cost == 0
    there.clock.turn(10)
    assert there.api.systems.get(there.ann, made.id).current_cost == 70
    there.clock.turn(90)
    assert "1 min" in " ".join(there.api.systems.get(there.ann, made.id).why)


def test_each_sees_what_is_theirs_of_the_same_system(there: Installation) -> None:
    made = there.create().system
    for _ in range(2):
        assert len(there.api.systems.get(there.ann, made.id).password) == 24
        assert there.api.systems.get(there.ada, made.id).password == ""
        assert there.api.systems.get(there.ada, made.id).can_fail
        assert not there.api.systems.get(there.ann, made.id).can_fail


def test_snapshots_are_read_each_time(there: Installation) -> None:
    made = there.create().system
    assert there.api.systems.get(there.ann, made.id).snapshots == ()
    snapshot = Snapshot(
        id="snap", name="s", description="", system_id=made.id, owner_id="u-1", cloud="c", product="p", version="1",
        image_id="i", disk_gb=1, created=1, updated=1,
    )  # fmt: skip
    with there.store.writing() as tx:
        tx.snapshots.add(snapshot)
    assert there.api.systems.get(there.ann, made.id).snapshots == (snapshot,)
    with there.store.writing() as tx:
        tx.snapshots.put(replace(snapshot, name="t"))
    assert there.api.systems.get(there.ann, made.id).snapshots[0].name == "t"


def test_so_much_is_kept(there: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_ENTRIES", 2)
    made = [there.create(name=f"n{number}").system for number in range(4)]
    for system in [*made, *made]:
        assert there.api.systems.get(there.ann, system.id).system.id == system.id
        assert len(there.api.systems._cache._entries) <= 2
    assert len(there.api.systems.page(there.ann, Wanted())) == 4
