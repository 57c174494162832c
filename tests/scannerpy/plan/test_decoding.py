"""From rows to packets, on paper: no video, no decoder."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerpy._plan.decode import Layout, cost, damaged_rows, reorder_depth, spans
from scannerpy._words.video import DAMAGED, DISCARD, KEY, NO_TIME, NONREF, START, VideoIndex
from tests.effort import lines

S = START | KEY


def index(flags, shown=None, size=10):
    """An index whose packets have these flags; `shown` lists packets as presented (default: as stored)."""
    count = len(flags)
    rows = np.array(range(count) if shown is None else shown, np.int64)
    pts = np.full(count, NO_TIME, np.int64)
    pts[rows] = np.arange(len(rows))
    sizes = np.full(count, size, np.int64)
    return VideoIndex(
        codec="h264", codec_tag="avc1", extradata=b"", pix_fmt="yuv420p", coded_width=96, coded_height=64, rotation=0,
        color_space=2, color_range=0, bits_per_coded_sample=24, time_base=Fraction(1, 25), average_rate=Fraction(25),
        offset=np.cumsum(sizes) - sizes, size=sizes, pts=pts, dts=np.arange(count), flags=np.array(flags, np.uint8),
        frame_packet=rows,
    )  # fmt: skip


def fed(video, rows):
    return [(span.first, span.packets.tolist(), span.rows.tolist()) for span in spans(video, np.array(rows, np.int64))]


def test_decoding_starts_at_the_keyframe_and_stops_at_the_last_wanted_row():
    video = index([S, 0, 0, 0, S, 0, 0, 0])
    assert fed(video, [6]) == [(4, [4, 5, 6], [6])]
    assert fed(video, [1, 2]) == [(0, [0, 1, 2], [1, 2])]


def test_rows_of_one_group_share_a_run_and_neighbouring_runs_join():
    video = index([S, 0, 0, S, 0, 0, S, 0, 0])
    assert fed(video, [0, 2]) == [(0, [0, 1, 2], [0, 2])]
    assert fed(video, [2, 3, 4]) == [(0, [0, 1, 2, 3, 4], [2, 3, 4])]
    assert fed(video, [1, 7]) == [(0, [0, 1], [1]), (6, [6, 7], [7])]


def test_what_nobody_refers_to_and_nobody_wants_is_left_out():
    video = index([S, 0, NONREF, NONREF, 0, NONREF])
    assert fed(video, [3, 4]) == [(0, [0, 1, 3, 4], [3, 4])]


def test_leading_pictures_of_an_open_group_need_the_group_before():
    """Stored: I P | I b b P; the two b are shown before the second I."""
    video = index([S, 0, S, NONREF, NONREF, 0], shown=[0, 1, 3, 4, 2, 5])
    assert fed(video, [2]) == [(0, [0, 1, 2, 3], [2])]
    assert fed(video, [4]) == [(2, [2], [4])]
    assert fed(video, [3, 5]) == [(0, [0, 1, 2, 4, 5], [3, 5])]


def test_packets_that_stand_alone_need_no_company():
    video = index([S | NONREF] * 9)
    assert fed(video, [2, 5, 8]) == [(2, [2, 5, 8], [2, 5, 8])]
    assert cost(video, np.array([2, 5, 8])).frames == 3


def test_hidden_packets_are_decoded_but_owe_nothing():
    video = index([S | DISCARD, DISCARD, 0, 0], shown=[2, 3])
    assert fed(video, [0]) == [(0, [0, 1, 2], [0])]


def test_the_second_field_belongs_to_the_frame_before():
    video = index([S, 0, 0, 0, S, 0], shown=[0, 2, 4])
    assert fed(video, [1]) == [(0, [0, 1, 2, 3], [1])]


def test_a_video_that_does_not_begin_with_a_keyframe_is_decoded_from_its_beginning():
    video = index([0, 0, S, 0])
    assert fed(video, [1]) == [(0, [0, 1], [1])]


def test_cost_counts_frames_bytes_and_groups():
    video = index([S, 0, NONREF, S, 0, NONREF, S, 0])
    total = cost(video, np.array([2, 4]))
    assert (total.frames, total.packets, total.bytes, total.gops) == (5, 5, 50, 2)
    nothing = cost(video, np.zeros(0, np.int64))
    assert (nothing.frames, nothing.packets, nothing.bytes, nothing.gops) == (0, 0, 0, 0)


def test_damage_spreads_to_the_next_keyframe_and_no_further():
    video = index([S, 0, DAMAGED, 0, S, 0])
    assert damaged_rows(video).tolist() == [False, False, True, True, False, False]
    assert damaged_rows(index([S, 0, DAMAGED | NONREF, 0])).tolist() == [False, False, True, False]
    open_group = index([S, DAMAGED, S, 0], shown=[0, 1, 3, 2])
    assert damaged_rows(open_group).tolist() == [False, True, True, False]


@pytest.mark.parametrize(("shown", "depth"), [([0, 1, 2], 0), ([0, 2, 1, 3], 1), ([0, 3, 2, 4, 1], 2)])
def test_the_depth_of_reordering_is_that_of_the_packets(shown, depth):
    assert reorder_depth(index([S] + [0] * (len(shown) - 1), shown=shown)) == depth


videos = st.lists(st.sampled_from([S, 0, 0, 0, NONREF, NONREF]), min_size=1, max_size=40).map(lambda flags: [S, *flags])


@given(videos, st.data())
def test_whatever_is_asked_each_row_finds_all_it_may_lean_on(flags, data):
    """From its start on, every packet that is not droppable is fed before it; nothing is fed twice or in disorder."""
    video = index(flags)
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, len(flags) - 1), min_size=1))), np.int64)
    found = list(spans(video, rows))
    assert np.concatenate([span.rows for span in found]).tolist() == rows.tolist()
    assert np.all(np.diff(np.concatenate([span.packets for span in found])) > 0)
    assert sum(len(span.packets) for span in found) == cost(video, rows).packets
    for span in found:
        assert flags[span.first] & START
        given_to_decoder = set(span.packets.tolist())
        needed = {n for n in range(span.first, span.last + 1) if not flags[n] & NONREF} | set(span.rows.tolist())
        assert given_to_decoder == needed


def test_a_million_rows_are_planned_without_looking_at_each():
    """As many lines of Python as a hundred rows take: numpy does the rest."""

    def work(rows):
        flags = np.zeros(rows, np.uint8)
        flags[::250] = S
        flags[2::3] |= NONREF
        video = index(flags)
        assert cost(video, np.arange(rows)).frames == rows
        Layout(video).spans(np.arange(0, rows, 3)).cost()

    assert lines(lambda: work(1_000_000)) <= lines(lambda: work(1_000)) < 1000
