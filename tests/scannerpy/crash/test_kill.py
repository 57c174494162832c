"""Nothing is lost: a run that is killed, interrupted or let down by its workers goes on where it stopped.

The figures of the many trials by hand come from `hammer`; here a few run each time.
"""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.conftest import write_config
from tests.scannerpy.crash.hammer import FRAMES, ROOT, Hammer, Hanging, _family, _role

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]


@pytest.fixture(scope="module")
def peace(tmp_path_factory):
    """A hammer that knows how long an undisturbed run takes, and the right answer."""
    hammer = Hammer(tmp_path_factory.mktemp("crash"))
    answer = hammer.undisturbed()
    assert answer.startswith(f"done {FRAMES} ")
    return hammer, answer


@pytest.mark.parametrize("number", range(8))
def test_a_killed_process_costs_nothing_that_was_stored(peace, number):
    """`kill -9` of any process of the run at any moment, then the same program again: same bytes, nothing twice."""
    hammer, right = peace
    trial = hammer.trial(random.Random(number), kills=1 + number % 2)  # noqa: S311 -- only has to be repeatable
    assert trial.answer == right, trial
    assert trial.again == [], trial


def test_overwrite_goes_on_too(peace, tmp_path):
    """A run that replaces an old result continues like any other."""
    _, right = peace
    hammer = Hammer(tmp_path / "overwrite", "Overwrite")
    assert hammer.undisturbed() == right
    trial = hammer.trial(random.Random(1), kills=2)  # noqa: S311
    assert trial.answer == right, trial
    assert trial.again == [], trial


def test_ctrl_c_ends_the_program_and_the_next_run_goes_on(peace):
    """SIGINT: the processes are gone, by the status of the signal, though kernels hang; what was stored is kept."""
    hammer, right = peace
    with _held(hammer) as run:
        run.send_signal(signal.SIGINT)
        hammer._finish(run)
    assert run.returncode == -signal.SIGINT
    since, durable = hammer._durable()
    assert hammer._finish(hammer._start(1)) == right
    assert hammer._rows(durable)
    assert hammer._repeated(since, durable) == set()


def test_a_killed_worker_is_replaced_within_the_run(peace):
    """Only the client lives on; the run completes with the same bytes."""
    hammer, right = peace
    with _held(hammer) as run:
        workers = [process for process in _family(run.pid) if _role(process, run.pid) == "worker"]
        workers[0].kill()
    assert hammer._finish(run) == right


@contextmanager
def _held(hammer):
    """Give a run that has stored some rows, and computes no more of them before the block is left."""
    hammer._fresh()
    hold = hammer.home / "log.hold"
    hold.touch()
    run = hammer._start(0)
    _until(lambda: hammer._rows(hammer._marks()), run)
    try:
        yield run
    finally:
        hold.unlink()


def _until(condition, run, patience=120):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end or run.poll() is not None:
            raise Hanging(f"the program ended or never got there: {run.poll()}")
        time.sleep(0.01)


@pytest.fixture
def script(tmp_path, clip):
    """Return a function that runs a few lines of Python as a program with two jobs, and gives what it printed."""
    write_config(tmp_path)

    def run(op, *, run_words="", timeout=100):
        lines = TEMPLATE.format(op=op, run_words=run_words)
        (tmp_path / "program.py").write_text(lines)
        environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": f"{ROOT}/src:{ROOT}"}
        command = [sys.executable, str(tmp_path / "program.py"), clip(30)]
        words = {"capture_output": True, "text": True, "timeout": timeout}
        done = subprocess.run(command, cwd=tmp_path, env=environment, check=False, **words)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines(), done.stderr

    return run


TEMPLATE = """
import os, sys, time
import scannerpy as sp
from typing import Any
from tests.clips import number_of

{op}

def main():
    sc = sp.Client()
    frames = sc.io.Input([sp.NamedVideoStream(sc, name, path=sys.argv[1]) for name in ("good", "bad")])
    column = sc.ops.Trouble(frame=frames, name=["good", "bad"])
    outs = [sp.NamedStream(sc, "out good"), sp.NamedStream(sc, "out bad")]
    perf = sp.PerfParams.manual(5, 10, pipeline_instances_per_node=2)
    job = sc.run(sc.io.Output(column, outs), perf, show_progress=False{run_words})
    print([out.committed() for out in outs])
    print([list(out.load()) == list(range(30)) for out in outs if out.committed()])
    print(sc.wait_on_job(job, show_progress=False).jobs_failed)

if __name__ == "__main__":
    main()
"""

TROUBLE = """
@sp.register_python_op()
class Trouble(sp.Kernel):
    def new_stream(self, name):
        self.name = name
    def execute(self, frame: sp.FrameType) -> Any:
        row = number_of(frame)
        {trouble}
        return row
"""


def test_a_kernel_that_ends_its_process_costs_only_its_job(script):
    """`os._exit` in a kernel, each time: three failures, the job is given up, the other one is complete."""
    out, log = script(TROUBLE.format(trouble='if self.name == "bad" and row == 17: os._exit(3)'))
    assert out == ["[True, False]", "[True]", "1"]
    assert "bad" in log
    assert "Trouble" in log


def test_a_kernel_that_ends_its_process_once_is_forgiven(script, tmp_path):
    """The task is done again elsewhere, and the answer is whole."""
    once = f'if row == 17 and not os.path.exists("{tmp_path}/once"): open("{tmp_path}/once", "w").close(); os._exit(3)'
    out, _ = script(TROUBLE.format(trouble=once))
    assert out == ["[True, True]", "[True, True]", "0"]


def test_a_task_past_its_time_is_stopped_and_its_job_given_up(script):
    """`task_timeout`: a kernel that sleeps for an hour ends after three tries, without an exception."""
    sleeping = 'if self.name == "bad" and row == 17: time.sleep(3600)'
    out, log = script(TROUBLE.format(trouble=sleeping), run_words=", task_timeout=1.0")
    assert out == ["[True, False]", "[True]", "1"]
    assert "task_timeout" in log or "timeout" in log.lower()


def test_a_kernel_stuck_in_c_code_is_stopped_too(script):
    """A kernel that never gives up the interpreter lock cannot hold the run."""
    stuck = 'if self.name == "bad" and row == 17: import re; re.match(r"(a+)+$", "a" * 60 + "b")'
    out, _ = script(TROUBLE.format(trouble=stuck), run_words=", task_timeout=1.0")
    assert out == ["[True, False]", "[True]", "1"]


SETUP = """
import scannerpy as sp
from typing import Any

@sp.register_python_op()
class Unready(sp.Kernel):
    def __init__(self, config, where):
        self.where = where
        self.fail("__init__")
    def fail(self, here):
        if self.where == here:
            raise ValueError("not ready")
    def fetch_resources(self):
        self.fail("fetch_resources")
    def setup_with_resources(self):
        self.fail("setup_with_resources")
    def execute(self, x: Any) -> Any:
        return x

def main():
    sc = sp.Client()
    sc.new_table("in", ["column"], [[bytes([128, 4, 75, row, 46])] for row in range(12)])  # pickled numbers
    column = sc.io.Input([sp.NamedStream(sc, "in")])
    perf = sp.PerfParams.manual(2, 4, pipeline_instances_per_node=2)
    for attempt in range(16):
        where = ["__init__", "fetch_resources", "setup_with_resources", "nowhere"][attempt % 4]
        out = sp.NamedStream(sc, f"out{attempt}")
        try:
            sc.run(sc.io.Output(sc.ops.Unready(x=column, where=where), [out]), perf, show_progress=False)
        except sp.ScannerException as error:
            print(where in str(error) and "not ready" in str(error), out.committed())
        else:
            print(list(out.load()) == list(range(12)))

if __name__ == "__main__":
    main()
"""


def test_kernels_that_cannot_be_set_up_fail_the_run_and_never_hang_it(tmp_path):
    """Named each time; and the next run of the same client is not disturbed."""
    write_config(tmp_path)
    (tmp_path / "program.py").write_text(SETUP)
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": f"{ROOT}/src:{ROOT}"}
    words = {"capture_output": True, "text": True, "timeout": 120}
    command = [sys.executable, str(tmp_path / "program.py")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False, **words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["True False", "True False", "True False", "True"] * 4
