"""Runs without processes or threads (``debug=True``)."""

import threading
from types import SimpleNamespace

import pytest

from scannerpy._engine import inline
from scannerpy._engine.run import raise_if_failed
from scannerpy.errors import KernelError
from tests.scannerpy.engine import programs as p
from tests.scannerpy.engine.running import Run, our_processes


def rows(n, times=1):
    return [p.value_of(i) * times for i in range(n)]


def test_everything_happens_in_this_thread_and_process():
    seen = set()

    def look(config, value: bytes) -> bytes:
        seen.add(threading.current_thread())
        return value

    before = our_processes()
    run = Run(p.chain([look], rows=(30, 0, 5)))
    assert run.committed == {0: rows(30), 1: [], 2: rows(5)}
    assert seen == {threading.main_thread()}
    assert our_processes() == before


def test_a_kernel_that_raises_costs_its_job_only():
    run = Run(p.chain([p.touchy], rows=(30, 8), **{"raise": 12}))
    assert run.committed == {1: rows(8)}
    [failure] = run.outcome.failures
    assert (failure.rows, failure.op) == ((12, 12), "touchy")
    assert failure.rows_kept in {10, 20}  # what was queued before the third failure was done in between


def test_a_kernel_that_cannot_be_made_fails_the_run():
    run = Run(p.chain([p.Broken]))
    with pytest.raises(KernelError, match="no model here"):
        raise_if_failed(run.outcome)


def test_kernels_are_set_up_and_closed(tmp_path):
    path = tmp_path / "life"
    Run(p.chain([p.Resourceful], rows=(15,), path=str(path)))
    deeds = [line.split()[1] for line in path.read_text().splitlines()]
    assert deeds == ["init", "fetch", "setup", "reset", "reset", "close"]


def test_a_task_past_its_time_counts_as_failed_when_it_is_over(monkeypatch):
    """By a clock that only the kernel moves: a minute a row."""
    now = [0.0]
    monkeypatch.setattr(inline, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def takes_a_minute(config, value: bytes) -> bytes:
        now[0] += 60
        return value

    run = Run(p.chain([takes_a_minute], rows=(5, 1), io=5), task_timeout=200)
    assert run.committed == {1: rows(1)}
    assert "task_timeout" in run.outcome.failures[0].reason


def test_ctrl_c_comes_out_of_a_kernel_and_what_was_complete_is_committed():
    def interrupt(config, value: bytes) -> bytes:
        if value == p.value_of(12):
            raise KeyboardInterrupt
        return value

    run = Run()
    with pytest.raises(KeyboardInterrupt):
        run.go(p.chain([interrupt], rows=(11, 13)), checkpoint_frequency=100)
    assert run.committed in ({}, {0: rows(11)})
    assert run.events[-1].cancelled


def test_failures_of_many_jobs_are_reported_together(caplog):
    run = Run(p.chain([p.touchy], rows=(30,) * 15, **{"raise": 2}))
    assert run.status.jobs_failed == 15
    report = str(run.outcome.failures)
    assert report.startswith("15 streams failed")
    assert report.count("Traceback") == 1
    assert "stream 0, stream 1, stream 2 and 12 more" in report
