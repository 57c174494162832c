"""Every second of machine, disk, snapshot and build is in the ledger once, at the price it had when it began."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from puddle.client.proto.v2 import system_service_pb2 as pb
from puddle.server.domain.facts import Machine
from puddle.server.domain.records import Meter
from puddle.server.domain.states import Status
from puddle.server.faults import Crash, Point, armed, crash_at
from puddle.server.reconcile.loop import Loop
from puddle.server.store import Store
from puddle.server.transports.messages import money
from puddle.server.transports.messages.system_message import system as message_of
from puddle.testing import Delays
from tests.puddle.reconcile.places import Place, kinds, ruled
from tests.puddle.records import instance_type


def stopped(place: Place, system_id: str) -> None:
    place.at.api.wishes.stop(place.at.ann, system_id)
    place.pass_by(20, 2)
    assert place.system(system_id).status is Status.STOPPED


def booked(place: Place, meter: Meter, system_id: str) -> int:
    with place.at.store.reading() as tx:
        return tx.ledger.total(system_id, meter)


def test_a_machine_costs_from_when_it_was_up_until_it_was_down(place: Place) -> None:
    place.at.cloud.delays = Delays(create=7, stop=9)
    one = place.started()
    place.pass_by(100, 10)
    stopped(place, one)
    (uptime,) = place.at.cloud.uptimes()
    (session,) = place.sessions(Meter.VM)
    assert (session.start, session.end) == (uptime.start, uptime.end)
    assert place.system(one).spent == booked(place, Meter.VM, one) == 900_000 * (uptime.end - uptime.start)


def test_a_price_that_changes_counts_from_the_next_session(place: Place) -> None:
    one = place.started()
    with place.at.store.writing() as tx:
        tx.instance_types.put(instance_type(price_micros=5_000_000))
    stopped(place, one)
    assert [each.price_micros for each in place.sessions(Meter.VM)] == [900_000]
    place.at.api.wishes.start(place.at.ann, one)
    place.pass_by(10, 2)
    assert sorted(each.price_micros for each in place.sessions(Meter.VM)) == [900_000, 5_000_000]


def test_a_disk_costs_while_its_machine_is_down_and_until_it_is_gone(place: Place) -> None:
    one = place.started()
    assert all(each.end for each in place.sessions(Meter.DISK)), "it runs: the machine's price has the disk in it"
    stopped(place, one)
    begun = place.sessions(Meter.VM)[0].end
    place.pass_by(1000, 100)
    place.at.api.wishes.terminate(place.at.ann, one)
    place.pass_by(10, 2)
    (session,) = [each for each in place.sessions(Meter.DISK) if each.end > each.start]
    assert (session.start, session.price_micros) == (begun, 10 * 100)
    assert session.end - session.start >= 1000
    assert booked(place, Meter.DISK, one) == 1000 * (session.end - session.start)


def test_a_disk_that_grows_costs_more_from_then_on(place: Place) -> None:
    one = place.started()
    stopped(place, one)
    place.at.api.wishes.scale(place.at.ann, one, disk_gb=30)
    place.pass_by(10, 2)
    last = [each for each in place.sessions(Meter.DISK) if not each.end]
    assert [each.price_micros for each in last] == [30 * 100]


def test_a_disk_that_disappears_costs_no_more(place: Place) -> None:
    one = place.started()
    stopped(place, one)
    place.pass_by(100, 10)
    place.at.cloud.outside.vanish(one)
    place.pass_by(120, 10)
    assert place.system(one).reason == "VM_LOST"
    assert all(each.end for each in place.sessions(Meter.DISK))
    assert "system.lost" in place.actions(of=one)


def test_what_costs_nothing_is_not_metered(memory: Store) -> None:
    place = ruled(memory, prices={})
    stopped(place, place.started())
    assert place.sessions(Meter.DISK) == []


def test_a_snapshot_costs_from_when_it_is_there_until_it_is_removed(place: Place) -> None:
    one = place.started()
    taken = place.at.api.wishes.snapshot(place.at.ann, one, "s")
    place.pass_by(10, 2)
    place.pass_by(1000, 100)
    place.at.api.snapshots.delete(place.at.ann, taken.id)
    place.pass_by(10, 2)
    (session,) = place.sessions(Meter.SNAPSHOT)
    assert session.end - session.start >= 1000
    assert booked(place, Meter.SNAPSHOT, one) == 10 * 50 * (session.end - session.start)


def test_what_runs_for_long_is_booked_every_hour(place: Place) -> None:
    one = place.started()
    place.pass_by(3 * 3600 + 700, 60)
    entries = [each for each in place.ledger() if each.meter is Meter.VM]
    assert len(entries) == 3
    session = place.sessions(Meter.VM)[0]
    assert booked(place, Meter.VM, one) == 900_000 * (session.booked - session.start)
    stopped(place, one)
    assert place.system(one).spent == booked(place, Meter.VM, one)


def test_a_machine_that_cannot_be_seen_is_not_booked_and_its_end_is_not_missed(place: Place) -> None:
    """It stopped while nobody could look: the ledger has not a second too many."""
    one = place.started()
    place.at.cloud.faults.cut_off()
    place.at.clock.turn(100)
    place.at.cloud.outside.stop(one)
    place.pass_by(2 * 3600, 60)
    place.at.cloud.faults.clear()
    place.pass_by(120, 60)
    (uptime,) = place.at.cloud.uptimes()
    assert place.system(one).status is Status.STOPPED
    assert place.system(one).spent == booked(place, Meter.VM, one) == 900_000 * (uptime.end - uptime.start)


def test_what_is_booked_stays_booked_and_the_record_follows_the_ledger(place: Place) -> None:
    """The cloud's clock is behind: it says that a machine stopped before it was last seen running."""
    one = place.started()
    place.pass_by(3700, 60)
    session = place.sessions(Meter.VM)[0]
    assert session.booked > session.start
    machine = place.at.cloud.machine
    place.at.cloud.machine = lambda it: replace(machine(it), since=session.start + 5)  # type: ignore[method-assign]  # of this test's object alone
    place.at.api.wishes.stop(place.at.ann, one)
    place.pass_by(20, 2)
    assert place.sessions(Meter.VM)[0].end == session.booked
    assert place.system(one).spent == booked(place, Meter.VM, one)


def test_a_machine_is_booked_up_to_when_it_was_asked_for_and_not_to_when_the_answer_came(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.started()
    place.loop.close()
    loop, answered, cloud = Loop(place.at.backend, "two", workers=1), threading.Event(), place.at.cloud
    ask = cloud.machine

    def slowly(system_id: str) -> Machine:
        seen = ask(system_id)
        answered.wait()
        return seen

    monkeypatch.setattr(cloud, "machine", slowly)
    place.at.clock.turn(3700)
    asked = place.now
    loop.turn(asked)
    place.at.clock.turn(100)
    answered.set()
    while not any(session.booked > session.start for session in place.sessions(Meter.VM)):
        loop.turn(place.now)
    loop.close()
    assert [session.booked for session in place.sessions(Meter.VM)] == [asked]


def test_disks_and_snapshots_are_booked_too(place: Place) -> None:
    one = place.started()
    place.at.api.wishes.snapshot(place.at.ann, one, "s")
    place.pass_by(10, 2)
    stopped(place, one)
    place.pass_by(4000, 60)
    assert booked(place, Meter.DISK, one) > 0
    assert booked(place, Meter.SNAPSHOT, one) > 0


def test_a_decision_and_what_follows_from_it_are_written_together_or_not_at_all(place: Place) -> None:
    one = place.at.create().system.id
    for nth in range(1, 4):
        try:
            with armed(crash_at(Point.DECIDING, nth)):
                place.pass_by(10, 2)
        except Crash:
            place.loop = place.another_loop(f"after-{nth}")
        open_ones = [each.id for each in place.sessions(Meter.VM) if not each.end]
        assert open_ones == ([place.system(one).session_id] if place.system(one).session_id else [])
        place.at.clock.turn(61)
    place.pass_by(120, 5)
    assert place.system(one).status is Status.STARTED


def test_a_machine_stopped_and_started_by_others_within_a_second_has_two_sessions(place: Place) -> None:
    one = place.started()
    place.at.cloud.outside.stop(one)
    place.turn(60)
    place.at.cloud.outside.start(one)
    place.pass_by(120, 10)
    assert place.system(one).status is Status.STARTED
    sessions = place.sessions(Meter.VM)
    assert len(sessions) == 2
    uptimes = sorted((it.start, it.end or 0) for it in place.at.cloud.uptimes())
    assert sorted((it.start, it.end) for it in sessions) == uptimes
    assert kinds(place.alerts()) == ["drift", "drift"]
    assert place.actions(of=one).count("system.drift") == 2


def test_a_machine_that_others_stopped_costs_until_then_though_it_is_terminated_before_anybody_looks(
    place: Place,
) -> None:
    one = place.started()
    place.at.clock.turn(30)
    place.at.cloud.outside.stop(one)
    place.at.clock.turn(20)
    place.at.api.wishes.terminate(place.at.ann, one)
    place.pass_by(20, 2)
    (uptime,) = place.at.cloud.uptimes()
    assert place.system(one).status is Status.TERMINATED
    assert place.system(one).spent == 900_000 * (uptime.end - uptime.start)


@pytest.mark.parametrize("wish", ["reboot", "restart"])
def test_a_machine_that_others_stopped_before_its_restart_costs_from_when_it_is_up_again(
    place: Place, wish: str
) -> None:
    place.at.cloud.delays = Delays.of(5)
    one = place.started()
    place.at.cloud.outside.stop(one)
    getattr(place.at.api.wishes, wish)(place.at.ann, one)
    place.pass_by(60, 2)
    stopped(place, one)
    ups = sum((it.end or 0) - it.start for it in place.at.cloud.uptimes())
    assert len(place.at.cloud.uptimes()) == 2
    assert place.system(one).spent == 900_000 * ups


def test_the_trail_says_what_puddle_did_by_itself_and_shows_no_secret(place: Place) -> None:
    one = place.started()
    secret = place.system(one).secret
    stopped(place, one)
    told = [event for event in place.events(of=one) if event.actor_kind == "puddle"]
    assert [event.action for event in told] == ["system.started", "system.stopped"]
    assert told[0].before == '{"status": "INITIALIZING"}'
    assert told[0].after == '{"status": "STARTED"}'
    assert secret
    assert all(secret not in f"{event.before}{event.after}{event.message}" for event in told)


def test_its_owner_sees_what_the_disk_of_a_stopped_system_costs_and_has_cost(place: Place) -> None:
    one = place.started(disk_gb=40)
    before = seen(place, one).disk_cost_decimal
    stopped(place, one)
    down = place.sessions(Meter.VM)[-1].end
    place.turn(3600)
    resting = seen(place, one)
    assert Decimal(resting.disk_cost_decimal) - Decimal(before) == Decimal(money.exact(4000 * (place.now - down)))
    assert resting.forecast_cost_per_day == pytest.approx(24 * 4000 / 1_000_000)
    place.at.api.wishes.start(place.at.ann, one)
    place.pass_by(20, 2)
    running = seen(place, one)
    assert Decimal(running.disk_cost_decimal) == Decimal(money.exact(booked(place, Meter.DISK, one)))
    assert running.forecast_cost_per_day == pytest.approx(24 * running.price_per_hour)


def seen(place: Place, system_id: str) -> pb.System:
    """A system as its owner is told of it."""
    return message_of(place.at.api.systems.get(place.at.ann, system_id))
