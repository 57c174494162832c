"""Which rows the demo shows: every shot where possible, long ones more often, none twice."""

from hypothesis import given
from hypothesis import strategies as st

from scannerpy._demo.rows import key_rows, middle, shots_between

clips = (
    st.integers(1, 500)
    .flatmap(lambda rows: st.tuples(st.sets(st.integers(1, max(1, rows - 1)), max_size=30).map(sorted), st.just(rows)))
    .filter(lambda clip: not clip[0] or clip[0][-1] < clip[1])
)


def test_shots_lie_between_boundaries():
    assert [(s.number, s.start, s.end) for s in shots_between([30, 76], 100)] == [(1, 0, 30), (2, 30, 76), (3, 76, 100)]


def test_one_shot_is_shown_evenly():
    assert key_rows(shots_between([], 120), 4) == [15, 45, 75, 105]


@given(clips, st.integers(1, 16))
def test_key_rows_are_ascending_unique_and_within(clip, count):
    boundaries, rows = clip
    chosen = key_rows(shots_between(boundaries, rows), count)
    assert 1 <= len(chosen) <= count
    assert chosen == sorted(set(chosen))
    assert 0 <= chosen[0] <= chosen[-1] < rows


@given(clips)
def test_every_shot_is_shown_when_there_is_room(clip):
    boundaries, rows = clip
    shots = shots_between(boundaries, rows)
    chosen = key_rows(shots, len(shots) + 3)
    assert all(any(shot.start <= row < shot.end for row in chosen) for shot in shots)


@given(clips, st.integers(1, 60))
def test_the_middle_of_the_longest_shot(clip, wanted):
    boundaries, rows = clip
    shots = shots_between(boundaries, rows)
    start, end = middle(shots, wanted)
    longest = max(shot.rows for shot in shots)
    assert end - start == min(wanted, longest)
    assert any(shot.start <= start and end <= shot.end for shot in shots if shot.rows == longest)
