"""Idle systems are stopped in time, working ones are not, and unknown means in use."""

from __future__ import annotations

import pytest

from puddle.server.domain.states import Status
from tests.puddle.reconcile.places import Place, kinds


def idle(place: Place, **given: object) -> str:
    return place.started(idle_minutes=30, **given)


def until_stopping(place: Place, system_id: str, most: int, step: int = 1) -> int | None:
    """Return when the system was first seen not to be started."""
    end = place.now + most
    while place.now < end:
        place.turn(step)
        if place.system(system_id).status is not Status.STARTED:
            return place.now
    return None


@pytest.mark.parametrize("step", [1, 7, 60])
def test_a_user_idle_for_the_interval_is_stopped_within_a_minute_of_the_deadline(place: Place, step: int) -> None:
    one = idle(place)
    deadline = place.system(one).idle_deadline()
    assert until_stopping(place, one, deadline - place.now - 100, 60) is None
    stopping = until_stopping(place, one, 300, step)
    assert stopping is not None
    assert 0 <= stopping - deadline <= 60
    place.pass_by(10, 2)
    stopped = place.system(one)
    assert (stopped.status, stopped.reason) == (Status.STOPPED, "IDLE")
    assert "system.idle_stop" in place.actions(of=one)
    assert kinds(place.alerts()) == ["idle_warning"]
    assert place.alerts()[0].owner_id == "u-1"


def test_somebody_who_uses_it_moves_the_deadline(place: Place) -> None:
    one = idle(place)
    place.pass_by(1500, 60)
    place.at.product.used(one)
    used = place.now
    stopping = until_stopping(place, one, 4000, 30)
    assert stopping is not None
    assert used + 1800 <= stopping <= used + 1860


def test_one_that_trains_is_not_stopped_until_it_is_done(place: Place) -> None:
    one = idle(place)
    place.at.product.play(one, busy=True)
    assert until_stopping(place, one, 2 * 3600, 60) is None
    place.at.product.play(one, busy=False)
    done = place.now
    stopping = until_stopping(place, one, 4000, 30)
    assert stopping is not None
    assert stopping >= done + 1800 - 60


def test_one_that_cannot_be_asked_is_not_stopped_and_people_are_told(place: Place) -> None:
    one = idle(place)
    place.at.product.play(one, hidden=True)
    assert until_stopping(place, one, 2 * 3600, 60) is None
    assert kinds(place.alerts()) == ["probe"]
    assert "could not be asked" in place.alerts()[0].message


def test_one_whose_program_has_ended_is_not_in_use_and_people_are_told_once(place: Place) -> None:
    one = idle(place)
    place.pass_by(600, 60)
    used = place.system(one).last_activity
    place.at.cloud.outside.crash(one)
    place.turn(60)
    ended = place.system(one)
    assert (ended.status, ended.reason, ended.last_activity) == (Status.STARTED, "PRODUCT_ENDED", used)
    stopping = until_stopping(place, one, 4000, 30)
    assert stopping is not None
    assert used + 1800 <= stopping <= used + 1860
    assert kinds(place.alerts()) == ["ended", "idle_warning"]
    assert "has ended" in place.alerts()[0].message


def test_one_whose_program_has_come_back_is_as_before(place: Place) -> None:
    one = idle(place)
    place.at.cloud.outside.crash(one)
    place.turn(60)
    place.at.api.wishes.restart(place.at.ann, one)
    place.pass_by(20, 2)
    back = place.system(one)
    assert (back.status, back.reason, back.detail) == (Status.STARTED, "", "")
    place.at.product.used(one)
    used = place.now
    stopping = until_stopping(place, one, 4000, 30)
    assert stopping is not None
    assert used + 1800 <= stopping


def test_an_extension_keeps_it_up_and_never_means_never(place: Place) -> None:
    one = idle(place)
    place.at.api.wishes.extend_idle(place.at.ann, one, 120)
    until = place.now + 120 * 60
    stopping = until_stopping(place, one, 4 * 3600, 60)
    assert stopping is not None
    assert until <= stopping <= until + 60
    two = place.started(name="two", idle_minutes=-1)
    assert until_stopping(place, two, 24 * 3600, 600) is None


def test_a_shorter_interval_counts_at_once(place: Place) -> None:
    one = place.started(idle_minutes=240)
    place.pass_by(2400, 60)
    place.at.api.wishes.change_idle(place.at.ann, one, 30)
    assert until_stopping(place, one, 60, 1) is not None


def test_of_one_that_is_never_stopped_people_are_told_once_that_nobody_uses_it(place: Place) -> None:
    one = place.started(idle_minutes=-1)
    place.pass_by(23 * 3600, 600)
    assert place.alerts() == []
    place.pass_by(3 * 24 * 3600, 600)
    assert kinds(place.alerts()) == ["unused"]
    assert "nobody has used it for 24 hours" in place.alerts()[0].message
    place.at.product.used(one)
    place.pass_by(25 * 3600, 600)
    assert kinds(place.alerts()) == ["unused", "unused"]
    assert place.system(one).status is Status.STARTED
