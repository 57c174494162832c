"""Which task goes to which worker."""

from hypothesis import given, settings
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


def groups(tasks, *beginnings, cost=10):
    """Run-ups of a video whose groups of pictures begin with these tasks."""
    return [cost * (t - max(b for b in beginnings if b <= t)) for t in range(tasks)]


def test_the_last_video_is_shared_at_the_group_nearest_its_middle():
    a = Assignment([JobShape([10] * 12, groups(12, 0, 5, 9))])
    assert indices(a, 0, 1) == [(0, 0)]
    assert indices(a, 1, 3) == [(0, 5), (0, 6), (0, 7)]
    assert indices(a, 0, 3) == [(0, 1), (0, 2), (0, 3)]


def test_a_video_of_one_group_is_shared_where_both_end_together():
    """Loading and work weigh the same at first: the second worker decodes about two thirds to compute one."""
    a = Assignment([JobShape([10] * 12, groups(12, 0))])
    assert indices(a, 0, 1) == [(0, 0)]
    assert a.take(1).number in {7, 8}


def test_nobody_decodes_in_vain():
    """Where loading is all there is, a second worker in the same group would be done no sooner."""
    a = Assignment([JobShape([10] * 12, groups(12, 0))])
    a.learn(1e9, 1.0)
    assert indices(a, 0, 3) == [(0, 0), (0, 1), (0, 2)]
    assert a.take(1) is None
    assert a.waiting == 9
    a.leave(0)
    assert a.take(1) == TaskId(0, 3)


def test_where_loading_is_nothing_a_video_is_shared_in_halves():
    a = Assignment([JobShape([10] * 12, groups(12, 0))])
    a.learn(1.0, 1e9)
    a.take(0)
    a.ended(0, TaskId(0, 0))
    assert a.take(1).number in {6, 7}


def test_what_another_has_taken_already_counts():
    a = Assignment([JobShape([10] * 9)])
    indices(a, 0, 3)
    assert a.take(1) == TaskId(0, 4)  # worker 0 has 30 to do, and keeps one of the six that wait
    b = Assignment([JobShape([10] * 3)])
    indices(b, 0, 2)
    assert b.take(1) == TaskId(0, 2)


def test_what_came_back_goes_first():
    a = Assignment([JobShape([1] * 4)])
    task = a.take(0)
    a.requeue(task)
    assert a.take(1) == task


def test_a_dropped_job_is_never_given_out():
    a = Assignment([JobShape([1] * 3), JobShape([1] * 2)])
    back = a.take(0)
    a.requeue(back)
    a.drop(back.job)
    a.drop(back.job)
    assert a.waiting == 2
    assert [a.take(0).job for _ in range(2)] == [1, 1]
    assert a.take(0) is None
    a.requeue(back)
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


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 9), max_size=12), max_size=5),
    st.lists(st.integers(0, 3), max_size=80),
)
def test_every_task_is_given_out_exactly_once_whoever_asks(costs, askers):
    a = Assignment([JobShape(c, [3 * (i % 4) for i in range(len(c))]) for c in costs])
    got = []
    for worker in [*askers, *[0, 1, 2, 3] * 60]:
        task = a.take(worker)
        if task is not None:
            got.append(task)
            a.ended(worker, task)
    assert sorted(got) == [(j, i) for j, c in enumerate(costs) for i in range(len(c))]
    assert a.waiting == 0
