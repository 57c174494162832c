"""Tokens are good as long as their key and user are; events are found by what they are about."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from puddle.server.domain.people import ApiKey, Group, Limits, Token
from puddle.server.domain.trail import Alert, Event, Report, ReportEntry
from puddle.server.store import Store
from puddle.server.store.trail import WantedEvents
from tests.puddle.records import user

KEY = ApiKey(id="k-1", user_id="u-1", name="laptop", secret_hash="h", created=0)  # noqa: S106 -- a hash of nothing
TOKEN = Token(digest="d", user_id="u-1", key_id="k-1", created=0, expires=100)


@pytest.fixture
def logged_in(store: Store) -> Store:
    with store.writing() as tx:
        tx.users.add(user(groups=("team",), limits=Limits(cu=3)))
        tx.keys.add(KEY)
        tx.tokens.add(TOKEN)
    return store


def bearer(store: Store, now: int = 50) -> object:
    with store.reading() as tx:
        return tx.tokens.bearer("d", now)


def test_a_token_is_its_users(logged_in: Store) -> None:
    assert bearer(logged_in) == (TOKEN, user(groups=("team",), limits=Limits(cu=3)))


def test_a_token_from_another_way_of_logging_in_needs_no_key(logged_in: Store) -> None:
    with logged_in.writing() as tx:
        tx.tokens.add(replace(TOKEN, digest="e", key_id=""))
    with logged_in.reading() as tx:
        assert tx.tokens.bearer("e", 50) is not None


def test_a_token_ends(logged_in: Store) -> None:
    assert bearer(logged_in, now=100) is None


@pytest.mark.parametrize("what", ["revoked", "expired", "inactive", "logged out"])
def test_a_token_is_refused_as_soon_as_its_key_or_user_is(logged_in: Store, what: str) -> None:
    with logged_in.writing() as tx:
        match what:
            case "revoked":
                tx.keys.put(replace(KEY, revoked=True))
            case "expired":
                tx.keys.put(replace(KEY, expires=50))
            case "inactive":
                tx.users.put(user(active=False))
            case _:
                tx.tokens.end_login("d")
    assert bearer(logged_in) is None


def test_ended_tokens_are_swept(logged_in: Store) -> None:
    with logged_in.writing() as tx:
        assert tx.tokens.sweep(99) == 0
        assert tx.tokens.sweep(100) == 1


def test_names_of_users_are_taken_once(logged_in: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError), logged_in.writing() as tx:
        tx.users.add(user(id="u-2"))


def test_members_of_a_group_are_found(logged_in: Store) -> None:
    with logged_in.writing() as tx:
        tx.groups.add(Group(name="team", limits=Limits(systems=1)))
        assert tx.users.ids_in("team") == ["u-1"]
        assert tx.users.ids_in("tea") == []


def event(number: int, **given: object) -> Event:
    return Event(
        **{
            "id": f"e-{number}",
            "time": number // 2,
            "actor_kind": "user",
            "action": "stop",
            "targets": ("s-1",),
            **given,
        }
    )


def test_events_are_listed_from_the_newest_on(store: Store) -> None:
    with store.writing() as tx:
        for number in range(6):
            tx.events.add(event(number, targets=("s-1", "u-1") if number % 2 else ("s-2",), actor_id=f"u-{number % 3}"))
    with store.reading() as tx:
        assert [each.id for each in tx.events.page(WantedEvents())] == [f"e-{n}" for n in (5, 4, 3, 2, 1, 0)]
        assert [each.id for each in tx.events.page(WantedEvents(target="u-1"))] == ["e-5", "e-3", "e-1"]
        assert [each.id for each in tx.events.page(WantedEvents(actor_id="u-0"))] == ["e-3", "e-0"]
        assert [each.id for each in tx.events.page(WantedEvents(since=1, until=2))] == ["e-3", "e-2"]
        assert [each.id for each in tx.events.page(WantedEvents(before=(1, "e-3"), limit=2))] == ["e-2", "e-1"]


def test_alerts_are_there_until_acknowledged(store: Store) -> None:
    alert = Alert(id="n-1", time=1, kind="drift", system_id="s-1", owner_id="u-1", message="m")
    with store.writing() as tx:
        tx.alerts.add(alert)
        tx.alerts.acknowledge(alert)
        assert tx.alerts.of_owner() == []
        assert [each.id for each in tx.alerts.of_owner("u-1", acknowledged=True)] == ["n-1"]
        assert tx.alerts.of_owner("u-2", acknowledged=True) == []


def test_a_report_is_read_in_pages(store: Store) -> None:
    report = Report(id="r-1", asked_by="u-1", owner_id="", start=0, end=9, created=0)
    line = ReportEntry(
        report_id="r-1", number=1, system_id="s", system_name="", owner_id="", owner_name="", cloud="", product="",
        version="", instance_type="", session_id="x", meter="VM", start=0, end=1, price_micros=1, tags=(("a", "b"),),
    )  # fmt: skip
    with store.writing() as tx:
        tx.reports.add(report)
        tx.reports.fill(replace(line, number=number) for number in range(1, 6))
        assert tx.reports.pending() == [report]
        assert [each.number for each in tx.reports.entries("r-1", 2, 2)] == [3, 4]
        assert tx.reports.entries("r-1", 0, 1)[0].tags == (("a", "b"),)


def test_an_idempotency_key_is_used_once(store: Store) -> None:
    with store.writing() as tx:
        tx.idempotency_keys.add("u-1", "Create", "k", "s-1", 5)
        assert tx.idempotency_keys.object_of("u-1", "Create", "k") == "s-1"
        assert tx.idempotency_keys.object_of("u-2", "Create", "k") is None
    with pytest.raises(sa.exc.IntegrityError), store.writing() as tx:
        tx.idempotency_keys.add("u-1", "Create", "k", "s-2", 5)
    with store.writing() as tx:
        tx.idempotency_keys.sweep(6)
        assert tx.idempotency_keys.object_of("u-1", "Create", "k") is None
