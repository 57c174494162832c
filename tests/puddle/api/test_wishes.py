"""A wish is taken where the table has it, and refused with a reason where it has not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from puddle.server.api import Api
from puddle.server.api.views import SystemView
from puddle.server.domain.people import Caller, Limits
from puddle.server.domain.records import NEVER, SnapshotStatus, System
from puddle.server.domain.rules import CloudPrices
from puddle.server.domain.states import TABLE, Config, Status, Wish, after
from puddle.server.errors import Exceeded, Invalid, Missing, Precondition
from puddle.server.faults import Crash
from puddle.server.store.trail import WantedEvents
from tests.puddle.installations import ANN, LARGE, SMALL, Installation, there

__all__ = ["there"]

Ask = Callable[[Installation, Caller, str], Any]
ASKED: dict[Wish, Ask] = {
    Wish.START: lambda it, who, which: it.api.wishes.start(who, which),
    Wish.STOP: lambda it, who, which: it.api.wishes.stop(who, which),
    Wish.REBOOT: lambda it, who, which: it.api.wishes.reboot(who, which),
    Wish.RESTART: lambda it, who, which: it.api.wishes.restart(who, which),
    Wish.SCALE: lambda it, who, which: it.api.wishes.scale(who, which, "t-2"),
    Wish.SNAPSHOT: lambda it, who, which: it.api.wishes.snapshot(who, which, "copy"),
    Wish.TERMINATE: lambda it, who, which: it.api.wishes.terminate(who, which),
    Wish.FAIL: lambda it, who, which: it.api.wishes.fail(who, which),
    Wish.CONFIGURE: lambda it, who, which: it.api.wishes.update_config(who, which, "a = 1"),
    Wish.SET_IDLE: lambda it, who, which: it.api.wishes.change_idle(who, which, 60),
    Wish.EXTEND: lambda it, who, which: it.api.wishes.extend_idle(who, which, 60),
}


def kept(it: Installation, system_id: str) -> System:
    with it.store.reading() as tx:
        system = tx.systems.get(system_id)
    assert system is not None
    return system


@pytest.mark.parametrize("wish", Wish)
@pytest.mark.parametrize("status", [status for status in Status if status])
def test_every_wish_at_every_status(there: Installation, status: Status, wish: Wish) -> None:
    system_id = there.create().system.id
    there.stand(system_id, status=status, provisioned=True, machine_id="m-1", cu=0)
    before = kept(there, system_id)
    if (status, wish) in TABLE:
        ASKED[wish](there, there.ann, system_id)
        now = kept(there, system_id)
        assert (now.status, now.wish, now.generation) == (after(status, wish), wish, before.generation + 1)
    else:
        with pytest.raises(Precondition) as refused:
            ASKED[wish](there, there.ann, system_id)
        assert kept(there, system_id) == before
        assert refused.value.reason
        allowed = refused.value.meta["allowed_actions"]
        assert isinstance(allowed, Sequence)
        for name in allowed:
            assert (status, Wish(name)) in TABLE
            assert Wish(name) is not Wish.FAIL, "that is for administrators"


def test_giving_up_is_offered_to_administrators_alone(there: Installation) -> None:
    system_id = there.create().system.id
    offered = {}
    for who in (there.ann, there.ada):
        with pytest.raises(Precondition) as refused:
            there.api.wishes.stop(who, system_id)
        offered[who.user.name] = refused.value.meta["allowed_actions"]
    assert offered == {"ann": ["terminate"], "ada": ["terminate", "fail"]}


@pytest.mark.parametrize("wish", Wish)
def test_what_is_somebody_elses_is_not_there(there: Installation, wish: Wish) -> None:
    system_id = there.create().system.id
    before = kept(there, system_id)
    with pytest.raises(Missing):
        ASKED[wish](there, there.ben, system_id)
    with pytest.raises(Missing):
        ASKED[wish](there, there.ann, "sys-nobodys")
    assert kept(there, system_id) == before


def started(there: Installation, **fields: Any) -> str:
    system_id = there.create().system.id
    there.stand(system_id, status=Status.STARTED, provisioned=True, machine_id="m-1", **fields)
    return system_id


def stopped(there: Installation, **fields: Any) -> str:
    system_id = there.create().system.id
    there.stand(system_id, status=Status.STOPPED, provisioned=True, machine_id="m-1", cu=0, **fields)
    return system_id


def test_a_wish_for_another_generation_is_refused(there: Installation) -> None:
    system_id = started(there)
    with pytest.raises(Precondition) as refused:
        there.api.wishes.stop(there.ann, system_id, generation=7)
    assert refused.value.reason == "changed"
    there.api.wishes.stop(there.ann, system_id, generation=1)


def test_what_never_came_up_can_only_be_terminated(there: Installation) -> None:
    system_id = started(there)
    there.stand(system_id, status=Status.FAILED, provisioned=False)
    with pytest.raises(Precondition, match="never came up"):
        there.api.wishes.start(there.ann, system_id)
    there.api.wishes.terminate(there.ann, system_id)


def test_what_has_no_machine_any_more_can_only_be_terminated(there: Installation) -> None:
    system_id = started(there)
    there.stand(system_id, status=Status.FAILED, machine_id="")
    with pytest.raises(Precondition, match="is gone"):
        there.api.wishes.start(there.ann, system_id)
    there.api.wishes.terminate(there.ann, system_id)


def test_starting_takes_compute_units_and_is_refused_where_none_are_left(there: Installation) -> None:
    ruled = there.ruled(cu_pool=1)
    system_id = stopped(ruled)
    ruled.create(there.ben)
    with pytest.raises(Exceeded) as refused:
        ruled.api.wishes.start(ruled.ann, system_id)
    assert refused.value.reason == "out_of_cu"
    assert kept(ruled, system_id).status is Status.STOPPED


def test_a_stopped_system_that_is_copied_takes_no_place_among_the_running(there: Installation) -> None:
    copied, other = stopped(there), there.create(name="two").system.id
    there.stand(other, status=Status.STOPPED, provisioned=True, machine_id="m-2", cu=0)
    there.api.wishes.snapshot(there.ann, copied, "copy")
    with there.store.writing() as tx:
        tx.users.put(replace(ANN, limits=Limits(running=1)))
    there.api.wishes.start(there.ann, other)
    assert kept(there, other).status is Status.STARTING


def test_the_owners_limits_count_also_where_an_administrator_starts(there: Installation) -> None:
    system_id = stopped(there)
    with there.store.writing() as tx:
        tx.users.put(replace(ANN, limits=Limits(budget_micros=1)))
    with pytest.raises(Exceeded) as refused:
        there.api.wishes.start(there.ada, system_id)
    assert refused.value.reason == "budget"


def test_a_start_takes_another_idle_interval_with_it(there: Installation) -> None:
    system_id = stopped(there)
    there.api.wishes.start(there.ann, system_id, idle_minutes=NEVER)
    assert (kept(there, system_id).status, kept(there, system_id).idle_minutes) == (Status.STARTING, NEVER)


def test_a_start_that_says_nothing_of_it_leaves_the_interval(there: Installation) -> None:
    system_id = stopped(there, idle_minutes=30)
    there.api.wishes.start(there.ann, system_id)
    assert kept(there, system_id).idle_minutes == 30


def test_one_that_has_failed_is_started_with_another_interval_too(there: Installation) -> None:
    system_id = started(there)
    there.stand(system_id, status=Status.FAILED)
    there.api.wishes.start(there.ann, system_id, idle_minutes=60)
    assert kept(there, system_id).idle_minutes == 60


def test_a_start_that_is_refused_leaves_the_interval_too(there: Installation) -> None:
    up, down = started(there), there.create(name="two").system.id
    there.stand(down, status=Status.STOPPED, provisioned=True, machine_id="m-2", cu=0)
    before = kept(there, up), kept(there, down)
    with pytest.raises(Precondition):
        there.api.wishes.start(there.ann, up, idle_minutes=NEVER)
    with there.store.writing() as tx:
        tx.users.put(replace(ANN, limits=Limits(running=1)))
    with pytest.raises(Exceeded):
        there.api.wishes.start(there.ann, down, idle_minutes=NEVER)
    with pytest.raises(Invalid) as refused:
        there.api.wishes.start(there.ann, down, idle_minutes=7)
    assert refused.value.meta["field"] == "idle_timeout_interval"
    assert (kept(there, up), kept(there, down)) == before


def test_scaling_names_its_target(there: Installation) -> None:
    system_id = stopped(there)
    there.api.wishes.scale(there.ann, system_id, "t-2", 20)
    now = kept(there, system_id)
    assert (now.instance_type_id, now.target_type_id, now.target_disk_gb) == ("t-1", "t-2", 20)


@pytest.mark.parametrize(("type_id", "disk"), [("t-1", 10), ("", 0), ("t-2", 5), ("t-9", 0)])
def test_scaling_to_nothing_else_or_a_smaller_disk_is_refused(there: Installation, type_id: str, disk: int) -> None:
    system_id = stopped(there)
    with pytest.raises(Invalid):
        there.api.wishes.scale(there.ann, system_id, type_id, disk)


def offered(there: Installation, **fields: Any) -> None:
    """Let the type of an ordinary system be offered otherwise."""
    there.api.instance_types.update(there.ada, replace(SMALL, **fields))


@pytest.mark.parametrize("hidden", [{"enabled": False}, {"allowed_groups": ("others",)}])
@pytest.mark.parametrize("named", ["", "t-1"])
def test_a_disk_grows_though_the_systems_type_is_offered_no_more(
    there: Installation, hidden: dict[str, Any], named: str
) -> None:
    system_id = stopped(there)
    offered(there, **hidden)
    there.api.wishes.scale(there.ann, system_id, named, 20)
    assert kept(there, system_id).target_disk_gb == 20


def test_an_administrator_scales_to_what_the_owner_may_have(there: Installation) -> None:
    there.api.instance_types.update(there.ada, replace(LARGE, allowed_groups=("team",)))
    mine, others = stopped(there), there.create(there.ada).system.id
    there.stand(others, status=Status.STOPPED, provisioned=True, machine_id="m-2", cu=0)
    there.api.wishes.scale(there.ada, mine, "t-2")
    with pytest.raises(Invalid, match="offered to you"):
        there.api.wishes.scale(there.ada, others, "t-2")
    there.api.instance_types.update(there.ada, replace(LARGE, allowed_groups=("others",)))
    there.stand(mine, status=Status.STOPPED)
    with pytest.raises(Invalid, match="offered to ann"):
        there.api.wishes.scale(there.ada, mine, "t-2")


@pytest.mark.parametrize(
    ("limits", "reason", "left"),
    [
        (Limits(cu=3), "quota", "3 of 3 compute units left, and this needs 4; take a smaller"),
        (Limits(budget_micros=3_000_000), "budget", "3.00 of 3.00 left this month, and this needs 3.60 at least"),
    ],
)
def test_a_size_that_could_not_be_started_is_refused(
    there: Installation, limits: Limits, reason: str, left: str
) -> None:
    system_id = stopped(there)
    with there.store.writing() as tx:
        tx.users.put(replace(ANN, limits=limits))
    before = kept(there, system_id)
    with pytest.raises(Exceeded, match=left) as refused:
        there.api.wishes.scale(there.ada, system_id, "t-2")
    assert (refused.value.reason, kept(there, system_id)) == (reason, before)
    there.api.wishes.scale(there.ann, system_id, "", 20)  # the disk costs nothing here


def test_the_limits_of_groups_and_the_pool_count_for_a_size_too(there: Installation) -> None:
    ruled = there.ruled(cu_pool=3)
    system_id = stopped(ruled)
    with pytest.raises(Exceeded) as refused:
        ruled.api.wishes.scale(ruled.ann, system_id, "t-2")
    assert refused.value.reason == "out_of_cu"
    there.api.people.limit_group(there.ada, "team", Limits(cu=2))
    with pytest.raises(Exceeded, match="group team has 2 of 2"):
        there.api.wishes.scale(there.ann, system_id, "t-2")


def test_what_others_hold_now_is_not_in_the_way_of_a_size(there: Installation) -> None:
    system_id = stopped(there)
    with there.store.writing() as tx:
        tx.users.put(replace(ANN, limits=Limits(cu=4, running=1)))
    there.create(name="two")
    there.api.wishes.scale(there.ann, system_id, "t-2")


def test_a_smaller_size_is_never_refused(there: Installation) -> None:
    system_id = there.create(instance_type_id="t-2").system.id
    there.stand(system_id, status=Status.STOPPED, provisioned=True, machine_id="m-1", cu=0)
    with there.store.writing() as tx:
        tx.users.put(replace(ANN, limits=Limits(cu=1, budget_micros=1)))
    there.api.wishes.scale(there.ann, system_id, "t-1")


def test_a_disk_that_costs_more_needs_an_hour_of_it_in_the_budget(there: Installation) -> None:
    ruled = there.ruled(prices={"simulated": CloudPrices(disk_gb_micros=100_000)})
    system_id = stopped(ruled)
    with ruled.store.writing() as tx:
        tx.users.put(replace(ANN, limits=Limits(budget_micros=1_000_000)))
    with pytest.raises(Exceeded, match=r"needs 1\.10 at least"):
        ruled.api.wishes.scale(ruled.ann, system_id, "", 21)
    ruled.api.wishes.scale(ruled.ann, system_id, "", 20)


def test_a_snapshot_is_a_row_of_its_own(there: Installation) -> None:
    system_id = stopped(there)
    made = there.api.wishes.snapshot(there.ann, system_id, "before the change")
    assert kept(there, system_id).snapshot_id == made.id
    assert there.api.snapshots.of_system(there.ann, system_id) == [made]
    with pytest.raises(Precondition) as refused:
        there.api.snapshots.delete(there.ann, made.id)
    assert refused.value.reason == "snapshot_in_use"


def test_a_snapshot_goes_once(there: Installation) -> None:
    made = there.api.wishes.snapshot(there.ann, stopped(there), "n")
    with there.store.writing() as tx:
        tx.snapshots.put(replace(made, status=SnapshotStatus.AVAILABLE))
    with pytest.raises(Missing):
        there.api.snapshots.delete(there.ben, made.id)
    for _ in range(2):
        assert there.api.snapshots.delete(there.ann, made.id).status is SnapshotStatus.DELETING


def test_a_configuration_waits_for_the_next_start(there: Installation) -> None:
    system_id = stopped(there)
    there.api.wishes.update_config(there.ann, system_id, "a = 1")
    now = kept(there, system_id)
    assert (now.status, now.config, now.config_status) == (Status.STOPPED, "a = 1", Config.UPLOADED)


def test_a_configuration_of_a_started_system_is_brought_there(there: Installation) -> None:
    system_id = started(there)
    there.api.wishes.update_config(there.ann, system_id, "a = 1")
    assert kept(there, system_id).config_status is Config.UPLOADING


@pytest.mark.parametrize(("restartable", "status"), [(True, Status.RESTARTING_DAI), (False, Status.REBOOTING)])
def test_a_configuration_can_count_at_once(there: Installation, restartable: bool, status: Status) -> None:
    """A product that cannot be restarted by itself is restarted with its machine."""
    there.product.restartable = restartable
    system_id = started(there)
    seen: SystemView = there.api.wishes.update_config(there.ann, system_id, "a = 1", restart=True)
    assert (seen.system.status, seen.system.config_status) == (status, Config.UPLOADED)


@pytest.mark.parametrize(("restartable", "wish"), [(True, Wish.RESTART), (False, Wish.REBOOT)])
def test_a_configuration_and_its_restart_are_one_wish_that_a_crash_does_not_halve(
    there: Installation, restartable: bool, wish: Wish
) -> None:
    """The server ends the moment the first transaction is through."""

    def end() -> None:
        raise Crash

    there.product.restartable = restartable
    system_id = started(there)
    api = Api(replace(there.backend, wake=end))
    with pytest.raises(Crash):
        api.wishes.update_config(there.ann, system_id, "a = 1", restart=True)
    now = kept(there, system_id)
    assert (now.config, now.config_status) == ("a = 1", Config.UPLOADED)
    assert (now.status, now.wish, now.generation) == (after(Status.STARTED, wish), wish, 2)


def test_a_configuration_and_its_restart_are_one_line_of_the_trail(there: Installation) -> None:
    system_id = started(there)
    there.api.wishes.update_config(there.ann, system_id, "a = 1", restart=True)
    with there.store.reading() as tx:
        event = tx.events.page(WantedEvents(target=system_id))[0]
    assert (event.action, json.loads(event.before), json.loads(event.after)) == (
        "system.update_config",
        {"status": "STARTED", "config": "0 characters"},
        {"status": "RESTARTING_DAI", "config": "5 characters"},
    )


def test_a_configuration_that_may_not_be_restarted_now_is_not_taken_either(there: Installation) -> None:
    system_id = started(there)
    there.stand(system_id, status=Status.REBOOTING)
    with pytest.raises(Precondition):
        there.api.wishes.update_config(there.ann, system_id, "a = 1", restart=True)
    assert kept(there, system_id).config == ""


def test_a_restart_asked_with_the_configuration_of_a_stopped_system_comes_with_its_next_start(
    there: Installation,
) -> None:
    system_id = stopped(there)
    there.api.wishes.update_config(there.ann, system_id, "a = 1", restart=True)
    now = kept(there, system_id)
    assert (now.status, now.wish, now.config_status) == (Status.STOPPED, Wish.CONFIGURE, Config.UPLOADED)


def test_a_configuration_that_is_not_toml_is_refused(there: Installation) -> None:
    with pytest.raises(Invalid):
        there.api.wishes.update_config(there.ann, started(there), "a = ")


def test_the_trail_does_not_hold_configurations(there: Installation) -> None:
    system_id = started(there)
    there.api.wishes.update_config(there.ann, system_id, "a = 'hush'")
    with there.store.reading() as tx:
        assert all("hush" not in event.after + event.before for event in tx.events.page(WantedEvents()))


@pytest.mark.parametrize("minutes", [0, 7, -2])
def test_an_interval_that_is_not_offered_is_refused(there: Installation, minutes: int) -> None:
    """0, which means the usual one to a new system, would mean anything to one that has an interval."""
    system_id = started(there, idle_minutes=60)
    with pytest.raises(Invalid) as refused:
        there.api.wishes.change_idle(there.ann, system_id, minutes)
    assert (refused.value.meta["field"], kept(there, system_id).idle_minutes) == ("minutes", 60)


def test_extending_is_capped_and_never_shortens(there: Installation) -> None:
    system_id = started(there)
    there.api.wishes.extend_idle(there.ann, system_id, 120)
    there.api.wishes.extend_idle(there.ann, system_id, 60)
    assert kept(there, system_id).extended == there.clock() + 120 * 60
    with pytest.raises(Invalid):
        there.api.wishes.extend_idle(there.ann, system_id, 24 * 60 + 1)


def test_extending_beyond_the_budget_is_refused(there: Installation) -> None:
    system_id = started(there, session_price_micros=900_000)
    with there.store.writing() as tx:
        tx.users.put(replace(ANN, limits=Limits(budget_micros=900_000)))
    there.api.wishes.extend_idle(there.ann, system_id, 60)
    with pytest.raises(Exceeded):
        there.api.wishes.extend_idle(there.ann, system_id, 61)


def test_why_a_wish_was_made_is_in_the_trail(there: Installation) -> None:
    system_id = started(there)
    there.api.wishes.stop(there.ann, system_id, reason="lunch")
    with there.store.reading() as tx:
        found = {event.action: event.message for event in tx.events.page(WantedEvents(target=system_id))}
    assert found == {"system.stop": "lunch", "system.create": ""}
