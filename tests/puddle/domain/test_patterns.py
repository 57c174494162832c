"""Patterns of administrators mean what `re` says they mean, and never take long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puddle.server.domain.patterns import MAX_CHARACTERS, Pattern, PatternRefused
from tests.effort import lines

_ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\.", "[a-z1]", r"[\d-]", r"\W", "é"])
_REPEATS = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "{,2}", "{0}"])
PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, _REPEATS).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    ),
    max_leaves=6,
)
VALUES = st.text("ab1.-é\n", max_size=6)


@given(PATTERNS, st.lists(VALUES, min_size=1, max_size=5), st.booleans())
@settings(max_examples=150)
def test_a_pattern_matches_what_re_matches_as_a_whole(text, values, anchored):
    pattern = Pattern(f"^{text}$" if anchored else text)
    for value in values:
        assert pattern.matches(value) == (re.fullmatch(text, value) is not None)


@given(st.text(r"ab()[]{}*+?|^$\.,-1d:&", max_size=12), VALUES)
@settings(max_examples=300)
def test_whatever_is_typed_is_refused_or_means_what_it_means_to_re(text, value):
    try:
        pattern = Pattern(text)
    except PatternRefused:
        return
    assert pattern.matches(value) == (re.fullmatch(text, value) is not None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(a+)+b", "a" * 200),
        ("(a|a)*b", "a" * 200),
        ("(a|a)?" * 30, "a" * 40),
        ("a*" * 50 + "b", "a" * 200),
        ("(a{0,20}){0,20}b", "a" * 60),
        ("((a*)*)*b", "a" * 200),
    ],
)
def test_patterns_that_keep_re_busy_for_ages_are_done_at_once(text, value):
    pattern = Pattern(text)
    assert lines(lambda: pattern.matches(value)) < 1_000_000


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(a", "not closed"),
        ("a)", "not opened"),
        ("*a", "repeats nothing"),
        ("a**", "repeats nothing"),
        ("a+?", "repeats nothing"),
        ("a{3,2}", "at least 3 and at most 2"),
        ("a{}", "notation"),
        ("[z-a]", "not a set"),
        ("[a", "notation"),
        ("[[:alpha:]]", "notation"),
        ("[a--b]", "not a set"),
        (r"(a)\1", "notation"),
        ("(?=a)", "notation"),
        ("(?i)a", "notation"),
        (r"\bx", "notation"),
        ("a^b", "notation"),
        ("a\\", "notation"),
        ("(" * 21 + ")" * 21, "20 deep"),
        ("((a{100}){100}){100}", "steps"),
        ("a" * (MAX_CHARACTERS + 1), "characters"),
    ],
)
def test_what_is_not_in_the_notation_is_refused_with_a_reason(text, why):
    with pytest.raises(PatternRefused, match=why):
        Pattern(text)


def test_an_empty_group_repeated_for_ever_ends():
    assert lines(lambda: Pattern("((){9999}){9999}")) < 1_000
    assert Pattern("((){9999}){9999}").matches("")
    assert not Pattern("((){9999}){9999}").matches("a")


def test_an_escaped_dollar_is_a_dollar():
    assert Pattern(r"a\$").matches("a$")
    assert Pattern(r"a\\$").matches("a\\")
    assert repr(Pattern("a")) == "Pattern('a')"
