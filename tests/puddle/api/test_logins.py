"""Keys become tokens, tokens are renewed while they are used, and both end when they should."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from puddle.server.api import Api
from puddle.server.auth.attempts import AttemptLimits, LoginLimiter
from puddle.server.domain.people import Role
from puddle.server.errors import Invalid, Missing, Precondition, TooMany, Unauthenticated
from puddle.server.store.trail import WantedEvents
from tests.puddle.installations import ANN, Installation, there

__all__ = ["there"]


def key(there: Installation) -> tuple[str, str]:
    made, secret = there.api.logins.create_key(there.ann, "laptop")
    return made.id, secret


def test_a_key_becomes_a_token_of_its_user(there: Installation) -> None:
    login = there.api.logins.login(*key(there), "127.0.0.1")
    admitted = there.api.logins.authenticate(login.token, "req-1")
    assert admitted.caller.user.id == "u-1"
    assert admitted.caller.request_id == "req-1"
    assert login.expires == int(there.clock()) + 900


@pytest.mark.parametrize("how", ["secret", "id", "revoked", "expired", "inactive"])
def test_what_does_not_fit_is_refused_the_same_way(there: Installation, how: str) -> None:
    key_id, secret = key(there)
    if how == "revoked":
        there.api.logins.revoke_key(there.ann, key_id)
    if how == "expired":
        made, secret = there.api.logins.create_key(there.ann, "short", valid_days=1)
        key_id = made.id
        there.clock.turn(86_400)
    if how == "inactive":
        with there.store.writing() as tx:
            tx.users.put(replace(ANN, active=False))
    asked = ("pk_nobody" if how == "id" else key_id, "ps_wrong" if how == "secret" else secret)
    with pytest.raises(Unauthenticated) as refused:
        there.api.logins.login(*asked, "127.0.0.1")
    assert refused.value.reason == "bad_credentials"


def test_who_has_logged_in_before_is_not_kept_out_by_others_who_fail(there: Installation) -> None:
    """Colleagues behind one proxy, or another account on the same computer."""
    api = Api(there.backend, limiter=LoginLimiter(AttemptLimits(per_key="2 per minute", per_address="2 per minute")))
    key_id, secret = key(there)
    api.logins.login(key_id, secret, "127.0.0.1")
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            api.logins.login(key_id, "ps_wrong", "127.0.0.1")
    with pytest.raises(TooMany):
        api.logins.login(key_id, "ps_wrong", "127.0.0.1")
    assert api.logins.login(key_id, secret, "127.0.0.1").token
    there.api.logins.revoke_key(there.ann, key_id)
    with pytest.raises(Unauthenticated):
        api.logins.login(key_id, secret, "127.0.0.1")
    with pytest.raises(TooMany):
        api.logins.login(key_id, secret, "127.0.0.1")


def test_too_many_failures_are_refused_unheard(there: Installation) -> None:
    api = Api(there.backend, limiter=LoginLimiter(AttemptLimits(per_key="2 per minute")))
    key_id, secret = key(there)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            api.logins.login(key_id, "ps_wrong", "127.0.0.1")
    with pytest.raises(TooMany):
        api.logins.login(key_id, secret, "127.0.0.1")
    there.clock.turn(60)
    api.logins.login(key_id, secret, "127.0.0.1")


def test_a_token_ends_unless_it_is_used(there: Installation) -> None:
    login = there.api.logins.login(*key(there), "127.0.0.1")
    there.clock.turn(500)
    fresh = there.api.logins.authenticate(login.token).fresh
    assert fresh is not None
    there.clock.turn(500)
    assert there.api.logins.authenticate(fresh.token).caller.user == replace(ANN, last_login=fresh_login(there))
    with pytest.raises(Unauthenticated):
        there.api.logins.authenticate(login.token)


def fresh_login(there: Installation) -> int:
    with there.store.reading() as tx:
        user = tx.users.get("u-1")
    assert user is not None
    return user.last_login


def test_a_token_ends_with_its_key_with_its_user_and_with_logging_out(there: Installation) -> None:
    key_id, secret = key(there)
    logins = there.api.logins
    first = logins.login(key_id, secret, "127.0.0.1").token
    logins.logout(logins.authenticate(first).caller, first)
    second = logins.login(key_id, secret, "127.0.0.1").token
    there.api.people.update(there.ada, "u-1", active=False)
    with pytest.raises(Unauthenticated):
        logins.authenticate(second)
    there.api.people.update(there.ada, "u-1", active=True)
    assert logins.authenticate(second)
    logins.revoke_key(there.ann, key_id)
    for token in (first, second, "", "pt_made-up"):
        with pytest.raises(Unauthenticated):
            logins.authenticate(token)


def test_logging_out_ends_the_tokens_that_followed_too(there: Installation) -> None:
    first = there.api.logins.login(*key(there), "127.0.0.1").token
    there.clock.turn(500)
    admitted = there.api.logins.authenticate(first)
    assert admitted.fresh is not None
    assert there.api.logins.authenticate(first).fresh == admitted.fresh, "many calls with an old token get one new one"
    there.api.logins.logout(admitted.caller, first)
    for token in (first, admitted.fresh.token):
        with pytest.raises(Unauthenticated):
            there.api.logins.authenticate(token)


def test_what_changes_while_a_secret_is_proved_is_not_undone(
    there: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from puddle.server.auth import keys

    key_id, secret = key(there)
    verify = keys.verify

    def revoked_meanwhile(*given: Any) -> bool:
        there.api.logins.revoke_key(there.ann, key_id)
        return verify(*given)

    monkeypatch.setattr(keys, "verify", revoked_meanwhile)
    with pytest.raises(Unauthenticated):
        there.api.logins.login(key_id, secret, "127.0.0.1")
    assert [each.revoked for each in there.api.logins.keys(there.ann)] == [True]


def test_secrets_are_shown_once_and_nowhere_kept(there: Installation) -> None:
    key_id, secret = key(there)
    token = there.api.logins.login(key_id, secret, "127.0.0.1").token
    with there.store.reading() as tx:
        kept = repr((tx.keys.all(), tx.tokens.all(), tx.events.page(WantedEvents())))
    assert secret not in kept
    assert token not in kept
    assert key_id in kept


def test_keys_of_others_are_not_there(there: Installation) -> None:
    key_id, _ = key(there)
    with pytest.raises(Missing):
        there.api.logins.revoke_key(there.ben, key_id)
    assert there.api.logins.keys(there.ben) == []
    assert there.api.logins.revoke_key(there.ada, key_id).revoked


def test_keys_are_not_without_number(there: Installation) -> None:
    for number in range(50):
        there.api.logins.create_key(there.ann, f"key {number}")
    with pytest.raises(Precondition) as refused:
        there.api.logins.create_key(there.ann, "one more")
    assert refused.value.reason == "quota"


def test_a_role_that_changes_counts_at_once(there: Installation) -> None:
    token = there.api.logins.login(*key(there), "127.0.0.1").token
    there.api.people.update(there.ada, "u-1", role=Role.ADMIN)
    assert there.api.logins.authenticate(token).caller.admin


def test_there_is_always_an_administrator(there: Installation) -> None:
    with pytest.raises(Precondition) as refused:
        there.api.people.update(there.ada, "u-9", role=Role.USER)
    assert refused.value.reason == "last_admin"
    with pytest.raises(Precondition):
        there.api.people.update(there.ada, "u-9", active=False)
    there.api.people.update(there.ada, "u-1", role=Role.ADMIN)
    there.api.people.update(there.ada, "u-9", active=False)


def test_users_are_made_once_and_by_name(there: Installation) -> None:
    made = there.api.people.create(there.ada, "cy", Role.USER, "cy@example.com", groups=["team"]).user
    with pytest.raises(Precondition):
        there.api.people.create(there.ada, "cy", Role.USER)
    with pytest.raises(Invalid):
        there.api.people.create(there.ada, "c y", Role.USER)
    assert [view.user.name for view in there.api.people.users()] == ["ada", "ann", "ben", "cy"]
    assert [group.name for group in there.api.people.groups()] == ["team"]
    assert made.groups == ("team",)
