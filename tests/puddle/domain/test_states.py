"""The table of a system's life: all of it."""

from __future__ import annotations

import itertools

import pytest

from puddle.client.proto.v2 import system_service_pb2 as wire
from puddle.server.domain import states as s
from puddle.server.domain.states import TABLE, Fact, Status, Wish, refusal

ENUMS = {"SystemStatus": s.Status, "VmStatus": s.Vm, "ProductStatus": s.Product, "ConfigStatus": s.Config}


@pytest.mark.parametrize(("name", "ours"), list(ENUMS.items()))
def test_the_numbers_are_those_of_the_wire(name, ours):
    prefix = {"SystemStatus": "SYSTEM", "VmStatus": "VM", "ProductStatus": "PRODUCT", "ConfigStatus": "CONFIG"}[name]
    sent = {value.name: value.number for value in wire.DESCRIPTOR.enum_types_by_name[name].values}
    assert sent == {f"{prefix}_STATUS_{member.name}": member.value for member in ours}


@pytest.mark.parametrize(("status", "wish"), list(itertools.product(Status, Wish)))
def test_a_wish_is_taken_where_the_table_has_it_and_refused_with_a_reason_elsewhere(status, wish):
    said = refusal(status, wish, provisioned=True)
    assert (said is None) == ((status, wish) in TABLE)
    if said is not None:
        assert said.reason.isidentifier()
        assert s.words(status) in said.sentence
        assert "must be" in said.sentence


def test_what_never_came_up_can_only_be_terminated():
    taken = [wish for wish in Wish if refusal(Status.FAILED, wish, provisioned=False) is None]
    assert taken == [Wish.TERMINATE]
    assert Wish.START in [wish for wish in Wish if refusal(Status.FAILED, wish, provisioned=True) is None]


def test_a_product_that_cannot_be_restarted_alone_says_so():
    assert refusal(Status.STARTED, Wish.RESTART, provisioned=True, restartable=False).reason == "not_restartable"


@pytest.mark.parametrize("status", sorted(set(Status) - s.SETTLED - {Status.UNKNOWN}))
def test_everything_in_transition_leads_to_rest_by_facts_alone(status):
    """Whatever is under way ends, if only by its deadline; nobody has to rescue it by hand."""
    reached, edge = set(), {status}
    while edge:
        reached |= edge
        edge = {to for (at, what), to in TABLE.items() if at in edge and isinstance(what, Fact)} - reached
    assert reached & s.SETTLED
    if status not in {Status.TERMINATING, Status.FAILING, Status.SNAPSHOTTING}:
        late = TABLE.get((status, Fact.TOO_LATE))
        assert late is Status.FAILING


def test_a_snapshot_never_fails_its_system():
    """Not even where it is not done in time; only the end of the machine, or an administrator, does."""
    ways = {what: to for (at, what), to in TABLE.items() if at is Status.SNAPSHOTTING}
    assert {what for what, to in ways.items() if to in {Status.FAILING, Status.FAILED}} == {
        Wish.FAIL,
        Fact.MACHINE_LOST,
    }


def test_nothing_comes_back_from_termination():
    assert not [what for (at, what) in TABLE if at is Status.TERMINATED]


def test_can_fail_is_what_could_hang():
    assert set(Status) - s.MAY_BE_FAILED == s.SETTLED | {Status.UNKNOWN, Status.FAILING}


def test_a_fact_out_of_place_is_a_mistake_of_ours():
    with pytest.raises(s.IllegalTransition, match="READY has no place in STOPPED"):
        s.after(Status.STOPPED, Fact.READY)


def test_the_table_is_drawn_with_a_line_for_each_of_its_entries():
    drawn = s.as_markdown()
    assert drawn.count("\n") == len(TABLE) + 2
    assert "| STARTED | **stop** | STOPPING |" in drawn
