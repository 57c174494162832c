"""The scheduler, told events by hand on a hand-turned clock."""

import pytest

from scannerpy._engine import protocol
from scannerpy._engine.assignment import JobShape
from scannerpy._engine.scheduler import MAX_FAILED_STARTS, Scheduler
from scannerpy._engine.states import TaskId


def shape(tasks, **more):
    return JobShape([1] * tasks, **more)


def limits(**dials):
    return protocol.Limits(**{"workers": 1, "ahead": 0, **dials})


def only(instructions, kind):
    return [i for i in instructions if isinstance(i, kind)]


def test_one_task_runs_commits_and_finishes():
    scheduler = Scheduler([shape(1)], limits())
    assert scheduler.start(0) == [protocol.SpawnWorker(0)]
    task = TaskId(0, 0)
    assert scheduler.react(protocol.WorkerUp(0), 1) == [protocol.StartTask(0, task, 1)]
    assert scheduler.react(protocol.TaskBegun(0, task), 1) == []
    assert scheduler.react(protocol.TaskDone(0, task), 2) == [protocol.CommitJobs((0,)), protocol.Finish()]


def test_a_run_without_jobs_or_with_empty_jobs_finishes_at_once():
    assert Scheduler([], limits()).start(0) == [protocol.Finish()]
    assert Scheduler([shape(0), shape(2, done={0, 1})], limits()).start(0) == [
        protocol.CommitJobs((0, 1)),
        protocol.Finish(),
    ]


def test_tasks_of_earlier_runs_are_not_given_out_again():
    scheduler = Scheduler([shape(3, done={0, 2})], limits(ahead=2))
    scheduler.start(0)
    assert scheduler.react(protocol.WorkerUp(0), 0) == [protocol.StartTask(0, TaskId(0, 1), 1)]


def test_complete_jobs_are_committed_in_groups_and_the_rest_at_the_end():
    scheduler = Scheduler([shape(1)] * 5, limits(checkpoint_frequency=2))
    scheduler.start(0)
    out = scheduler.react(protocol.WorkerUp(0), 0)
    commits = []
    while not only(out, protocol.Finish):
        [start] = only(out, protocol.StartTask)
        out = scheduler.react(protocol.TaskDone(0, start.task), 0)
        commits += [c.jobs for c in only(out, protocol.CommitJobs)]
    assert commits == [(0, 1), (2, 3), (4,)]


def test_three_failures_of_a_task_give_its_job_up_and_the_others_go_on():
    scheduler = Scheduler([shape(2), shape(1)], limits())
    scheduler.start(0)
    [start] = scheduler.react(protocol.WorkerUp(0), 0)
    for attempt in (1, 2):
        assert start == protocol.StartTask(0, TaskId(0, 0), attempt)
        [start] = scheduler.react(protocol.TaskFailed(0, start.task, "boom"), attempt)
    given_up, start = scheduler.react(protocol.TaskFailed(0, start.task, "boom"), 3)
    assert (given_up.job, given_up.task, given_up.reason) == (0, TaskId(0, 0), "boom")
    assert given_up.story.count("failed: boom") == 3
    assert start.task == TaskId(1, 0)
    assert scheduler.react(protocol.TaskDone(0, TaskId(1, 0)), 4) == [protocol.CommitJobs((1,)), protocol.Finish()]


def test_what_a_given_up_job_still_runs_is_dropped_and_its_results_are_ignored():
    scheduler = Scheduler([shape(4)], limits(workers=2, attempts=1))
    scheduler.start(0)
    scheduler.react(protocol.WorkerUp(0), 0)
    [start] = scheduler.react(protocol.WorkerUp(1), 0)
    out = scheduler.react(protocol.TaskFailed(0, TaskId(0, 0), "boom"), 1)
    assert only(out, protocol.DropTask) == [protocol.DropTask(1, start.task)]
    assert out[-1] == protocol.Finish()


def test_a_task_past_its_time_costs_the_worker_and_counts_once_its_neighbours_come_back_uncounted():
    scheduler = Scheduler([shape(8)], limits(ahead=2, task_timeout=5, attempts=2))
    scheduler.start(0)
    out = scheduler.react(protocol.WorkerUp(0), 0)
    assert [s.task.number for s in out] == [0, 1, 2]
    scheduler.react(protocol.TaskBegun(0, TaskId(0, 0)), 10)
    assert scheduler.deadline() == 15
    assert scheduler.react(protocol.Tick(), 14.9) == []
    [kill] = scheduler.react(protocol.Tick(), 15)
    assert kill.worker == 0
    assert "task_timeout (5 s)" in kill.reason
    assert scheduler.react(protocol.Tick(), 16) == []  # killed once; nothing is given out again before it is gone
    assert scheduler.react(protocol.WorkerLost(0, "killed"), 17) == [protocol.SpawnWorker(1)]
    [again] = scheduler.react(protocol.WorkerUp(1), 17)  # alone
    assert again == protocol.StartTask(1, TaskId(0, 0), 2)
    [other] = scheduler.react(protocol.TaskDone(1, TaskId(0, 0)), 18)
    assert other.attempt == 1


def test_time_waiting_behind_another_task_is_not_counted():
    scheduler = Scheduler([shape(8)], limits(ahead=1, task_timeout=5))
    scheduler.start(0)
    scheduler.react(protocol.WorkerUp(0), 0)
    assert scheduler.deadline() is None
    scheduler.react(protocol.TaskBegun(0, TaskId(0, 0)), 4)
    scheduler.react(protocol.TaskDone(0, TaskId(0, 0)), 8)
    assert scheduler.react(protocol.Tick(), 12) == []


def test_a_dead_worker_counts_against_the_blamed_task_only_and_all_it_held_run_alone_next():
    scheduler = Scheduler([shape(9)], limits(ahead=2))
    scheduler.start(0)
    scheduler.react(protocol.WorkerUp(0), 0)
    scheduler.react(protocol.TaskBegun(0, TaskId(0, 0)), 0)
    scheduler.react(protocol.TaskBegun(0, TaskId(0, 1)), 0)
    assert scheduler.react(protocol.WorkerLost(0, "SIGSEGV", TaskId(0, 1)), 1) == [protocol.SpawnWorker(1)]
    out = scheduler.react(protocol.WorkerUp(1), 2)
    seen = []
    for _ in range(3):
        assert len(out) == 1
        seen.append((out[0].task.number, out[0].attempt))
        out = scheduler.react(protocol.TaskDone(1, out[0].task), 3)
    assert seen == [(0, 1), (1, 2), (2, 1)]
    assert [s.task.number for s in out] == [3, 4, 5]


def test_a_dead_worker_nobody_can_explain_counts_against_what_it_had_begun():
    scheduler = Scheduler([shape(1)], limits(attempts=2))
    scheduler.start(0)
    for worker in (0, 1):
        scheduler.react(protocol.WorkerUp(worker), 0)
        scheduler.react(protocol.TaskBegun(worker, TaskId(0, 0)), 0)
        out = scheduler.react(protocol.WorkerLost(worker, "gone"), 1)
    assert isinstance(out[0], protocol.GiveUpJob)


@pytest.mark.parametrize("workers", [0, 2])
def test_without_a_worker_for_no_workers_timeout_the_run_fails(workers):
    scheduler = Scheduler([shape(1)], limits(workers=workers, no_workers_timeout=30))
    scheduler.start(100)
    assert scheduler.deadline() == 130
    assert only(scheduler.react(protocol.Tick(), 129), protocol.Finish) == []
    [finish] = scheduler.react(protocol.Tick(), 130)
    assert "no workers" in finish.error
    assert "after 30 seconds" in finish.error


def test_the_wait_for_workers_starts_anew_when_the_last_one_is_lost():
    scheduler = Scheduler([shape(2)], limits(no_workers_timeout=30))
    scheduler.start(0)
    scheduler.react(protocol.WorkerUp(0), 10)
    assert scheduler.deadline() is None
    scheduler.react(protocol.WorkerLost(0, "SIGKILL"), 50)
    assert scheduler.deadline() == 80


def test_workers_that_never_get_to_work_are_not_started_for_ever():
    scheduler = Scheduler([shape(5)], limits())
    out = scheduler.start(0)
    for worker in range(MAX_FAILED_STARTS):
        assert protocol.SpawnWorker(worker) in out
        scheduler.react(protocol.WorkerUp(worker), 0)
        out = scheduler.react(protocol.SetupFailed(worker, "ValueError: no model"), 1)
    [finish] = out
    assert f"{MAX_FAILED_STARTS} tries" in finish.error
    assert "no model" in finish.error


def test_one_worker_that_can_work_is_enough():
    scheduler = Scheduler([shape(5)], limits(workers=2))
    scheduler.start(0)
    scheduler.react(protocol.WorkerUp(0), 0)
    scheduler.react(protocol.TaskBegun(0, TaskId(0, 0)), 0)
    for worker in range(1, MAX_FAILED_STARTS + 1):
        scheduler.react(protocol.WorkerUp(worker), 0)
        out = scheduler.react(protocol.SetupFailed(worker, "no memory"), 1)
    assert only(out, protocol.SpawnWorker) == []
    assert only(out, protocol.Finish) == []


def test_cancel_commits_what_is_complete_and_finishes():
    scheduler = Scheduler([shape(1), shape(2)], limits(checkpoint_frequency=10))
    scheduler.start(0)
    scheduler.react(protocol.WorkerUp(0), 0)
    scheduler.react(protocol.TaskDone(0, TaskId(1, 0)), 0)
    [start] = scheduler.react(protocol.TaskDone(0, TaskId(1, 1)), 0)
    out = scheduler.react(protocol.Cancel("Ctrl-C"), 1)
    assert out == [protocol.CommitJobs((1,)), protocol.Finish(cancelled=True)]
    assert scheduler.react(protocol.TaskDone(0, start.task), 2) == []


def test_late_words_from_a_lost_worker_change_nothing():
    scheduler = Scheduler([shape(1)], limits())
    scheduler.start(0)
    scheduler.react(protocol.WorkerUp(0), 0)
    scheduler.react(protocol.WorkerLost(0, "gone"), 0)
    assert scheduler.react(protocol.TaskDone(0, TaskId(0, 0)), 1) == []
    assert scheduler.react(protocol.WorkerUp(0), 1) == []
    assert scheduler.workers_up == 0


def test_a_worker_may_join_by_itself():
    scheduler = Scheduler([shape(1)], limits(workers=0))
    scheduler.start(0)
    assert scheduler.react(protocol.WorkerUp(7), 1) == [protocol.StartTask(7, TaskId(0, 0), 1)]


def test_towards_the_end_nobody_hoards():
    scheduler = Scheduler([shape(5)], limits(workers=2, ahead=2))
    scheduler.start(0)
    held = {0: 0, 1: 0}
    for worker in held:
        for start in only(scheduler.react(protocol.WorkerUp(worker), 0), protocol.StartTask):
            held[start.worker] += 1
    assert held == {0: 2, 1: 2}  # worker 0 knew that another was coming
    assert scheduler.react(protocol.TaskDone(0, TaskId(0, 0)), 0) == []  # the last one is for whoever is idle first
    [start] = scheduler.react(protocol.TaskDone(0, TaskId(0, 1)), 0)
    assert start.worker == 0
