"""Limits: never more than allowed, and a refusal says what is left."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puddle.server.domain.cost import HOUR, MICROS, Span, micros
from puddle.server.domain.people import Limits
from puddle.server.domain.quota import (
    Holder,
    Usage,
    Wanted,
    check,
    check_pool,
    month_start,
    used_up,
)

SMALL = st.integers(0, 6)
USAGE = st.builds(Usage, systems=SMALL, running=SMALL, cu=SMALL, spent=st.integers(0, 6 * HOUR))
WANTED = st.builds(Wanted, systems=SMALL, running=SMALL, cu=SMALL, amount=st.integers(0, 6 * HOUR))
LIMITS = st.builds(Limits, systems=SMALL, running=SMALL, cu=SMALL, budget_micros=SMALL)


def after(used, wanted):
    """What is used once the wish is granted."""
    return {
        "systems": used.systems + wanted.systems,
        "running": used.running + wanted.running,
        "cu": used.cu + wanted.cu,
        "spent": used.spent + wanted.amount,
    }


def refusal(used, wanted, limits, whose="you"):
    return check(wanted, [Holder(whose=whose, used=used, limits=limits)])


def bounds(limits):
    return {
        "systems": limits.systems,
        "running": limits.running,
        "cu": limits.cu,
        "spent": limits.budget_micros * HOUR,
    }


@given(USAGE, WANTED, LIMITS)
def test_what_is_granted_stays_within_every_limit(used, wanted, limits):
    asked = {"systems": wanted.systems, "running": wanted.running, "cu": wanted.cu, "spent": wanted.amount}
    over = [
        kind for kind, bound in bounds(limits).items() if bound and asked[kind] and after(used, wanted)[kind] > bound
    ]
    broke = limits.budget_micros > 0 and wanted.running > 0 and used.spent >= limits.budget_micros * HOUR
    refused = refusal(used, wanted, limits)
    assert (refused is not None) == bool(over or broke)
    assert refused is None or refused.reason == "budget" or set(over) & {"systems", "running", "cu"}


@pytest.mark.parametrize("kind", ["systems", "running", "cu", "spent"])
def test_the_last_one_is_granted_and_one_more_is_not(kind):
    limits = Limits(systems=3, running=3, cu=3, budget_micros=3)
    used = 3 * HOUR - 1 if kind == "spent" else 2
    wanted = {"spent": "amount"}.get(kind, kind)
    assert refusal(Usage(**{kind: used}), Wanted(**{wanted: 1}), limits) is None
    assert refusal(Usage(**{kind: used}), Wanted(**{wanted: 2}), limits) is not None
    assert refusal(Usage(**{kind: used + 1}), Wanted(**{wanted: 1}), limits) is not None


@given(USAGE, LIMITS)
def test_to_want_nothing_is_always_allowed(used, limits):
    assert refusal(used, Wanted(), limits) is None


@given(st.lists(WANTED, max_size=12), LIMITS, LIMITS, st.integers(1, 10))
def test_however_wishes_come_no_limit_is_ever_exceeded(wishes, user, group, pool):
    used = Usage()
    for wanted in wishes:
        holders = [Holder(whose="you", used=used, limits=user), Holder(whose="group g", used=used, limits=group)]
        if check(wanted, holders) or check_pool(used.cu, wanted.cu, pool):
            continue
        used = Usage(**after(used, wanted))
    assert used.cu <= pool
    for limits in (user, group):
        assert all(getattr(used, kind) <= bound for kind, bound in bounds(limits).items() if bound)


def test_the_sentences_say_what_is_left_and_what_to_do():
    limits = Limits(systems=3, running=2, cu=8, budget_micros=micros("50"))
    spent = Span(micros("49.60"), 0, HOUR).amount
    assert refusal(Usage(systems=3), Wanted(systems=1), limits).sentence == (
        "you have 3 of 3 systems; terminate one first"
    )
    assert refusal(Usage(running=2), Wanted(running=1), limits).sentence == (
        "you have 2 of 2 running systems; stop one first"
    )
    assert refusal(Usage(cu=6), Wanted(cu=4), limits, "group research").sentence == (
        "group research has 2 of 8 compute units left, and this needs 4; "
        "stop a system first, or take a smaller instance type"
    )
    wanted = Wanted(running=1, amount=Span(micros("0.90"), 0, HOUR).amount)
    assert refusal(Usage(spent=spent), wanted, limits).sentence == (
        "you have 0.40 of 50.00 left this month, and this needs 0.90 at least; ask an administrator for more"
    )
    assert refusal(Usage(spent=60 * MICROS * HOUR), Wanted(running=1), limits).sentence == (
        "you have 0.00 of 50.00 left this month; ask an administrator for more"
    )


def test_what_is_left_is_never_shown_as_more_nor_what_is_needed_as_less():
    limits = Limits(budget_micros=micros("1"))
    refused = refusal(Usage(spent=micros("0.001") * HOUR), Wanted(amount=micros("0.9991") * HOUR), limits)
    assert "0.99 of 1.00 left" in refused.sentence
    assert "needs 1.00 at least" in refused.sentence


def test_the_tightest_limit_is_told_whoever_has_it():
    mine = Holder(whose="you", used=Usage(running=2, cu=7), limits=Limits(running=2, cu=8))
    group = Holder(whose="group g", used=Usage(running=9, cu=0), limits=Limits(running=10, cu=1))
    assert check(Wanted(running=1, cu=2), [mine, group]).sentence.startswith("you have 2 of 2 running")
    assert check(Wanted(running=2), [group]).sentence.startswith("group g has 9 of 10")
    assert check(Wanted(cu=2), [mine, group]).sentence.startswith("you have 1 of 8 compute units left")


@pytest.mark.parametrize(
    ("used", "wanted", "reason"),
    [
        (Usage(systems=1), Wanted(systems=1), "quota"),
        (Usage(running=1), Wanted(running=1), "quota"),
        (Usage(cu=1), Wanted(cu=1), "quota"),
        (Usage(spent=HOUR), Wanted(running=1), "budget"),
    ],
)
def test_the_reasons_are_those_clients_know(used, wanted, reason):
    limits = Limits(systems=1, running=1, cu=1, budget_micros=1)
    assert refusal(used, wanted, limits).reason == reason


def test_the_pool_is_refused_in_the_administrators_words_with_what_is_left():
    refused = check_pool(90, 11, 100, "Call Bea.")
    assert refused.reason == "out_of_cu"
    assert refused.sentence == "Call Bea. (10 of 100 compute units are left, this needs 11)"
    assert "stop a system" in check_pool(120, 1, 100).sentence
    assert "(0 of 100" in check_pool(120, 1, 100).sentence
    assert check_pool(90, 10, 100) is None
    assert check_pool(120, 0, 100) is None
    assert check_pool(10**9, 10**9, 0) is None


def test_a_budget_is_used_up_at_its_last_millionth():
    limits = Limits(budget_micros=1)
    assert not used_up(HOUR - 1, limits)
    assert used_up(HOUR, limits)
    assert not used_up(10**20, Limits())


@given(st.integers(0, 4_000_000_000))
def test_a_month_begins_at_midnight_utc_on_its_first(now):
    first = datetime.fromtimestamp(month_start(now), UTC)
    then = datetime.fromtimestamp(now, UTC)
    assert (first.year, first.month) == (then.year, then.month)
    assert (first.day, first.hour, first.minute, first.second) == (1, 0, 0, 0)
