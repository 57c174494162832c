"""Pages: a token leads on, and garbage leads nowhere."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puddle.server.domain.paging import next_page, page_size, page_start
from puddle.server.errors import Invalid

KEYS = st.tuples(st.text(st.characters(categories=["L", "N", "P"]), max_size=100), st.integers(-(2**63), 2**63 - 1))


@given(KEYS, st.text(max_size=20))
def test_a_token_leads_to_where_it_was_given(key, query):
    assert page_start(next_page(key, query), (str, int), query) == key


def test_the_first_page_has_no_token():
    assert page_start("", (str,)) is None


@given(st.text(max_size=80))
def test_whatever_is_sent_leads_on_or_is_refused(token):
    with suppress(Invalid):
        assert page_start(token, (str, int)) is None


def encoded(*held):
    return base64.urlsafe_b64encode(json.dumps(held).encode()).decode()


_QUERY = json.loads(base64.urlsafe_b64decode(next_page(("a", 1)) + "=="))[1]


@pytest.mark.parametrize(
    "token",
    [
        encoded("v1", _QUERY, "a"),
        encoded("v1", _QUERY, "a", "1"),
        encoded("v1", _QUERY, "a", True),
        encoded("v1", _QUERY, "a", 1.0),
        encoded("v1", _QUERY, "a", 2**63),
        encoded("v1", _QUERY, "a\0", 1),
        encoded("v1", _QUERY, "\ud800", 1),
        encoded("v1", _QUERY, None, 1),
        encoded("v2", _QUERY, "a", 1),
        encoded("v1"),
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"[" * 900).decode(),
        "A" * 5000,
        "é",
    ],
)
def test_made_up_tokens_are_refused(token):
    with pytest.raises(Invalid, match="next_page_token"):
        page_start(token, (str, int))


def test_the_made_up_tokens_would_pass_but_for_what_is_wrong_with_them():
    assert page_start(encoded("v1", _QUERY, "a", 1), (str, int)) == ("a", 1)


def test_a_token_of_another_query_is_refused():
    with pytest.raises(Invalid, match="have changed"):
        page_start(next_page(("a", 1), "mine"), (str, int), "all")


@pytest.mark.parametrize(("asked", "given_size"), [(0, 100), (1, 1), (1000, 1000), (10**9, 1000)])
def test_a_page_has_a_usual_and_a_greatest_size(asked, given_size):
    assert page_size(asked) == given_size


def test_a_negative_page_is_refused():
    with pytest.raises(Invalid, match="not negative"):
        page_size(-1)
