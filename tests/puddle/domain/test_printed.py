"""What machines print reaches a terminal as text that does nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puddle.server.domain.printed import last_lines, readable


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("plain\n\ttext é 日本 😀\n", "plain\n\ttext é 日本 😀\n"),
        ("\x1b[1;31mred\x1b[0m \x1b[2Kcleared", "red cleared"),
        ("10%\r20%\r\nend", "10%\n20%\nend"),
        ("nul\0 bell\a \x1b]0;title\a \x9b31m", "nul� bell� �]0;title� �31m"),
        ("half \ud83d of one", "half � of one"),
        ("\x1b[", "�["),
    ],
)
def test_what_terminals_would_obey_is_taken_out_or_marked(printed: str, read: str) -> None:
    assert readable(printed) == read


@given(st.text(st.characters()))
def test_whatever_was_printed_can_be_sent_and_does_nothing(printed: str) -> None:
    read = readable(printed)
    read.encode()
    assert not [sign for sign in read if (ord(sign) < 32 or 127 <= ord(sign) < 160) and sign not in "\n\t"]
    assert readable(read) == read


def test_a_million_signs_of_one_kind_take_no_longer_than_others() -> None:
    """Each of these would take an expression that tries again from every place minutes."""
    for sign in ("\r", "\x1b[", "\x1b[0", "\x1b[ ", "0"):
        assert readable(sign * 1_000_000)


def test_the_last_lines_are_the_last() -> None:
    assert last_lines("one\ntwo\nthree", 2) == "two\nthree"
    assert last_lines("one\n", 5) == "one\n"
    assert last_lines("", 5) == ""
