"""`Client.cancel_job`: a run that goes on in the background is stopped, keeps what it has, and can go on later."""

import threading
from typing import Any

import pytest

import scannerpy as sp
from scannerpy.errors import JobFailed, ScannerException
from tests.scannerpy.jobs.world import World

reached, go_on = threading.Event(), threading.Event()
world = World()


@sp.register_python_op()
def Waiting(config, frame: sp.FrameType) -> Any:
    world.calls.append(1)
    if len(world.calls) == 15:
        reached.set()
        go_on.wait(60)
    return len(world.calls)


@pytest.fixture(autouse=True)
def fresh():
    reached.clear()
    go_on.clear()
    world.clear()


@pytest.fixture
def output(cl, clip):
    film = sp.NamedVideoStream(cl, "film", path=clip(30))
    return cl.io.Output(cl.ops.Waiting(frame=cl.io.Input([film])), [sp.NamedStream(cl, "out")])


TENS = sp.PerfParams.manual(10, 10)


def test_a_detached_run_is_cancelled_and_goes_on_later(cl, output):
    job = cl.run(output, TENS, detach=True)
    assert reached.wait(60)
    assert cl.cancel_job(job) is True
    go_on.set()
    status = cl.wait_on_job(job, show_progress=False)
    assert (status.finished, status.cancelled, status.result.success) == (True, True, False)
    assert status.result.msg == "the run was cancelled"
    assert cl.get_active_jobs() == []
    assert not sp.NamedStream(cl, "out").committed()
    assert len(world.calls) == 20  # the task that ran was finished, and the third never begun
    cl.retry_job(job, show_progress=False)
    assert len(world.calls) == 30
    assert sp.NamedStream(cl, "out").committed()


def test_the_same_run_goes_on_too(cl, output):
    job = cl.run(output, TENS, detach=True)
    assert reached.wait(60)
    cl.cancel_job(job)
    go_on.set()
    cl.wait_on_job(job, show_progress=False)
    cl.run(output, TENS, show_progress=False)
    assert len(world.calls) == 30


def test_one_that_waits_for_another_is_cancelled_before_it_begins(cl, output, clip):
    first = cl.run(output, TENS, detach=True)
    film = sp.NamedVideoStream(cl, "film", path=clip(30))
    other = cl.io.Output(cl.ops.Waiting(frame=cl.io.Input([film])), [sp.NamedStream(cl, "other")])
    second = cl.run(other, TENS, detach=True)
    assert reached.wait(60)
    cl.cancel_job(second)
    go_on.set()
    assert cl.wait_on_job(second, show_progress=False).cancelled
    assert cl.wait_on_job(first, show_progress=False).result.success
    assert len(world.calls) == 30


def test_a_run_in_the_foreground_says_that_it_was_cancelled(cl, output):
    def cancel():
        reached.wait(60)
        cl.cancel_job(0)
        go_on.set()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(JobFailed, match="job 0 was cancelled"):
        cl.run(output, TENS, show_progress=False)
    canceller.join()


def test_cancelling_what_has_ended_changes_nothing(cl, output):
    go_on.set()
    job = cl.run(output, TENS, show_progress=False)
    assert cl.cancel_job(job) is False
    assert cl.job_status(job).result.success
    with pytest.raises(ScannerException, match="was not run by this client"):
        cl.cancel_job(9)
