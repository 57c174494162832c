"""A system comes into being as a row with a wish, once everything about it has been checked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from puddle.server.domain.catalog import ImageStatus, Tag
from puddle.server.domain.people import Caller, Limits
from puddle.server.domain.records import Snapshot, SnapshotStatus
from puddle.server.domain.states import Status, Vm
from puddle.server.errors import Exceeded, Invalid, Missing, Precondition
from puddle.server.store.trail import WantedEvents
from tests.puddle.installations import ANN, IMAGE, SMALL, Installation, there

__all__ = ["there"]


def rows(there: Installation) -> list[Any]:
    with there.store.reading() as tx:
        return tx.systems.all()


def test_a_system_is_a_row_with_a_wish(there: Installation) -> None:
    made = there.create().system
    assert (made.status, made.vm_status, made.generation, made.cu) == (Status.INITIALIZING, Vm.WAITING, 1, 1)
    assert made.deadline == made.created + 3600
    assert made.idle_minutes == 240
    with there.store.reading() as tx:
        assert tx.systems.get(made.id) == made
        assert tx.systems.next_due() == made.created, "the reconciler looks at once"


def test_its_password_is_encrypted_and_for_its_owner_alone(there: Installation) -> None:
    made = there.create()
    assert len(made.password) == 24
    assert made.password not in made.system.secret
    assert there.api.systems.get(there.ann, made.system.id).password == made.password
    assert there.api.systems.get(there.ada, made.system.id).password == ""
    assert there.api.systems.credentials(there.ann, made.system.id) == ("puddle", made.password)
    with pytest.raises(Missing):
        there.api.systems.credentials(there.ada, made.system.id)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "No"}, "name"),
        ({"cloud": "azure"}, "cloud"),
        ({"product": "excel"}, "product"),
        ({"image_id": "i-9"}, "image_id"),
        ({"instance_type_id": "t-9"}, "instance_type_id"),
        ({"disk_gb": 0}, "disk_size_gb"),
        ({"disk_gb": 10**6}, "disk_size_gb"),
        ({"idle_minutes": 17}, "idle_timeout_interval"),
        ({"config": "x = "}, "config"),
        ({"tags": (("nobody", "asked"),)}, "tags"),
    ],
)
def test_what_is_not_right_is_named_and_nothing_is_made(there: Installation, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        there.create(**given)
    assert refused.value.meta["field"] == field
    assert rows(there) == []


def test_a_type_for_other_groups_or_not_offered_any_more_is_as_if_it_were_not_there(there: Installation) -> None:
    for hidden in (replace(SMALL, allowed_groups=("bosses",)), replace(SMALL, enabled=False)):
        with there.store.writing() as tx:
            tx.instance_types.put(hidden)
        with pytest.raises(Invalid, match="offered to you"):
            there.create()
        assert [size.id for size in there.api.instance_types.available(there.ann)] == ["t-2"]


@pytest.mark.parametrize("status", [ImageStatus.BUILDING, ImageStatus.FAILED, ImageStatus.DELETING])
def test_systems_are_made_from_available_images(there: Installation, status: ImageStatus) -> None:
    with there.store.writing() as tx:
        tx.images.put(replace(IMAGE, status=status))
    with pytest.raises(Precondition) as refused:
        there.create()
    assert refused.value.reason == "image_not_available"


def test_the_trail_says_what_was_created_but_not_its_configuration(there: Installation) -> None:
    made = there.create(config="password = 'hush'\n", idle_minutes=60).system
    with there.store.reading() as tx:
        (event,) = tx.events.page(WantedEvents(target=made.id))
    assert event.targets == (made.id, "u-1")
    assert json.loads(event.after) == {
        "name": "one", "status": "INITIALIZING", "cloud": "simulated", "product": "simulated", "version": "1",
        "instance_type": "small", "disk_gb": 10, "idle_minutes": 60, "tags": {}, "config": "18 characters",
    }  # fmt: skip


def test_the_owners_address_is_on_everything_where_administrators_want_it(there: Installation) -> None:
    ruled = there.ruled(owner_tag="owner", fixed_tags=(("site", "bonn"),))
    ann = Caller(replace(ANN, email="ann@example.com"))
    assert ruled.create(ann).system.tags == (("owner", "ann@example.com"), ("site", "bonn"))
    assert ruled.create(ruled.ben).system.tags == (("site", "bonn"),), "who has no address is not named"


def test_required_tags_are_asked_and_defaults_filled_in(there: Installation) -> None:
    there.api.tags.create(there.ada, Tag(id="", label="project", created=0, updated=0, required=True))
    there.api.tags.create(there.ada, Tag(id="", label="stage", created=0, updated=0, default_value="dev"))
    with pytest.raises(Invalid) as refused:
        there.create()
    assert refused.value.meta["field"] == "tags.project"
    fixed = there.ruled(fixed_tags=(("owner", "us"),))
    made = fixed.create(tags=(("project", "churn"),)).system
    assert made.tags == (("owner", "us"), ("project", "churn"), ("stage", "dev"))


def test_a_name_is_free_again_after_its_system(there: Installation) -> None:
    first = there.create().system
    with pytest.raises(Precondition) as refused:
        there.create()
    assert refused.value.reason == "name_taken"
    there.create(there.ben)
    there.stand(first.id, status=Status.TERMINATED)
    there.create()


def test_the_same_key_makes_one_system(there: Installation) -> None:
    first = there.create(key="k")
    assert there.create(key="k", name="another").system.id == first.system.id
    assert there.create(there.ben, key="k").system.id != first.system.id, "a key is its sender's"
    assert len(rows(there)) == 2


def test_only_validating_makes_nothing(there: Installation) -> None:
    seen = there.create(validate_only=True)
    assert (seen.system.id, seen.password, seen.instance_type.text) == ("", "", "small")
    assert rows(there) == []


def snapshot(there: Installation, **given: Any) -> str:
    ordinary = {
        "id": "sn-1", "name": "n", "description": "", "system_id": "s-0", "owner_id": "u-1", "cloud": "simulated",
        "product": "simulated", "version": "1", "image_id": "i-1", "disk_gb": 20, "created": 0, "updated": 0,
        "status": SnapshotStatus.AVAILABLE,
    }  # fmt: skip
    with there.store.writing() as tx:
        tx.snapshots.add(Snapshot(**{**ordinary, **given}))
    return "sn-1"


def test_a_disk_is_not_smaller_than_its_snapshot(there: Installation) -> None:
    source = snapshot(there)
    with pytest.raises(Invalid):
        there.create(source_snapshot_id=source)
    assert there.create(source_snapshot_id=source, disk_gb=20).system.source_snapshot_id == source


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"owner_id": "u-2"}, Missing),
        ({"status": SnapshotStatus.DELETING}, Precondition),
        ({"product": "dai"}, Invalid),
        ({"cloud": "aws"}, Invalid),
    ],
)
def test_snapshots_that_cannot_be_used(there: Installation, given: dict[str, Any], refusal: type[Exception]) -> None:
    source = snapshot(there, **given)
    with pytest.raises(refusal):
        there.create(source_snapshot_id=source, disk_gb=20)


def test_the_pool_is_never_oversold(there: Installation) -> None:
    ruled = there.ruled(cu_pool=5, out_of_cu="ask Ada")
    ruled.create()
    ruled.create(there.ben, instance_type_id="t-2")
    with pytest.raises(Exceeded, match="ask Ada") as refused:
        ruled.create(name="two")
    assert refused.value.reason == "out_of_cu"
    seen = ruled.api.systems.consumption(ruled.ann)
    assert (seen.available, seen.consumed, [each.name for each in seen.mine]) == (0, 5, ["one"])


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(systems=1), "quota"),
        (Limits(running=1), "quota"),
        (Limits(cu=1), "quota"),
        (Limits(budget_micros=1), "budget"),
    ],
)
def test_a_users_limits_hold(there: Installation, limits: Limits, reason: str) -> None:
    if reason == "quota":
        there.create(name="first")
    limited = replace(there.ann, user=replace(ANN, limits=limits))
    with pytest.raises(Exceeded) as refused:
        there.create(limited, name="second")
    assert refused.value.reason == reason
    [mine] = there.api.systems.consumption(limited).allowances
    assert (mine.whose, mine.limits, mine.used.systems) == ("you", limits, int(reason == "quota"))


def test_a_groups_limits_are_shared(there: Installation) -> None:
    there.api.people.limit_group(there.ada, "team", Limits(systems=1))
    there.create(there.ben)
    with pytest.raises(Exceeded, match="group team"):
        there.create()


def test_who_created_what_is_in_the_trail_without_a_secret(there: Installation) -> None:
    made = there.create()
    with there.store.reading() as tx:
        from puddle.server.store.trail import WantedEvents

        (event,) = tx.events.page(WantedEvents(target=made.system.id))
    assert (event.action, event.actor_name) == ("system.create", "ann")
    assert made.password not in event.after
    assert "one" in event.after
