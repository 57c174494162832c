"""Wishes come true, one step after another, whatever is lost on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from puddle.server.clouds.base import StepFailed
from puddle.server.domain.facts import Power
from puddle.server.domain.people import Limits
from puddle.server.domain.records import Meter, SnapshotStatus
from puddle.server.domain.states import Config, Status
from puddle.server.faults import IN_TRANSACTION, Crash, Point, armed, crash_at
from puddle.server.reconcile.lanes import Lane, Lanes
from puddle.server.reconcile.loop import Loop
from puddle.server.store.systems import NEVER_AGAIN
from puddle.testing import ALWAYS, Delays, Fault, SimulatedProduct, When
from tests.puddle.reconcile.places import Place, kinds
from tests.puddle.records import user


def test_a_system_comes_up_is_stopped_started_and_removed(place: Place) -> None:
    one = place.started()
    assert place.at.cloud.contents().running == {one}
    place.at.api.wishes.stop(place.at.ann, one)
    place.turn(5)
    place.turn(5)
    assert place.system(one).status is Status.STOPPED
    place.at.api.wishes.start(place.at.ann, one)
    place.pass_by(10, 2)
    assert place.system(one).status is Status.STARTED
    place.at.api.wishes.terminate(place.at.ann, one)
    place.pass_by(10, 2)
    gone = place.system(one)
    assert (gone.status, gone.machine_id, gone.secret, gone.cu) == (Status.TERMINATED, "", "", 0)
    assert not place.at.cloud.contents().machines
    assert place.actions(of=one) == ["system.started", "system.stopped", "system.started", "system.terminated"]


def test_what_is_at_rest_for_good_is_never_due_again(place: Place) -> None:
    one = place.started()
    place.at.api.wishes.terminate(place.at.ann, one)
    place.pass_by(10, 2)
    with place.at.store.reading() as tx:
        assert tx.systems.next_due() == NEVER_AGAIN


def test_nobody_waits_for_a_time_that_a_wrong_clock_has_shown(place: Place) -> None:
    """The clock runs a day ahead and is put right again, while one loop has died with a system in hand."""
    one, two = place.started(idle_minutes=-1), place.started(name="two", idle_minutes=-1)
    day = 24 * 3600
    place.at.clock.turn(day)
    place.turn()
    dead = place.another_loop("dead")
    place.at.api.wishes.stop(place.at.ann, two)
    with pytest.raises(Crash), armed(crash_at(Point.LEASED)):
        place.turn(loop=dead)
    place.at.clock.turn(-day)
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(130)
    assert place.system(one).status is Status.STOPPED
    assert place.system(two).status is Status.STOPPED
    place.turn(60)
    with place.at.store.reading() as tx:
        assert tx.systems.next_due() <= place.now + 60


def test_a_quiet_look_writes_nothing(place: Place) -> None:
    one = place.started()
    place.turn(60)  # the first look notes what the product says of its use
    before = place.system(one).revision
    place.pass_by(600, 60)
    assert place.system(one).revision == before


def test_a_system_is_scaled_and_takes_its_new_price_with_the_next_session(place: Place) -> None:
    one = place.started()
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(10, 2)
    place.at.api.wishes.scale(place.at.ann, one, "t-2", 20)
    place.pass_by(10, 2)
    scaled = place.system(one)
    assert (scaled.status, scaled.instance_type_id, scaled.disk_gb) == (Status.STOPPED, "t-2", 20)
    place.at.api.wishes.start(place.at.ann, one)
    place.pass_by(10, 2)
    assert place.system(one).session_price_micros == 3_600_000


def test_a_system_is_made_from_a_snapshot_that_is_still_being_taken(place: Place) -> None:
    place.at.cloud.delays = Delays(snapshot=60)
    one = place.started()
    taken = place.at.api.wishes.snapshot(place.at.ann, one, "before")
    two = place.at.create(name="two", source_snapshot_id=taken.id).system.id
    place.turn(2)
    assert place.system(two).status is Status.INITIALIZING
    assert not place.system(two).machine_id
    place.pass_by(80, 5)
    assert place.snapshot(taken.id).status is SnapshotStatus.AVAILABLE
    assert (place.system(one).status, place.system(two).status) == (Status.STARTED, Status.STARTED)


def test_a_size_that_was_refused_is_in_use_no_more(place: Place) -> None:
    one = place.started()
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(20, 2)
    place.at.cloud.faults.plan(Fault(method="resize", reason="REFUSED", sentence="not here", for_ever=True))
    place.at.api.wishes.scale(place.at.ann, one, "t-2")
    place.pass_by(20, 2)
    now = place.system(one)
    assert (now.status, now.instance_type_id, now.detail) == (Status.STOPPED, "t-1", "not here")
    place.at.api.instance_types.delete(place.at.ada, "t-2")


def test_scaling_that_was_given_up_leads_nowhere_any_more(place: Place) -> None:
    one = place.started()
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(20, 2)
    place.at.cloud.faults.plan(Fault(method="resize", times=ALWAYS))
    place.at.api.wishes.scale(place.at.ann, one, "t-2", 20)
    place.at.api.wishes.fail(place.at.ada, one)
    place.pass_by(20, 2)
    now = place.system(one)
    assert (now.status, now.target_type_id, now.target_disk_gb) == (Status.FAILED, "", 0)


def test_a_failed_snapshot_leaves_its_system_as_it_was(place: Place) -> None:
    one = place.started()
    place.at.cloud.outside.break_snapshot()
    taken = place.at.api.wishes.snapshot(place.at.ann, one, "before")
    place.pass_by(10, 2)
    assert place.system(one).status is Status.STARTED
    assert place.snapshot(taken.id).status is SnapshotStatus.FAILED
    assert "snapshot.failed" in place.actions(of=taken.id)


def test_a_configuration_is_uploaded_and_counts_from_the_next_start(place: Place) -> None:
    one = place.started()
    place.at.api.wishes.update_config(place.at.ann, one, "a = 1")
    place.turn(2)
    place.turn(2)
    assert place.system(one).config_status is Config.UPLOADED
    place.at.api.wishes.restart(place.at.ann, one)
    place.pass_by(10, 2)
    assert (place.system(one).config, place.system(one).config_status) == ("a = 1", Config.OK)


def test_a_configuration_given_to_a_stopped_system_is_there_when_it_is_up(place: Place) -> None:
    one = place.started()
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(10, 2)
    place.at.api.wishes.update_config(place.at.ann, one, "a = 2")
    place.at.api.wishes.start(place.at.ann, one)
    place.pass_by(20, 2)
    up = place.system(one)
    assert (up.status, up.config, up.config_status) == (Status.STARTED, "a = 2", Config.OK)


def test_a_step_that_fails_now_is_tried_again_later_each_time_and_its_owner_knows_why(place: Place) -> None:
    place.at.cloud.outside.capacity("small", 0)
    one = place.at.create().system.id
    place.turn()
    waiting = place.system(one)
    assert (waiting.status, waiting.reason) == (Status.INITIALIZING, "CAPACITY")
    place.pass_by(300, 2)
    assert place.at.cloud.calls["create"] < 15, "later each time"
    place.at.cloud.outside.capacity("small", None)
    place.pass_by(100, 2)
    assert (place.system(one).status, place.system(one).reason) == (Status.STARTED, "")


def test_a_step_that_always_fails_ends_at_the_deadline(place: Place) -> None:
    place.at.cloud.outside.capacity("small", 0)
    one = place.at.create().system.id
    deadline = place.system(one).deadline
    place.turn()
    place.at.clock.now = deadline - 1
    place.turn()
    assert place.system(one).status is Status.INITIALIZING
    place.turn(1)
    place.turn(2)
    failed = place.system(one)
    assert (failed.status, failed.reason, failed.cu) == (Status.FAILED, "TIMEOUT", 0)
    assert kinds(place.alerts()) == ["failed"]


def test_a_step_that_can_never_be_done_gives_the_wish_up(place: Place) -> None:
    place.at.cloud.faults.plan(Fault(method="create", for_ever=True, reason="REFUSED", sentence="no such image"))
    one = place.at.create().system.id
    place.pass_by(10, 2)
    assert (place.system(one).status, place.system(one).reason) == (Status.FAILED, "REFUSED")
    assert place.system(one).detail == "no such image"


def test_a_mistake_in_a_driver_is_a_hitch_and_not_the_end_of_the_loop(place: Place, monkeypatch) -> None:
    def explode(_machine_id: str) -> None:
        raise ZeroDivisionError("secret things")

    one, two = place.started(idle_minutes=-1), place.started(name="two", idle_minutes=-1)
    monkeypatch.setattr(place.at.cloud, "stop", explode)
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(10, 2)
    assert (place.system(one).status, place.system(one).reason) == (Status.STOPPING, "INTERNAL")
    assert "secret" not in place.system(one).detail
    monkeypatch.undo()
    place.at.api.wishes.stop(place.at.ann, two)
    place.pass_by(60, 2)
    assert (place.system(one).status, place.system(two).status) == (Status.STOPPED, Status.STOPPED)


def test_a_mistake_in_a_look_is_not_an_answer(place: Place, monkeypatch) -> None:
    one = place.started()

    def explode(_system_id: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(place.at.cloud, "machine", explode)
    place.pass_by(300, 60)
    assert place.system(one).status is Status.STARTED


def test_a_removal_that_is_refused_for_ever_is_told_once_and_tried_on(place: Place) -> None:
    one = place.started()
    place.at.cloud.faults.plan(Fault(method="destroy", times=ALWAYS, for_ever=True, sentence="locked"))
    place.at.api.wishes.terminate(place.at.ann, one)
    place.pass_by(300, 5)
    assert place.system(one).status is Status.TERMINATING
    assert kinds(place.alerts()) == ["failed"]
    place.at.cloud.faults.clear()
    place.pass_by(100, 5)
    assert place.system(one).status is Status.TERMINATED


def test_a_wish_between_decision_and_write_is_not_overwritten(place: Place) -> None:
    one = place.at.create().system.id

    def wish(point: Point) -> None:
        if point is Point.LOOKED and place.system(one).status is Status.INITIALIZING:
            place.at.api.wishes.terminate(place.at.ann, one)

    with armed(wish):
        place.turn()
    place.pass_by(10, 2)
    assert place.system(one).status is Status.TERMINATED
    assert not place.at.cloud.contents().machines


def test_a_wish_while_the_machine_is_being_ordered_finds_the_machine(place: Place) -> None:
    one = place.at.create().system.id

    def wish(point: Point) -> None:
        if point is Point.MACHINE_ORDERED:
            place.at.api.wishes.terminate(place.at.ann, one)

    with armed(wish):
        place.loop.turn(place.now)
        assert place.system(one).machine_id or place.system(one).status is Status.TERMINATING
        place.pass_by(10, 2)
    assert place.system(one).status is Status.TERMINATED
    assert not place.at.cloud.contents().machines


def test_what_somebody_else_has_taken_over_is_left_to_them(place: Place) -> None:
    one = place.at.create().system.id
    other = place.another_loop("two")

    def stall(point: Point) -> None:
        if point is Point.DECIDED and place.now < 1_800_000_060:
            place.at.clock.turn(61)
            other.turn(place.now)

    with armed(stall):
        place.turn()
    place.pass_by(30, 2)
    assert place.system(one).status is Status.STARTED
    assert len(place.at.cloud.uptimes()) == 1, "one machine, whoever ordered it"
    assert len(place.sessions(Meter.VM)) == 1


def suspended(place: Place, meanwhile: Callable[[Loop], None]) -> None:
    """Turn a loop that is suspended once its step is decided, longer than its lease, while another goes on."""
    other, left = place.another_loop("two"), [meanwhile]

    def stall(point: Point) -> None:
        if point is Point.DECIDED and left:
            go_on = left.pop()
            place.at.clock.turn(61)
            go_on(other)

    with armed(stall):
        place.turn()


def test_a_step_that_was_decided_long_ago_is_not_taken_any_more(place: Place) -> None:
    """The machine was stopped and started again since, and is in use."""
    one = place.started()
    place.at.api.wishes.stop(place.at.ann, one)

    def meanwhile(other: Loop) -> None:
        for _ in range(5):
            place.turn(2, other)
        assert place.system(one).status is Status.STOPPED
        place.at.api.wishes.start(place.at.ann, one)
        for _ in range(5):
            place.turn(2, other)
        assert place.system(one).status is Status.STARTED

    suspended(place, meanwhile)
    assert place.at.cloud.calls["stop"] == 1
    assert place.at.cloud.contents().running == {one}
    place.pass_by(120)
    assert (place.system(one).status, place.system(one).reason) == (Status.STARTED, "")


def test_a_machine_is_not_made_for_what_was_terminated_meanwhile(place: Place) -> None:
    one = place.at.create().system.id

    def meanwhile(other: Loop) -> None:
        place.at.api.wishes.terminate(place.at.ann, one)
        place.turn(2, other)
        place.turn(2, other)
        assert place.system(one).status is Status.TERMINATED

    suspended(place, meanwhile)
    assert place.at.cloud.calls["create"] == 0
    assert not place.at.cloud.contents().machines


def test_a_step_towards_a_wish_that_was_replaced_is_not_taken(place: Place) -> None:
    one = place.started()
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(10, 2)
    place.at.api.wishes.start(place.at.ann, one)

    def wish(point: Point) -> None:
        if point is Point.DECIDED and place.system(one).status is Status.STARTING:
            place.at.api.wishes.fail(place.at.ada, one)

    with armed(wish):
        place.turn()
    assert place.at.cloud.calls["start"] == 0
    place.pass_by(10, 2)
    assert place.system(one).status is Status.FAILED


@pytest.mark.parametrize("ahead", [-240, 240])
def test_servers_whose_clocks_differ_by_minutes_make_one_machine_and_lose_no_wish(place: Place, ahead: int) -> None:
    """They take each other's leases for ended, or for longer than they are; nothing is done twice for it."""
    backend = replace(place.at.backend, clock=lambda: place.at.clock() + ahead)
    other = Loop(backend, "two", workers=0)

    def both(rounds: int) -> None:
        for _ in range(rounds):
            place.at.clock.turn(2)
            place.loop.turn(place.now)
            other.turn(backend.now())

    one = place.at.create().system.id
    both(160)
    assert place.system(one).status is Status.STARTED
    place.at.api.wishes.stop(place.at.ann, one)
    both(160)
    assert place.system(one).status is Status.STOPPED
    place.at.api.wishes.start(place.at.ann, one)
    both(160)
    assert place.system(one).status is Status.STARTED
    assert place.at.cloud.contents().machines == {one}
    assert len({uptime.start for uptime in place.at.cloud.uptimes()}) == 2
    assert len(place.sessions(Meter.VM)) == 2


STEPS = sorted(set(Point) - {Point.BUILD_BEGUN, Point.IMAGE_BUILT, Point.IMAGE_REMOVED, Point.SNAPSHOT_REMOVED,
                             Point.ORPHAN_REMOVED, Point.REPORTING, Point.BOOKING})  # fmt: skip


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("point", STEPS)
def test_a_process_that_ends_anywhere_leaves_work_that_another_finishes(place: Place, point: Point, nth: int) -> None:
    one = place.at.create().system.id
    crashed = False
    try:
        with armed(crash_at(point, nth)):
            place.pass_by(10, 2)
            place.at.api.wishes.stop(place.at.ann, one)
            place.pass_by(10, 2)
    except Crash:
        crashed = True
    assert crashed or (point in {Point.MACHINE_ORDERED, Point.MACHINE_SAVED} and nth > 1)
    place.loop = place.another_loop("two")
    place.pass_by(120, 5)
    if place.system(one).status is Status.STARTED:
        place.at.api.wishes.stop(place.at.ann, one)
        place.pass_by(20, 5)
    assert place.system(one).status is Status.STOPPED
    assert [each.end - each.start for each in place.sessions(Meter.VM)] == [
        uptime.end - uptime.start for uptime in place.at.cloud.uptimes() if uptime.end
    ]
    assert place.at.cloud.contents().machines == {one}


def test_an_answer_that_is_lost_makes_no_second_machine(place: Place) -> None:
    place.at.cloud.faults.plan(Fault(method="create", when=When.AFTER))
    one = place.at.create().system.id
    place.pass_by(20, 2)
    assert place.system(one).status is Status.STARTED
    assert len(place.at.cloud.uptimes()) == 1


def test_a_cloud_that_is_away_means_nothing_is_gone(place: Place) -> None:
    one = place.started()
    place.at.cloud.faults.cut_off()
    place.pass_by(3600, 60)
    assert place.system(one).status is Status.STARTED
    assert kinds(place.alerts()) == ["probe"]
    place.at.cloud.faults.clear()
    place.pass_by(120, 60)
    assert place.system(one).missed_probes == 0


def test_a_machine_that_may_still_run_when_its_system_has_failed_is_stopped_and_paid_for(place: Place) -> None:
    one = place.started()
    place.at.cloud.faults.cut_off()
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(4000, 100)
    assert place.system(one).status is Status.FAILED
    place.at.cloud.faults.clear()
    place.pass_by(200, 10)
    assert not place.at.cloud.contents().running
    (uptime,) = place.at.cloud.uptimes()
    (session,) = place.sessions(Meter.VM)
    assert (session.start, session.end) == (uptime.start, uptime.end)
    assert place.system(one).spent == 900_000 * (uptime.end - uptime.start)


def test_a_budget_that_is_used_up_stops_what_runs_on_it(place: Place) -> None:
    with place.at.store.writing() as tx:
        tx.users.put(user(limits=Limits(budget_micros=1_000_000)))
    one = place.started()
    place.pass_by(3600, 60)
    assert place.system(one).status is Status.STARTED, "0.90 of 1.00 is used"
    place.pass_by(600, 60)
    stopped = place.system(one)
    assert (stopped.status, stopped.reason) == (Status.STOPPED, "BUDGET")
    assert "system.budget_stop" in place.actions(of=one)
    assert stopped.spent < 1_000_000 * 3600 + 900_000 * 61


def test_the_budget_of_a_group_counts_what_all_of_it_spend(place: Place) -> None:
    from puddle.server.domain.people import Group

    with place.at.store.writing() as tx:
        tx.groups.add(Group(name="team", limits=Limits(budget_micros=1_000_000)))
    mine = place.started()
    theirs = place.at.create(place.at.ben).system.id
    place.pass_by(2400, 60)
    assert {place.system(mine).reason, place.system(theirs).reason} == {"BUDGET"}


def test_a_password_that_cannot_be_read_does_not_stop_the_system(place: Place) -> None:
    one = place.started()
    place.at.stand(one, secret="v1.gone.AAAA")  # noqa: S106 -- nobody's
    place.pass_by(300, 60)
    assert place.system(one).status is Status.STARTED
    assert kinds(place.alerts()) == ["probe"]


def test_a_product_that_hangs_does_not_hold_the_others(place: Place) -> None:
    """In threads: one product never answers; another system comes up meanwhile."""
    stuck, let_go, look = threading.Event(), threading.Event(), SimulatedProduct.look
    hanging = place.at.create().system.id

    class Stubborn(SimulatedProduct):
        def look(self, endpoint, username, password):
            if endpoint.shell.system_id == hanging:
                stuck.set()
                let_go.wait()
            return look(self, endpoint, username, password)

    product = Stubborn(place.at.cloud.world, place.at.clock)
    backend = replace(place.at.backend, products={"simulated": product})
    loop = Loop(backend, "threads", lanes=Lanes(2, limits={Lane.PRODUCT: 0.2}))
    try:
        other = place.at.create(name="two").system.id
        give_up = time.monotonic() + 120
        while not (stuck.is_set() and place.system(other).status is Status.STARTED):
            assert time.monotonic() < give_up
            place.at.clock.turn(1)
            loop.turn(place.now)
        assert place.system(hanging).status is Status.INITIALIZING
    finally:
        let_go.set()
        loop.close()


def test_a_loop_that_runs_sees_a_wish_at_once_and_stops_when_told(place: Place) -> None:
    loop, stop = Loop(place.at.backend, "running", workers=2), threading.Event()
    thread = threading.Thread(target=loop.run, args=(stop,))
    thread.start()
    try:
        one = place.at.create().system.id
        loop.wake()
        give_up = time.monotonic() + 120
        while place.system(one).status is not Status.STARTED:
            assert time.monotonic() < give_up
            place.at.clock.turn(1)
            loop.wake()
            stop.wait(0.01)
    finally:
        stop.set()
        loop.wake()
        thread.join(120)
    assert not thread.is_alive()


def test_a_loop_that_ends_gives_its_leases_back(place: Place) -> None:
    one = place.at.create().system.id
    with pytest.raises(Crash), armed(crash_at(Point.LEASED)):
        place.turn()
    place.loop.close()
    assert place.another_loop("two").turn(place.now) == 0, "a crash gives nothing back"
    place.turn(61, place.another_loop("three"))
    assert place.system(one).machine_id


def test_leases_beat_while_the_work_lasts(place: Place) -> None:
    """In threads: a cloud takes longer than a lease; nobody else takes the system over."""
    asked, let_go = threading.Event(), threading.Event()
    one = place.at.create().system.id
    create = place.at.cloud.create

    def slowly(order):
        asked.set()
        let_go.wait()
        return create(order)

    place.at.cloud.create = slowly  # type: ignore[method-assign]  # of this test's object alone
    loop, other = Loop(place.at.backend, "slow", workers=1), place.another_loop("two")
    try:
        while not asked.is_set():
            loop.turn(place.now)
        for _ in range(10):
            place.at.clock.turn(20)
            loop.turn(place.now)
            assert other.turn(place.now) == 0
    finally:
        let_go.set()
        loop.close()
    assert place.at.cloud.machine(one).power is Power.RUNNING


def test_a_record_that_cannot_be_written_holds_up_no_other(place: Place, monkeypatch) -> None:
    from puddle.server.store.systems import Systems

    one, two = place.at.create().system.id, place.at.create(name="two").system.id
    decide = Systems.decide

    def picky(self, claim, system, **more):
        if system.id == one:
            raise ValueError("not this one")
        return decide(self, claim, system, **more)

    monkeypatch.setattr(Systems, "decide", picky)
    for _ in range(10):
        place.at.clock.turn(2)
        for _ in range(3):
            place.loop.turn(place.now)
    assert place.system(two).status is Status.STARTED
    monkeypatch.undo()
    place.pass_by(90, 5)
    assert place.system(one).status is Status.STARTED, "it is looked at again when its lease has ended"


def test_points_within_a_transaction_are_told_apart() -> None:
    assert {Point.DECIDING, Point.ENDING} <= IN_TRANSACTION
    assert StepFailed("A", "b").for_ever is False
