"""Stamps: equal while nothing about a system has changed, and different as soon as something has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError

from puddle.server.domain.people import ApiKey, Token
from puddle.server.domain.records import Snapshot, SnapshotStatus, System
from puddle.server.domain.states import Status
from puddle.server.store import Store
from puddle.server.store.prepared import Prepared
from puddle.server.store.stamps import Wanted
from tests.puddle.records import instance_type, system, user


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with two owners' systems."""
    with store.writing() as tx:
        tx.users.add(user())
        tx.users.add(user(id="u-2", name="ben"))
        tx.instance_types.add(instance_type())
        for number in range(4):
            owner = "u-1" if number < 3 else "u-2"
            tx.systems.create(system(id=f"s-{number}", name=f"n{number}", owner_id=owner, created=number), look_at=0)
    return store


def write(store: Store, system_id: str, **fields: Any) -> None:
    with store.writing() as tx:
        held = tx.systems.get(system_id)
        assert held is not None
        assert tx.systems.write(replace(held, **fields), look_at=0)


SNAPSHOT = Snapshot(
    id="snap", name="s", description="", system_id="s-0", owner_id="u-1", cloud="c", product="p", version="1",
    image_id="i", disk_gb=1, created=1, updated=1,
)  # fmt: skip

CHANGES: dict[str, Callable[[Any], None]] = {
    "the record": lambda tx: tx.systems.write(replace(tx.systems.get("s-0"), detail="x"), look_at=0),
    "the type's price": lambda tx: tx.instance_types.put(instance_type(price_micros=5)),
    "the type's text": lambda tx: tx.instance_types.put(instance_type(text="other")),
    "the type's GPUs": lambda tx: tx.instance_types.put(instance_type(gpu_count=2, gpu_type="a")),
    "the owner's name": lambda tx: tx.users.put(user(name="anna")),
    "a snapshot": lambda tx: tx.snapshots.add(SNAPSHOT),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_stamp_changes_with_what_is_shown(filled: Store, what: str) -> None:
    before, other = filled.stamp("s-0"), filled.stamp("s-3")
    assert filled.stamp("s-0") == before
    with filled.writing() as tx:
        CHANGES[what](tx)
    assert filled.stamp("s-0") != before
    if what in {"the record", "a snapshot", "the owner's name"}:
        assert filled.stamp("s-3") == other


def test_a_deleted_snapshot_is_none(filled: Store) -> None:
    with filled.writing() as tx:
        tx.snapshots.add(replace(SNAPSHOT, status=SnapshotStatus.DELETED))
    stamp = filled.stamp("s-0")
    assert stamp is not None
    assert not stamp.has_snapshots


def test_there_is_no_stamp_of_what_is_not_there(filled: Store) -> None:
    assert filled.stamp("s-9") is None


def in_words(systems: list[System], wanted: Wanted) -> list[System]:
    """What a page is, without a database: the naive reference."""
    found = [
        each
        for each in systems
        if all(getattr(wanted, name) in {"", getattr(each, name)} for name in ("owner_id", "cloud", "product", "name"))
        and (not wanted.statuses or each.status in wanted.statuses)
        and (wanted.include_terminated or each.status is not Status.TERMINATED)
        and (wanted.after == (0, "") or (each.created, each.id) > wanted.after)
    ]
    return sorted(found, key=lambda each: (each.created, each.id))[: wanted.limit]


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(owner_id="u-1"),
        Wanted(owner_id="u-2", cloud="simulated", product="simulated", name="n3"),
        Wanted(cloud="aws"),
        Wanted(include_terminated=True),
        Wanted(statuses=(Status.STARTED, Status.TERMINATED), include_terminated=True),
        Wanted(owner_id="u-1", statuses=(Status.INITIALIZING,)),
        Wanted(limit=2),
        Wanted(limit=2, after=(1, "s-1")),
        Wanted(limit=2, after=(0, "s-0"), owner_id="u-1"),
    ],
)
def test_a_page_of_stamps_is_what_is_wanted(filled: Store, wanted: Wanted) -> None:
    write(filled, "s-1", status=Status.TERMINATED)
    write(filled, "s-2", status=Status.STARTED)
    with filled.reading() as tx:
        page = [each.id for each in in_words(tx.systems.all(), wanted)]
    stamps = filled.stamps(wanted)
    assert [stamp.id for stamp in stamps] == page
    assert stamps == [filled.stamp(found) for found in page]


def test_a_bearer_is_the_same_either_way(store: Store) -> None:
    """In a transaction and without one, on both databases, with the types a record has."""
    ann = user(groups=("a", "b"))
    with store.writing() as tx:
        tx.users.add(ann)
        tx.keys.add(ApiKey(id="k", user_id="u-1", name="k", secret_hash="-", created=1))  # noqa: S106 -- no hash of anything
        tx.tokens.add(Token(digest="d", user_id="u-1", key_id="k", created=1, expires=100))
    with store.reading() as tx:
        inside = tx.tokens.bearer("d", 50)
    alone = store.bearer("d", 50)
    assert alone == inside
    assert alone is not None
    assert alone[1] == ann
    assert alone[1].active is True
    assert store.bearer("d", 100) is None
    assert store.bearer("e", 50) is None


def test_connections_are_given_back(filled: Store) -> None:
    """More questions than there are connections, also ones that fail."""
    broken = Prepared(sa.select(sa.literal_column("nothing").label("x")))
    for _ in range(40):
        assert filled.stamp("s-0") is not None
        with pytest.raises(Exception, match="nothing"):
            broken.ask_alone(filled.engine)
    with filled.writing() as tx:
        tx.users.put(user(name="x"))


def test_a_database_that_is_away_is_told_as_sqlalchemy_does(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    dbapi: Any = filled.engine.dialect.loaded_dbapi

    class Away:
        def __init__(self, kind: type[Exception]) -> None:
            self.kind = kind

        def execute(self, *_: Any) -> None:
            raise self.kind("gone")

    for ours, theirs in ((OperationalError, dbapi.OperationalError), (InterfaceError, dbapi.InterfaceError)):
        driver = Away(theirs)
        with pytest.raises(ours) as raised:
            Prepared(sa.select(sa.bindparam("x", type_=sa.Text())))._rows(
                driver, filled.engine.dialect, {"x": "hidden"}
            )
        assert "hidden" not in str(raised.value)


def test_a_database_that_is_away_is_told_in_sqlalchemy_s_words() -> None:
    """Also where a connection has to be made for it: it is no mistake of ours."""
    away = Store("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    for ask in (lambda: away.stamp("s-1"), lambda: away.bearer("-", 0), lambda: away.stamps(Wanted())):
        with pytest.raises(OperationalError):
            ask()
    away.close()
