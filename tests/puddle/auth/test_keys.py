"""API keys: shown once, stored hashed, refused when revoked or expired."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from puddle.server.auth import keys

NOW = 1_800_000_000
DAY = 86_400


@pytest.fixture(scope="module")
def made():
    """A key that lives a day, and its secret."""
    return keys.new_key("ada", "laptop", NOW, valid_days=1)


def test_a_secret_is_kept_nowhere_and_both_parts_are_recognised(made):
    key, secret = made
    assert re.fullmatch(keys.SECRET_PATTERN, secret)
    assert re.fullmatch("pk_[0-9a-f]{20}", key.id)
    assert secret not in repr(key)
    assert key.secret_hash.startswith("$argon2id$")
    assert (key.user_id, key.name, key.created, key.expires) == ("ada", "laptop", NOW, NOW + DAY)


def test_two_keys_have_nothing_in_common(made):
    key, secret = keys.new_key("ada", "laptop", NOW)
    assert key.id != made[0].id
    assert secret != made[1]
    assert key.expires == 0
    assert keys.usable(key, 2**40)


def test_the_right_secret_opens_and_no_other_does(made):
    key, secret = made
    assert keys.verify(key, secret, NOW)
    for wrong in ("", secret[:-1], f"{secret} ", secret.upper(), "\ud800"):
        assert not keys.verify(key, wrong, NOW)


def test_a_key_ends_to_the_second(made):
    key, secret = made
    assert keys.verify(key, secret, NOW + DAY - 1)
    assert not keys.verify(key, secret, NOW + DAY)


def test_a_revoked_key_opens_nothing(made):
    key, secret = made
    assert not keys.verify(replace(key, revoked=True), secret, NOW)


@pytest.mark.parametrize("which", ["unknown", "revoked", "over", "wrong"])
def test_every_refusal_costs_one_hash_so_that_ids_cannot_be_probed(made, monkeypatch, which):
    key, secret = made
    asked = []

    class Counting(PasswordHasher):
        def verify(self, stored, given):
            asked.append(stored.split("$")[3])
            return super().verify(stored, given)

    real = keys._HASHER
    monkeypatch.setattr(keys, "_HASHER", Counting(real.time_cost, real.memory_cost, real.parallelism))
    given = {"unknown": None, "revoked": replace(key, revoked=True), "over": replace(key, expires=NOW), "wrong": key}
    assert not keys.verify(given[which], f"{secret}x" if which == "wrong" else secret, NOW)
    assert asked == ["m=8192,t=2,p=1"]


def test_a_hash_that_cannot_be_read_proves_nothing(made):
    key, secret = made
    for broken in ("", "plain", "$argon2id$v=19$m=8192", key.secret_hash[:-4]):
        assert not keys.verify(replace(key, secret_hash=broken), secret, NOW)


def test_a_key_is_hashed_again_when_the_parameters_have_changed(made):
    key, secret = made
    assert keys.refreshed(key, secret) is key
    old = replace(key, secret_hash=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(secret))
    assert keys.verify(old, secret, NOW)
    new = keys.refreshed(old, secret)
    assert new.secret_hash != old.secret_hash
    assert keys.verify(new, secret, NOW)
    assert keys.refreshed(new, secret) is new
