"""Images are built once, by one builder, within their time, and removed when nobody wants them any more."""

from __future__ import annotations

import threading

import pytest

from puddle.server.clouds.base import StepFailed
from puddle.server.domain.catalog import Image, ImageStatus
from puddle.server.domain.records import Meter
from puddle.server.faults import Crash, Point, armed, crash_at
from puddle.server.reconcile.builds import Builds
from puddle.testing import Fault, When
from tests.puddle.reconcile.places import Place


def build(place: Place, version: str = "2.0") -> str:
    return place.at.api.images.build(place.at.ada, "simulated", "simulated", version).id


def image(place: Place, image_id: str) -> Image:
    with place.at.store.reading() as tx:
        found = tx.images.get(image_id)
    assert found is not None
    return found


def test_an_image_is_built_and_systems_can_be_made_from_it(place: Place) -> None:
    built = build(place)
    place.turn(2)
    there = image(place, built)
    assert there.status is ImageStatus.AVAILABLE
    assert there.cloud_image_id
    assert there.checksum
    assert place.started(image_id=built)
    assert place.actions(of=built) == ["image.available"]


def test_a_build_that_fails_says_why_and_can_be_asked_for_again(place: Place) -> None:
    place.at.cloud.faults.plan(Fault(method="build_image", sentence="there is no room", for_ever=True))
    built = build(place)
    place.turn(2)
    assert (image(place, built).status, image(place, built).detail) == (ImageStatus.FAILED, "there is no room")
    assert place.at.api.images.log(built) == "there is no room\n", "whoever reads the log reads it, too"
    place.turn(10)
    place.at.api.images.rebuild(place.at.ada, built)
    place.turn(2)
    assert image(place, built).status is ImageStatus.AVAILABLE
    assert place.actions(of=built) == ["image.failed", "image.available"]


def test_a_mistake_in_a_recipe_fails_the_image_without_showing_it_to_users(place: Place, monkeypatch) -> None:
    def explode(_version: str, _folder: str, _log: str) -> str:
        raise ZeroDivisionError("inner things")

    monkeypatch.setattr(place.at.product.recipe, "build", explode)
    built = build(place)
    place.turn(2)
    assert image(place, built).status is ImageStatus.FAILED
    assert "inner" not in image(place, built).detail


@pytest.mark.parametrize("point", [Point.BUILD_BEGUN, Point.IMAGE_BUILT])
def test_a_build_whose_server_ended_is_taken_over(place: Place, point: Point) -> None:
    built = build(place)
    with pytest.raises(Crash), armed(crash_at(point)):
        place.turn(2)
    place.loop = place.another_loop("two")
    place.turn(10)
    assert image(place, built).status is ImageStatus.BUILDING, "the lease of the one that ended still lasts"
    place.turn(61)
    assert image(place, built).status is ImageStatus.AVAILABLE
    (session,) = place.sessions(Meter.IMAGE_BUILD)
    assert session.end - session.start >= 60


def slow_builds(place: Place, let_go: threading.Event, begun: threading.Event) -> None:
    """Let builds last until a test lets them go."""

    def build_slowly(_version: str, _folder: str, _log: str) -> str:
        begun.set()
        assert let_go.wait(30)
        return "sum"

    place.at.product.recipe.build = build_slowly  # type: ignore[method-assign]  # of this test's object alone


def test_a_long_build_keeps_its_lease_and_costs_by_the_second(place: Place) -> None:
    """In threads."""
    let_go, begun = threading.Event(), threading.Event()
    slow_builds(place, let_go, begun)
    built = build(place)
    builds = Builds(place.at.backend, "slow", threaded=True, lease_s=60)
    other = Builds(place.at.backend, "other", threaded=False, lease_s=60)
    try:
        builds.round(place.now)
        assert begun.wait(30)
        for _ in range(10):
            place.at.clock.turn(30)
            builds.round(place.now)
            other.round(place.now)
            assert image(place, built).builder == "slow"
    finally:
        let_go.set()
        builds.close()
    builds.round(place.now)
    assert image(place, built).status is ImageStatus.AVAILABLE
    (session,) = place.sessions(Meter.IMAGE_BUILD)
    assert (session.end - session.start, session.price_micros) == (300, 1000)


def test_a_build_that_takes_too_long_has_failed_whatever_becomes_of_it(place: Place) -> None:
    """In threads."""
    let_go, begun = threading.Event(), threading.Event()
    slow_builds(place, let_go, begun)
    built = build(place)
    builds = Builds(place.at.backend, "slow", threaded=True, lease_s=60)
    try:
        builds.round(place.now)
        assert begun.wait(30)
        place.at.clock.turn(3600)
        builds.round(place.now)
        assert image(place, built).status is ImageStatus.FAILED
        assert image(place, built).detail == "it was not built within 60 minutes"
    finally:
        let_go.set()
        builds.close()
    builds.round(place.now)
    assert image(place, built).status is ImageStatus.FAILED
    assert all(each.end for each in place.sessions(Meter.IMAGE_BUILD))


def test_a_cloud_this_server_does_not_have_builds_nothing(place: Place) -> None:
    with place.at.store.writing() as tx:
        tx.images.add(Image(id="i-9", cloud="moon", product="simulated", version="1", created=0, updated=0,
                            status=ImageStatus.BUILDING))  # fmt: skip
    place.turn(2)
    assert image(place, "i-9").status is ImageStatus.FAILED
    assert "moon" in image(place, "i-9").detail


def test_an_image_is_removed_and_a_removal_that_fails_is_tried_again(place: Place) -> None:
    built = build(place)
    place.turn(2)
    place.at.cloud.faults.plan(Fault(method="delete_image", times=2))
    place.at.api.images.delete(place.at.ada, built)
    place.turn(2)
    assert image(place, built).status is ImageStatus.DELETING
    place.pass_by(20, 2)
    assert image(place, built).status is ImageStatus.DELETED
    assert built not in place.at.cloud.contents().images


@pytest.mark.parametrize("how", ["crash", "lost answer", "mistake"])
def test_a_snapshot_is_removed_once_however_often_it_takes(place: Place, how: str, monkeypatch) -> None:
    one = place.started()
    taken = place.at.api.wishes.snapshot(place.at.ann, one, "s")
    place.pass_by(10, 2)
    place.at.api.snapshots.delete(place.at.ann, taken.id)
    if how == "crash":
        with pytest.raises(Crash), armed(crash_at(Point.SNAPSHOT_REMOVED)):
            place.turn(2)
        place.loop = place.another_loop("two")
    elif how == "lost answer":
        place.at.cloud.faults.plan(Fault(method="delete_snapshot", when=When.AFTER))
    else:
        with monkeypatch.context() as patch:
            patch.setattr(place.at.cloud, "delete_snapshot", lambda _id: 1 / 0)
            place.turn(2)
    place.pass_by(20, 2)
    assert place.snapshot(taken.id).name == "s"
    assert place.actions(of=taken.id) == ["snapshot.available", "snapshot.deleted"]


def test_a_build_refused_by_the_cloud_is_no_accident() -> None:
    assert StepFailed("QUOTA", "no room").sentence == "no room"
