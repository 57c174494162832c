"""What administrators offer, what is told afterwards, and whose eyes it is for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from puddle.server.domain.catalog import ImageStatus, Tag
from puddle.server.domain.states import Status
from puddle.server.domain.trail import Alert
from puddle.server.errors import Invalid, Missing, Precondition
from puddle.server.store.stamps import Wanted
from puddle.server.store.trail import WantedEvents
from tests.puddle.installations import IMAGE, SMALL, Installation, there

__all__ = ["there"]


def test_building_an_image_twice_builds_it_once(there: Installation) -> None:
    first = there.api.images.build(there.ada, "simulated", "simulated", "2.0")
    assert first.status is ImageStatus.BUILDING
    assert there.api.images.build(there.ada, "simulated", "simulated", "2.0") == first
    assert there.api.images.build(there.ada, "simulated", "simulated", "1") == IMAGE, "it is there"
    assert there.api.images.build(there.ada, "simulated", "simulated", "").version == "2.0", "the newest"


def test_only_available_images_are_offered(there: Installation) -> None:
    there.api.images.build(there.ada, "simulated", "simulated", "2.0")
    assert there.api.images.available("simulated") == [IMAGE]
    assert len(there.api.images.all()) == 2


def test_an_image_that_failed_is_built_again(there: Installation) -> None:
    with there.store.writing() as tx:
        tx.images.put(replace(IMAGE, status=ImageStatus.FAILED, detail="no network"))
    again = there.api.images.rebuild(there.ada, "i-1")
    assert (again.status, again.detail) == (ImageStatus.BUILDING, "")


def test_images_that_are_used_stay(there: Installation) -> None:
    made = there.create().system
    with pytest.raises(Precondition, match="1 system made from"):
        there.api.images.delete(there.ada, "i-1")
    there.stand(made.id, status=Status.TERMINATED)
    for _ in range(2):
        assert there.api.images.delete(there.ada, "i-1").status is ImageStatus.DELETING
    with pytest.raises(Precondition):
        there.api.images.rebuild(there.ada, "i-1")


@pytest.mark.parametrize(("cloud", "product"), [("azure", "simulated"), ("simulated", "excel")])
def test_images_of_what_there_is_not(there: Installation, cloud: str, product: str) -> None:
    with pytest.raises(Invalid):
        there.api.images.build(there.ada, cloud, product, "1")


def test_instance_types_come_change_and_go(there: Installation) -> None:
    made = there.api.instance_types.create(there.ada, replace(SMALL, id="", text="tiny", price_micros=1))
    assert [size.text for size in there.api.instance_types.available(there.ann)] == ["tiny", "small", "large"]
    there.api.instance_types.update(there.ada, replace(made, enabled=False))
    assert [size.text for size in there.api.instance_types.available(there.ann)] == ["small", "large"]
    there.api.instance_types.delete(there.ada, made.id)
    with pytest.raises(Missing):
        there.api.instance_types.delete(there.ada, made.id)
    with pytest.raises(Invalid):
        there.api.instance_types.update(there.ada, replace(SMALL, cloud="elsewhere"))


def test_no_two_instance_types_of_a_cloud_are_called_the_same(there: Installation) -> None:
    with pytest.raises(Precondition, match="there is an instance type 'small' on simulated already") as refused:
        there.api.instance_types.create(there.ada, replace(SMALL, id="", price_micros=1))
    assert refused.value.reason == "name_taken"
    with pytest.raises(Precondition):
        there.api.instance_types.update(there.ada, replace(SMALL, text="large"))
    assert there.api.instance_types.update(there.ada, replace(SMALL, text="tiny")).text == "tiny"


def test_a_cloud_or_product_that_is_not_there_is_an_error_that_names_those_that_are(there: Installation) -> None:
    for asked in (
        lambda: there.api.images.all("simulate"),
        lambda: there.api.instance_types.available(there.ann, "simulate"),
        lambda: there.api.systems.page(there.ann, Wanted(owner_id="u-1", cloud="simulate")),
    ):
        with pytest.raises(Invalid, match="cloud is one of simulated, and not 'simulate'"):
            asked()
    with pytest.raises(Invalid, match=r"product is one of .*simulated.*, and not 'h2o'"):
        there.api.images.all("simulated", "h2o")


def test_what_is_left_on_a_cloud_that_this_server_has_no_more_is_listed(there: Installation) -> None:
    made = there.create().system
    there.stand(made.id, cloud="former")
    (found,) = there.api.systems.page(there.ann, Wanted(owner_id="u-1", cloud="former"))
    assert found.system.id == made.id


def test_instance_types_that_are_used_stay(there: Installation) -> None:
    there.create()
    with pytest.raises(Precondition) as refused:
        there.api.instance_types.delete(there.ada, "t-1")
    assert refused.value.reason == "type_in_use"
    assert there.api.instance_types.update(there.ada, replace(SMALL, price_micros=1)).price_micros == 1
    with pytest.raises(Precondition, match="the type of 1 system, so its cloud_name stays small; create another"):
        there.api.instance_types.update(there.ada, replace(SMALL, cloud_name="other"))


def test_tags_come_change_and_go(there: Installation) -> None:
    ask = Tag(id="", label="project", created=0, updated=0)
    made = there.api.tags.create(there.ada, ask)
    with pytest.raises(Precondition):
        there.api.tags.create(there.ada, ask)
    there.api.tags.update(there.ada, replace(made, required=True))
    assert [tag.required for tag in there.api.tags.all()] == [True]
    for _ in range(2):
        there.api.tags.delete(there.ada, made.id)
    assert there.api.tags.all() == []
    with pytest.raises(Precondition):
        there.api.tags.update(there.ada, made)


def test_what_was_done_within_a_second_keeps_its_order(there: Installation) -> None:
    mine = there.create().system.id
    there.stand(mine, status=Status.STARTED)
    for minutes in (30, 60, 120, 180, 240):
        there.api.wishes.change_idle(there.ann, mine, minutes)
    told = there.api.trail.events(there.ann, WantedEvents(target=mine))
    assert [json.loads(event.after)["idle_minutes"] for event in told[:-1]] == [240, 180, 120, 60, 30]
    assert told[-1].action == "system.create"


def test_people_read_about_what_is_theirs(there: Installation) -> None:
    mine = there.create().system.id
    there.create(there.ben)
    there.api.wishes.terminate(there.ada, mine)
    about_mine = there.api.trail.events(there.ann, WantedEvents(target=mine))
    assert {event.actor_name for event in about_mine} == {"ann", "ada"}
    assert there.api.trail.events(there.ben, WantedEvents(target=mine)) == []
    assert {event.actor_name for event in there.api.trail.events(there.ann, WantedEvents())} == {"ann"}
    assert {event.actor_name for event in there.api.trail.events(there.ada, WantedEvents())} == {"ann", "ben", "ada"}


def test_alerts_are_for_owners_and_administrators(there: Installation) -> None:
    with there.store.writing() as tx:
        tx.alerts.add(Alert(id="n-1", time=1, kind="drift", system_id="s", owner_id="u-1", message="m"))
    assert there.api.trail.alerts(there.ben) == []
    with pytest.raises(Missing):
        there.api.trail.acknowledge(there.ben, "n-1")
    assert len(there.api.trail.alerts(there.ada)) == 1
    assert there.api.trail.acknowledge(there.ann, "n-1").acknowledged
    assert there.api.trail.alerts(there.ann) == []


def test_reports_are_for_who_asked(there: Installation) -> None:
    report = there.api.reports.create(there.ann, 0, 100)
    assert report.owner_id == "u-1"
    assert there.api.reports.all(there.ann) == [report]
    with pytest.raises(Missing):
        there.api.reports.get(there.ben, report.id)
    with pytest.raises(Invalid):
        there.api.reports.create(there.ann, 100, 100)
    for _ in range(9):
        there.api.reports.create(there.ann, 0, 100)
    with pytest.raises(Precondition):
        there.api.reports.create(there.ann, 0, 100)


def test_what_others_wait_for_does_not_make_room_for_more(there: Installation) -> None:
    """Each user has so many reports under way, however many the others have."""
    for caller in (there.ann, there.ben):
        for _ in range(10):
            there.api.reports.create(caller, 0, 100)
    for caller in (there.ann, there.ben):
        with pytest.raises(Precondition, match="10 of your reports"):
            there.api.reports.create(caller, 0, 100)
    assert there.api.reports.create(there.ada, 0, 100)
