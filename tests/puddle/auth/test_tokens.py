"""Tokens: good for minutes, renewed while they are used. `store` tests when one is accepted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from puddle.server.auth.tokens import TokenLifetimes, digest, new_token, renewed

NOW = 1_800_000_000
TERMS = TokenLifetimes(lifetime=900)


def login(terms=TERMS, now=NOW):
    return new_token("u1", "pk_1", now, terms)


def test_only_a_digest_is_kept():
    token, sent = login()
    assert sent.startswith("pt_")
    assert len(sent) == 46
    assert token.digest == digest(sent)
    assert sent not in repr(token)
    assert digest(sent + "x") != token.digest


def test_a_token_is_renewed_in_the_second_half_of_its_life():
    token, sent = login()
    assert renewed(token, NOW + 449, TERMS) is None
    fresh, fresh_sent = renewed(token, NOW + 450, TERMS)
    assert fresh_sent != sent
    assert (fresh.user_id, fresh.key_id, fresh.expires) == ("u1", "pk_1", NOW + 450 + 900)
    assert renewed(token, NOW + 900, TERMS) is None


@given(
    lifetime=st.integers(1, 10**6),
    session=st.one_of(st.just(0), st.integers(1, 10**6)),
    steps=st.lists(st.integers(0, 10**6), max_size=8),
)
def test_however_it_is_renewed_a_login_ends_with_its_session(lifetime, session, steps):
    terms = TokenLifetimes(lifetime=lifetime, session=session)
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
