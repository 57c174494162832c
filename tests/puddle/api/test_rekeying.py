"""After a rotation every password is encrypted with the newest key, beside servers that run, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from puddle.server.api import rekeying
from puddle.server.api.rekeying import Rekeyed, rekey, take_into_use
from puddle.server.auth.secrets import PASSWORD, Keyring
from puddle.server.errors import Precondition
from puddle.server.store import Store
from puddle.server.store.systems import Sealed
from tests.puddle.installations import installation
from tests.puddle.records import system

OLD, NEW = Keyring([b"1" * 32]), Keyring([b"2" * 32])
BOTH = Keyring([b"2" * 32, b"1" * 32])


def create(store: Store, system_id: str, keyring: Keyring | None = OLD) -> None:
    secret = keyring.encrypt(f"of {system_id}", PASSWORD, system_id) if keyring else ""
    with store.writing() as tx:
        tx.systems.create(system(id=system_id, name=system_id, secret=secret), look_at=7)


def kept(store: Store) -> dict[str, Any]:
    with store.reading() as tx:
        return {it.id: it for it in tx.systems.all()}


def test_old_passwords_are_encrypted_again_and_new_ones_left(store: Store) -> None:
    create(store, "s-1")
    create(store, "s-2", NEW)
    create(store, "s-3", None)
    before = kept(store)
    assert rekey(store, BOTH) == Rekeyed(2, done=1)
    now = kept(store)
    assert (now["s-2"], now["s-3"]) == (before["s-2"], before["s-3"])
    assert NEW.decrypt(now["s-1"].secret, PASSWORD, "s-1") == "of s-1"
    assert now["s-1"] == replace(before["s-1"], secret=now["s-1"].secret, revision=before["s-1"].revision + 1)
    with store.reading() as tx:
        assert tx.systems.next_due() == 7, "it is not looked at sooner or later for that"
    assert rekey(store, BOTH) == Rekeyed(2)


def test_who_has_read_the_old_one_does_not_write_it_back(store: Store) -> None:
    create(store, "s-1")
    before = kept(store)["s-1"]
    rekey(store, BOTH)
    with store.writing() as tx:
        assert not tx.systems.write(replace(before, detail="from before"), look_at=0)


def test_what_changes_under_our_hands_is_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    create(store, "s-1")
    rewritten, others = rekeying._rewritten, iter(["first", "second"])

    def after_another(store: Store, keyring: Keyring, old: Sealed) -> bool:
        if detail := next(others, None):
            with store.writing() as tx:
                found = tx.systems.get("s-1")
                assert found is not None
                assert tx.systems.write(replace(found, detail=detail), look_at=0)
        return rewritten(store, keyring, old)

    monkeypatch.setattr(rekeying, "_rewritten", after_another)
    assert rekey(store, BOTH) == Rekeyed(1, done=1)
    now = kept(store)["s-1"]
    assert (now.detail, now.revision, BOTH.stale(now.secret)) == ("second", 3, False)


def test_what_never_rests_is_told_and_not_waited_for(memory: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    create(memory, "s-1")
    monkeypatch.setattr(rekeying, "_rewritten", lambda *_: False)
    assert rekey(memory, BOTH) == Rekeyed(1, changing=("s-1",))


def named(store: Store) -> str:
    with store.writing() as tx:
        return tx.master_key()


def test_who_starts_names_its_newest_key_and_the_next_one_goes_on_with_it(store: Store) -> None:
    assert named(store) == ""
    for keyring in (OLD, BOTH, NEW):
        take_into_use(store, keyring)
        assert named(store) == keyring.newest


def test_a_server_without_the_key_that_is_named_says_so_and_changes_nothing(memory: Store) -> None:
    take_into_use(memory, NEW)
    with capture_logs() as logs:
        take_into_use(memory, OLD)
    assert named(memory) == NEW.newest
    assert [(it["log_level"], it["named"], it["if_lost"]) for it in logs] == [
        ("error", NEW.newest, "puddle rotate-master-key --reencrypt")
    ]


@pytest.mark.parametrize("rotate", [lambda store: take_into_use(store, BOTH), lambda store: rekey(store, BOTH)])
def test_a_server_that_runs_on_with_the_old_key_makes_no_password_with_it(memory: Store, rotate: Any) -> None:
    """Once the old key is gone nobody could read it, and its system could not be set up or opened."""
    there = installation(memory)
    there = replace(there, backend=replace(there.backend, keyring=OLD))
    there = there.ruled()
    take_into_use(memory, OLD)
    made = there.create()
    rotate(memory)
    with capture_logs() as logs, pytest.raises(Precondition, match="has to restart it") as refused:
        there.create(name="two")
    assert refused.value.reason == "master_key"
    assert (logs[0]["log_level"], logs[0]["named"]) == ("error", NEW.newest)
    assert list(kept(memory)) == [made.system.id]
    there = replace(there, backend=replace(there.backend, keyring=BOTH)).ruled()
    assert there.create(name="two").password


def test_what_no_key_fits_is_left_and_told(memory: Store) -> None:
    create(memory, "s-1", Keyring([b"3" * 32]))
    create(memory, "s-2")
    before = kept(memory)["s-1"]
    assert rekey(memory, BOTH) == Rekeyed(2, done=1, unreadable=("s-1",))
    assert kept(memory)["s-1"] == before
