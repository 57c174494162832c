"""Tokens: good for minutes, renewed while used, worthless with their key or user."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puddle.server.auth.tokens import TokenTerms, accepted, digest, new_token, renewed
from puddle.server.domain.people import ApiKey, Role, User

NOW = 1_800_000_000
TERMS = TokenTerms(lifetime=900)
ADA = User(id="u1", name="ada", role=Role.USER)
KEY = ApiKey(id="pk_1", user_id="u1", name="laptop", secret_hash="", created=NOW)


def login(terms=TERMS, now=NOW):
    return new_token("u1", "pk_1", now, terms)


def test_only_a_digest_is_kept():
    token, sent = login()
    assert sent.startswith("pt_")
    assert len(sent) == 46
    assert token.digest == digest(sent)
    assert sent not in repr(token)
    assert digest(sent + "x") != token.digest


def test_a_token_is_good_until_its_end_and_not_a_second_longer():
    token, _ = login()
    assert accepted(token, ADA, KEY, NOW)
    assert accepted(token, ADA, KEY, NOW + 899)
    assert not accepted(token, ADA, KEY, NOW + 900)


@pytest.mark.parametrize(
    ("user", "key"),
    [
        (None, KEY),
        (replace(ADA, active=False), KEY),
        (replace(ADA, id="u2"), KEY),
        (ADA, None),
        (ADA, replace(KEY, revoked=True)),
        (ADA, replace(KEY, expires=NOW + 1)),
        (ADA, replace(KEY, id="pk_2")),
        (ADA, replace(KEY, user_id="u2")),
    ],
)
def test_a_token_is_worthless_as_soon_as_its_user_or_key_is(user, key):
    token, _ = login()
    assert not accepted(token, user, key, NOW + 1)


def test_nobody_is_accepted_without_a_token_and_another_way_of_logging_in_needs_no_key():
    assert not accepted(None, ADA, KEY, NOW)
    token, _ = new_token("u1", "", NOW, TERMS)
    assert accepted(token, ADA, None, NOW)


def test_a_token_is_renewed_in_the_second_half_of_its_life():
    token, sent = login()
    assert renewed(token, NOW + 449, TERMS) is None
    fresh, fresh_sent = renewed(token, NOW + 450, TERMS)
    assert fresh_sent != sent
    assert (fresh.user_id, fresh.key_id, fresh.expires) == ("u1", "pk_1", NOW + 450 + 900)
    assert accepted(token, ADA, KEY, NOW + 451)
    assert renewed(token, NOW + 900, TERMS) is None


@given(
    lifetime=st.integers(1, 10**6),
    session=st.one_of(st.just(0), st.integers(1, 10**6)),
    steps=st.lists(st.integers(0, 10**6), max_size=8),
)
def test_however_it_is_renewed_a_login_ends_with_its_session(lifetime, session, steps):
    terms = TokenTerms(lifetime=lifetime, session=session)
    token, _ = login(terms)
    now = NOW
    for step in steps:
        now += step % lifetime
        following = renewed(token, now, terms)
        if following is not None:
            assert token.expires < following[0].expires <= now + lifetime
            token = following[0]
        assert token.created == NOW
        assert not session or token.expires <= NOW + session
