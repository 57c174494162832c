"""Which packets of a stretch of rows can be copied: exactly its own, and nothing they lean on is left behind."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerpy._plan.cut import Copy, Cutter, Encode
from scannerpy._words.video import DAMAGED, DISCARD, START, VideoIndex

CLOSED = [0, 3, 1, 2, 6, 4, 5]
"""A group of pictures I P B B P B B in decode order: the row each packet shows."""


def video(groups, size=7, *, leading=False):
    """`groups` groups of pictures; with `leading`, each but the first shows two pictures before its keyframe."""
    rows = [row + size * k for k in range(groups) for row in CLOSED[:size]]
    if leading:
        rows = [0, *(row + 1 for k in range(groups) for row in (3 * k + 2, 3 * k, 3 * k + 1))]
    starts = [0, *range(1, len(rows), 3)] if leading else range(0, len(rows), size)
    flags = np.zeros(len(rows), np.uint8)
    flags[list(starts)] = START
    count = np.arange(len(rows), dtype=np.int64)
    return VideoIndex(
        "h264", "", b"", "yuv420p", 64, 48, 0, 2, 0, 0, Fraction(1, 25), Fraction(25),
        count * 10, count * 0 + 10, np.array(rows, np.int64), count, flags, np.argsort(rows).astype(np.int64),
    )  # fmt: skip


def anywhere(packet):
    return True


def pieces(index, start, end, may_enter):
    return Cutter(index, may_enter).pieces(start, end)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 21, [Copy(0, 21, 0, 21)]),
        (7, 14, [Copy(7, 14, 7, 14)]),
        (5, 16, [Encode(5, 7), Copy(7, 15, 7, 15), Encode(15, 16)]),
        (5, 18, [Encode(5, 7), Copy(7, 18, 7, 18)]),  # after I P B B all that was sent is shown
        (1, 7, [Encode(1, 7)]),
        (6, 8, [Encode(6, 7), Copy(7, 8, 7, 8)]),
    ],
)
def test_a_block_is_copied_and_its_edges_encoded(start, end, expected):
    assert pieces(video(3), start, end, anywhere) == expected


def test_the_first_keyframe_a_decoder_can_go_on_with_is_taken():
    assert pieces(video(3), 5, 21, lambda packet: packet == 14) == [Encode(5, 14), Copy(14, 21, 14, 21)]
    assert pieces(video(3), 5, 21, lambda packet: False) == [Encode(5, 21)]


def test_pictures_shown_before_their_keyframe_forbid_beginning_there():
    assert pieces(video(4, leading=True), 2, 10, anywhere) == [Encode(2, 10)]
    assert pieces(video(4, leading=True), 0, 10, anywhere) == [Copy(0, 10, 0, 10)]


@pytest.mark.parametrize("flag", [DISCARD, DAMAGED])
def test_packets_without_a_sound_frame_of_their_own_are_not_copied(flag):
    whole = video(3)
    flags = whole.flags.copy()
    flags[9] |= flag
    frames = whole.frame_packet if flag == DAMAGED else np.delete(whole.frame_packet, whole.pts[9])
    index = replace(whole, flags=flags, frame_packet=frames)
    assert pieces(index, 5, 20, anywhere) == [Encode(5, 20)]


@given(st.integers(1, 5), st.integers(1, 7), st.data())
def test_all_rows_are_there_once_in_order_and_copied_packets_show_theirs_only(groups, size, data):
    index = video(groups, size if size in {1, 4, 7} else 1)
    start = data.draw(st.integers(0, index.rows - 1))
    end = data.draw(st.integers(start + 1, index.rows))
    made = pieces(index, start, end, anywhere)
    assert [row for piece in made for row in range(piece.start, piece.end)] == list(range(start, end))
    for piece in made:
        if isinstance(piece, Copy):
            shown = sorted(index.pts[piece.first : piece.stop].tolist())
            assert shown == list(range(piece.start, piece.end))
            assert index.flags[piece.first] & START
