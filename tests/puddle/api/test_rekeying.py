"""After a rotation every password is encrypted with the newest key, beside servers that run, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from puddle.server.api import rekeying
from puddle.server.api.rekeying import Rekeyed, rekey
from puddle.server.auth.secrets import PASSWORD, Keyring
from puddle.server.store import Store
from puddle.server.store.systems import Sealed
from tests.puddle.records import system

OLD, NEW = Keyring([b"1" * 32]), Keyring([b"2" * 32])
BOTH = Keyring([b"2" * 32, b"1" * 32])


def create(store: Store, system_id: str, keyring: Keyring | None = OLD) -> None:
    secret = keyring.encrypt(f"of {system_id}", PASSWORD, system_id) if keyring else ""
    with store.writing() as tx:
        tx.systems.create(system(id=system_id, name=system_id, secret=secret), look_at=7)


def kept(store: Store) -> dict[str, Any]:
    with store.reading() as tx:
        return {it: tx.systems.get(it) for it in tx.systems.known()}


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


def test_what_no_key_fits_is_left_and_told(memory: Store) -> None:
    create(memory, "s-1", Keyring([b"3" * 32]))
    create(memory, "s-2")
    before = kept(memory)["s-1"]
    assert rekey(memory, BOTH) == Rekeyed(2, done=1, unreadable=("s-1",))
    assert kept(memory)["s-1"] == before
