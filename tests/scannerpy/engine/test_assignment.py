"""Which task goes to which worker."""

from hypothesis import given
from hypothesis import strategies as st

from scannerpy._engine.assignment import Assignment, JobShape
from scannerpy._engine.states import TaskId


def indices(assignment, worker, n):
    return [tuple(assignment.take(worker)) for _ in range(n)]


def test_a_worker_goes_on_along_its_video():
    a = Assignment([JobShape([1] * 10), JobShape([1] * 10)])
    got = {w: [] for w in (0, 1)}
    for _ in range(8):
        for w, taken in got.items():
            taken.append(a.take(w))
    assert got[0] == [TaskId(0, i) for i in range(8)]
    assert got[1] == [TaskId(1, i) for i in range(8)]


def test_the_longest_video_goes_first():
    a = Assignment([JobShape([1, 1]), JobShape([50]), JobShape([5, 6])])
    assert [a.take(w).job for w in (0, 1, 2)] == [1, 2, 0]


def test_the_last_video_is_shared_at_the_gop_nearest_its_middle():
    a = Assignment([JobShape([10] * 12, cuts=[0, 4, 9])])
    assert indices(a, 0, 1) == [(0, 0)]
    assert indices(a, 1, 3) == [(0, 4), (0, 5), (0, 6)]
    assert indices(a, 0, 3) == [(0, 1), (0, 2), (0, 3)]
    assert a.take(0) == TaskId(0, 9)


def test_a_video_of_one_gop_is_shared_at_its_middle():
    a = Assignment([JobShape([10] * 9)])
    assert indices(a, 0, 1) == [(0, 0)]
    assert indices(a, 1, 1) == [(0, 5)]
    assert indices(a, 0, 4) == [(0, 1), (0, 2), (0, 3), (0, 4)]
    assert a.take(0) == TaskId(0, 7)


def test_what_came_back_goes_first():
    a = Assignment([JobShape([1] * 4)])
    task = a.take(0)
    a.give_back(task)
    assert a.take(1) == task


def test_a_dropped_job_is_never_given_out():
    a = Assignment([JobShape([1] * 3), JobShape([1] * 2)])
    back = a.take(0)
    a.give_back(back)
    a.drop(back.job)
    a.drop(back.job)
    assert a.waiting == 2
    assert [a.take(0).job for _ in range(2)] == [1, 1]
    assert a.take(0) is None
    a.give_back(back)
    assert a.waiting == 0


def test_the_stretch_of_a_lost_worker_is_taken_up():
    a = Assignment([JobShape([1] * 3)])
    a.take(0)
    a.leave(0)
    assert indices(a, 1, 2) == [(0, 1), (0, 2)]


def test_done_tasks_are_left_out():
    a = Assignment([JobShape([1] * 6, done={0, 3, 5})])
    assert a.waiting == 3
    assert sorted(indices(a, 0, 3)) == [(0, 1), (0, 2), (0, 4)]


@given(
    st.lists(st.lists(st.integers(1, 9), max_size=12), max_size=5),
    st.lists(st.integers(0, 3), min_size=80, max_size=80),
)
def test_every_task_is_given_out_exactly_once_whoever_asks(costs, askers):
    a = Assignment([JobShape(c, cuts=range(0, len(c), 3)) for c in costs])
    got = [t for t in map(a.take, askers) if t is not None]
    assert len(got) == min(80, sum(map(len, costs)))
    assert sorted(got) == [(j, i) for j, c in enumerate(costs) for i in range(len(c))]
    assert a.waiting == 0
