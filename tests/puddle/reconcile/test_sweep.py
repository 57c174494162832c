"""What is ours by tag but belongs to nothing is removed, after a while; what is lost is told."""

from __future__ import annotations

import pytest

from puddle.server.clouds.base import Order, Shape
from puddle.server.domain.records import Meter, SnapshotStatus
from puddle.server.domain.states import Status
from puddle.server.reconcile.chores import SWEEP_EVERY_S
from puddle.testing import Delays, Fault
from tests.puddle.reconcile.places import Place, kinds


def orphan(place: Place, system_id: str = "sys-unknown") -> None:
    shape = Shape(cloud_type="small", vcpus=1, memory_gb=1, disk_gb=1)
    place.at.cloud.create(
        Order(system_id=system_id, name="x", cloud_image_id="image-i-1", shape=shape, ports={}, token=f"{system_id}.1")
    )


def swept(place: Place) -> None:
    place.turn(SWEEP_EVERY_S)


def test_a_machine_nobody_knows_is_removed_when_it_was_seen_twice(place: Place) -> None:
    orphan(place)
    swept(place)
    assert place.at.cloud.contents().machines == {"sys-unknown"}
    swept(place)
    assert not place.at.cloud.contents().machines
    assert kinds(place.alerts()) == ["orphan"]
    assert place.actions(of="sys-unknown") == ["machine.orphan_removed"]


def test_a_machine_that_came_after_its_system_was_terminated_is_removed(place: Place) -> None:
    one = place.started()
    place.at.api.wishes.terminate(place.at.ann, one)
    place.pass_by(10, 2)
    orphan(place, one)
    swept(place)
    swept(place)
    assert not place.at.cloud.contents().machines


def test_a_machine_whose_system_is_there_is_never_touched(place: Place) -> None:
    one = place.started()
    for _ in range(4):
        swept(place)
    assert place.at.cloud.contents().running == {one}
    assert place.at.cloud.calls["destroy"] == 0


def test_a_machine_that_goes_slowly_is_told_of_once(place: Place) -> None:
    place.at.cloud.delays = Delays(destroy=10 * SWEEP_EVERY_S)
    orphan(place)
    for _ in range(6):
        swept(place)
    assert kinds(place.alerts()) == ["orphan"]


def test_a_removal_that_fails_is_tried_again(place: Place) -> None:
    place.at.cloud.faults.plan(Fault(method="destroy"))
    orphan(place)
    for _ in range(3):
        swept(place)
    assert not place.at.cloud.contents().machines
    assert kinds(place.alerts()) == ["orphan"]


def test_a_cloud_that_is_away_is_swept_later(place: Place) -> None:
    orphan(place)
    place.at.cloud.faults.plan(Fault(method="machines"))
    for _ in range(3):
        swept(place)
    assert not place.at.cloud.contents().machines


def test_a_snapshot_nobody_knows_is_removed_and_a_known_one_stays(place: Place) -> None:
    one = place.started()
    kept = place.at.api.wishes.snapshot(place.at.ann, one, "kept")
    place.at.cloud.take_snapshot(one, "snap-unknown")
    place.pass_by(10, 2)
    swept(place)
    swept(place)
    assert place.at.cloud.contents().snapshots == {kept.id}


def test_a_copy_that_was_done_after_its_system_had_failed_is_removed(place: Place) -> None:
    place.at.cloud.delays = Delays(snapshot=600)
    one = place.started()
    taken = place.at.api.wishes.snapshot(place.at.ann, one, "late")
    place.turn(2)
    place.at.api.wishes.fail(place.at.ada, one)
    place.pass_by(10, 2)
    assert place.snapshot(taken.id).status is SnapshotStatus.FAILED
    swept(place)
    swept(place)
    assert not place.at.cloud.contents().snapshots


@pytest.mark.parametrize("each", ["a restart", "another server"])
def test_what_one_process_has_seen_another_goes_on_from(place: Place, each: str) -> None:
    """No loop lives long enough to sweep twice."""
    orphan(place)
    swept(place)
    assert place.at.cloud.contents().machines == {"sys-unknown"}
    place.loop = place.another_loop(each)
    swept(place)
    assert not place.at.cloud.contents().machines
    place.loop = place.another_loop("a third")
    swept(place)
    assert kinds(place.alerts()) == ["orphan"]


def test_servers_that_sweep_one_after_the_other_do_not_shorten_the_time(place: Place) -> None:
    orphan(place)
    for number in range(5):
        place.turn(SWEEP_EVERY_S // 6, place.another_loop(f"server-{number}"))
    assert place.at.cloud.contents().machines == {"sys-unknown"}


def test_what_is_not_odd_any_more_is_forgotten(place: Place) -> None:
    orphan(place)
    swept(place)
    place.at.cloud.outside.hide("sys-unknown")
    swept(place)
    place.at.cloud.outside.show()
    swept(place)
    assert place.at.cloud.contents().machines == {"sys-unknown"}, "seen once, since it was gone in between"
    swept(place)
    assert not place.at.cloud.contents().machines


def test_a_clock_that_is_put_back_does_not_keep_an_orphan_for_ever(place: Place) -> None:
    place.at.clock.turn(24 * 3600)
    orphan(place)
    place.turn()
    place.at.clock.turn(-24 * 3600)
    for _ in range(2):
        swept(place)
    assert not place.at.cloud.contents().machines


def test_a_quiet_sweep_writes_nothing(place: Place) -> None:
    place.started(idle_minutes=-1)
    swept(place)
    with place.at.store.reading() as tx:
        assert tx.oddities.all() == []


def test_a_list_that_is_short_of_half_loses_nothing(place: Place) -> None:
    """Machines and snapshots are not listed in two sweeps; the cloud still finds the snapshots by their ids."""
    one, two = place.started(idle_minutes=-1), place.started(name="two", idle_minutes=-1)
    kept = place.at.api.wishes.snapshot(place.at.ann, one, "kept")
    place.pass_by(10, 2)
    listed = place.at.cloud.machines, place.at.cloud.snapshots
    place.at.cloud.machines = lambda: listed[0]()[1:]  # type: ignore[method-assign]  # of this test's object alone
    place.at.cloud.snapshots = lambda: listed[1]()[1:]  # type: ignore[method-assign]  # of this test's object alone
    for _ in range(3):
        swept(place)
    assert place.snapshot(kept.id).status is SnapshotStatus.AVAILABLE
    assert (place.system(one).status, place.system(two).status) == (Status.STARTED, Status.STARTED)
    assert place.alerts() == []


def test_a_snapshot_that_was_lost_and_turns_up_again_is_its_owners_again(place: Place) -> None:
    """It is not taken for what nobody knows, and costs nothing while it was not there."""
    one = place.started(idle_minutes=-1)
    taken = place.at.api.wishes.snapshot(place.at.ann, one, "mine")
    place.pass_by(10, 2)
    place.at.cloud.outside.hide(taken.id)
    for _ in range(4):
        swept(place)
    assert place.snapshot(taken.id).status is SnapshotStatus.FAILED
    place.at.cloud.outside.show()
    for _ in range(4):
        swept(place)
    assert place.at.cloud.contents().snapshots == {taken.id}
    found = place.snapshot(taken.id)
    assert (found.status, found.failure, found.lost) == (SnapshotStatus.AVAILABLE, "", 0)
    assert [bool(each.end) for each in place.sessions(Meter.SNAPSHOT)] == [True, False]
    assert place.actions(of=taken.id) == ["snapshot.available", "snapshot.lost", "snapshot.found"]


def test_a_snapshot_its_cloud_has_lost_is_told_of_and_costs_no_more(place: Place) -> None:
    one = place.started()
    taken = place.at.api.wishes.snapshot(place.at.ann, one, "lost")
    place.pass_by(10, 2)
    place.at.cloud.outside.lose_snapshot(taken.id)
    swept(place)
    assert place.snapshot(taken.id).status is SnapshotStatus.AVAILABLE, "seen once"
    swept(place)
    assert place.snapshot(taken.id).status is SnapshotStatus.FAILED
    assert all(each.end for each in place.sessions(Meter.SNAPSHOT))
    assert kinds(place.alerts()) == ["drift"]


def test_the_machine_of_a_failed_system_that_runs_again_is_stopped(place: Place) -> None:
    one = place.started()
    place.at.api.wishes.stop(place.at.ann, one)
    place.turn()
    place.at.api.wishes.fail(place.at.ada, one)
    place.pass_by(10, 2)
    assert place.system(one).status is Status.FAILED
    place.at.cloud.outside.start(one)
    swept(place)
    place.pass_by(20, 2)
    assert not place.at.cloud.contents().running
    assert place.system(one).status is Status.FAILED
    up = sum((it.end or 0) - it.start for it in place.at.cloud.uptimes())
    assert place.system(one).spent == 900_000 * up
