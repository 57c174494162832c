"""What a run shows while it goes on."""

import io
import sys
from types import SimpleNamespace

import pytest

from scannerpy._engine import progress
from scannerpy._engine.events import Heartbeat, JobEnded, RunEnded, RunStarted, TaskEnded
from scannerpy._engine.failures import Failure
from scannerpy._engine.status import RunStatus


def status_after(*events):
    status = RunStatus()
    for event in events:
        status(event)
    return status


STARTED = RunStarted(jobs=2, tasks=4, rows=100, tasks_done=1, rows_done=20)
FAILED = JobEnded(1, Failure("b", 1, (3, 3), "Op", "boom", "", 10, 40))


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_the_status_counts_earlier_running_and_lost_rows():
    status = status_after(STARTED, TaskEnded(0, 1, 30, 0), Heartbeat(5, 2, 1), FAILED)
    assert (status.tasks_done, status.rows_done, status.rows_running, status.rows_given_up) == (2, 50, 5, 40)
    assert (status.num_workers, status.failed_workers, status.jobs_failed) == (2, 1, 1)
    assert progress.through(status) == 55
    assert progress.counts(status) == "2/4 tasks, 1 failed, 2 workers"
    assert progress.time_left(status, 2.5) == "0:00:02 left"
    status(RunEnded())
    assert status.wait(0)
    assert progress.time_left(status, 0) == "done"


def test_a_bar_on_a_terminal(monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    with progress.progress_bar(True) as bar:
        status = status_after(STARTED)
        bar.show(status)
        clock[0] += 1
        status(TaskEnded(0, 1, 30, 0))
        status(FAILED)
        bar.show(status)
    text = terminal.getvalue()
    assert "50/100" in text
    assert "30 rows/s" in text
    assert "1 failed" in text


class FakeHandle:
    """What IPython's display gives back: the output can be written over."""

    def __init__(self, page):
        self.pages = [page]

    def update(self, page):
        self.pages.append(page)


@pytest.fixture
def notebook(monkeypatch):
    """A fake of IPython in a notebook's kernel; returns the handles of what was displayed."""
    handles = []

    def display(page, *, display_id):
        assert display_id
        handles.append(FakeHandle(page))
        return handles[-1]

    shell = type("ZMQInteractiveShell", (), {})
    package = SimpleNamespace(get_ipython=type("Shell", (shell,), {}))
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    return handles


def test_a_notebook_gets_one_output_that_is_written_over(notebook, clock):
    status = status_after(STARTED)
    with progress.progress_bar(True) as bar:
        bar.show(status_after())
        assert notebook == [], "nothing is drawn before anything is known"
        for _ in range(10):
            clock[0] += 0.1
            bar.show(status)
        status(TaskEnded(0, 1, 30, 0))
        clock[0] += 1
        bar.show(status)
        status(FAILED)
        status(RunEnded())
        bar.show(status)
    (handle,) = notebook
    assert len(handle.pages) == 6, "four times a second at most, and the end"
    first, last = handle.pages[0], handle.pages[-1]
    assert "Run goes on" in first._repr_html_()
    assert "50 of 100 rows · 2.0 s" in last._repr_html_()
    assert "Run finished, with failures" in last._repr_html_()
    assert repr(last) == "50 of 100 rows, 2/4 tasks, 1 failed"


def test_a_run_that_breaks_off_leaves_a_picture_that_says_so(notebook, clock):
    status = status_after(STARTED)
    with progress.progress_bar(True) as bar:
        bar.show(status)
        status(RunEnded(cancelled=True))
    page = notebook[0].pages[-1]._repr_html_()
    assert "Run failed" in page
    assert "the run was cancelled" in page


def test_a_file_gets_a_few_plain_lines(monkeypatch, clock):
    file = io.StringIO()
    monkeypatch.setattr(progress.sys, "stderr", file)
    with progress.progress_bar(True) as bar:
        status = status_after(STARTED)
        for _ in range(100):
            clock[0] += 1
            bar.show(status)
    lines = file.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("20 of 100 rows")


def test_the_first_plain_line_knows_the_speed_already(monkeypatch, clock):
    file = io.StringIO()
    monkeypatch.setattr(progress.sys, "stderr", file)
    with progress.progress_bar(True) as bar:
        status = status_after(RunStarted(jobs=1, tasks=1, rows=200_000, tasks_done=0, rows_done=0))
        for second in range(1, 32):
            clock[0] += 1
            status(Heartbeat(2000 * second, 1, 0))
            bar.show(status)
        status(TaskEnded(0, 0, 200_000, 0))
        status(JobEnded(0, None))
        status(RunEnded())
        bar.show(status)
    first, last = file.getvalue().splitlines()
    assert first == "60,000 of 200,000 rows, 2,000 rows/s, 0:01:10 left, 0/1 tasks, 1 worker"
    assert last.startswith("200,000 of 200,000 rows, done, 1/1 tasks")


@pytest.mark.parametrize("show", [True, False])
def test_short_runs_and_silent_ones_print_nothing_to_a_file(monkeypatch, clock, show):
    file = io.StringIO()
    monkeypatch.setattr(progress.sys, "stderr", file)
    with progress.progress_bar(show) as bar:
        bar.show(status_after(STARTED, RunEnded()))
    assert file.getvalue() == ""
