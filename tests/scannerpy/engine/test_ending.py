"""Programs that end, or are ended, take their workers with them."""

import os
import signal
import subprocess
import sys
import time

from tests.scannerpy.engine import programs as p
from tests.scannerpy.engine.running import lives

PROGRAM = """
import sys
from scannerpy._engine.pool import Pool
from tests.scannerpy.engine import programs as p
from tests.scannerpy.engine.running import Run, our_processes
from scannerpy._engine.events import TaskEnded

def tell(event):
    if isinstance(event, TaskEnded) and event.job == 0:
        print(*[c.pid for c in our_processes()], flush=True)

pool = Pool()
run = Run()
try:
    run.go(p.chain([p.slow], rows=(10, 30_000), io=10, seconds=0.02), pool, listener=tell)
finally:
    print("committed", *run.committed, flush=True)
"""


def start_program(code=PROGRAM):
    """A program in a process group of its own, as a shell starts one, that would run for minutes; returns it and its
    workers' pids.
    """
    command = [sys.executable, "-c", code]
    program = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    return program, [int(pid) for pid in program.stdout.readline().split()]


def gone(pids, seconds=60):
    deadline = time.monotonic() + seconds
    while (left := any(map(lives, pids))) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not left


def test_ctrl_c_at_a_terminal_ends_program_and_workers_without_noise():
    program, workers = start_program()
    os.killpg(program.pid, signal.SIGINT)
    out, err = program.communicate(timeout=120)
    assert program.returncode == -signal.SIGINT
    assert "committed 0" in out
    assert err.count("Traceback") == 1
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert gone(workers)


def test_workers_of_a_killed_program_leave():
    program, workers = start_program()
    assert workers
    program.kill()
    program.communicate()
    assert gone(workers)


def test_workers_of_a_killed_program_leave_even_if_a_kernel_never_lets_go_of_the_interpreter(monkeypatch, tmp_path):
    monkeypatch.setenv(p.WATCHED, str(tmp_path))
    program, workers = start_program(PROGRAM.replace("p.chain([p.slow]", "p.chain([p.slow, p.stubborn]"))
    assert workers
    while not any(tmp_path.iterdir()):  # into the kernel
        assert program.poll() is None
        time.sleep(0.02)
    program.kill()
    program.communicate()
    assert gone(workers)


def test_a_program_that_never_closes_its_pool_ends_all_the_same():
    code = PROGRAM.replace("rows=(10, 30_000)", "rows=(10,)") + "\nprint('end', flush=True)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.endswith("end\n")
    assert done.stderr == ""
