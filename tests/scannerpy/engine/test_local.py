"""Runs on worker processes: what works, what breaks, and that nothing is left behind."""

import gc
import importlib
import logging
import os
import pathlib
import signal
import sys
import threading
import warnings
from multiprocessing.shared_memory import SharedMemory
from types import SimpleNamespace

import psutil
import pytest

from scannerpy._engine import events as e
from scannerpy._engine.local import LocalExecutor
from scannerpy._engine.pool import Pool, WorkerProcess
from scannerpy._engine.run import Cancellation, execute, raise_if_failed
from scannerpy.errors import JobFailed, KernelError
from tests.scannerpy.engine import programs as p
from tests.scannerpy.engine.running import Run, lives, our_processes, our_threads, spec


@pytest.fixture(scope="module")
def pool():
    pool = Pool()
    yield pool
    pool.close()
    assert our_processes() == []
    assert our_threads() == []


def rows(n, times=1):
    return [p.value_of(i) * times for i in range(n)]


def test_every_job_is_computed_and_committed_once(pool):
    run = Run(p.chain([p.twice], rows=(30, 7, 0, 55)), pool)
    assert run.committed == {0: rows(30, 2), 1: rows(7, 2), 2: [], 3: rows(55, 2)}
    assert run.status.finished
    assert run.status.result.success
    assert (run.status.jobs_done, run.status.tasks_done, run.status.rows_done) == (4, 10, 92)
    assert isinstance(run.events[0], e.RunStarted)
    assert isinstance(run.events[-1], e.RunEnded)


def test_workers_stay_warm_between_runs(pool):
    Run(p.chain([p.twice]), pool)
    before = {child.pid for child in our_processes()}
    Run(p.chain([p.twice]), pool)
    assert {child.pid for child in our_processes()} == before


def test_kernels_from_main_and_closures_travel(pool):
    offset = b"!"

    def shout(config, value: bytes) -> bytes:
        return value + offset

    assert Run(p.chain([shout], rows=(3,)), pool).committed == {0: [b"0!", b"1!", b"2!"]}


def test_earlier_results_are_not_computed_again(pool):
    earlier = {0: {1: (["kept"] * 10,)}}
    run = Run(p.chain([p.twice], rows=(30,)), pool, earlier=earlier)
    assert run.committed[0] == [*rows(10, 2), *["kept"] * 10, *rows(30, 2)[20:]]
    assert run.events[0].tasks_done == 1
    assert run.status.tasks_done == 3


@pytest.mark.parametrize(("deed", "how"), [("exit", "exited with code 7"), ("kill", "SIGKILL"), ("raise", "I do not")])
def test_a_kernel_that_breaks_costs_its_job_and_no_other(pool, deed, how):
    run = Run(p.chain([p.touchy, p.twice], rows=(30, 10, 10), io=10, **{deed: 12}), pool)
    assert run.committed == {1: rows(10, 2), 2: rows(10, 2)}
    assert run.status.jobs_failed == 1
    assert run.status.result.success
    [failure] = run.outcome.failures
    assert (failure.stream, failure.job) == ("stream 0", 0)
    assert failure.rows[0] <= 12 <= failure.rows[1]
    assert failure.op == "touchy"
    assert how in failure.reason
    assert failure.rows_kept in {0, 10, 20}
    assert how in str(run.outcome.failures)
    assert failure.story.count("given to worker") >= 3


def test_an_innocent_neighbour_of_a_killer_is_never_blacklisted(pool):
    for _ in range(3):
        run = Run(p.chain([p.touchy], rows=(20, 12, 12, 12), io=4, work=2, exit=15), pool)
        assert sorted(run.committed) == [1, 2, 3]


def test_a_reader_that_raises_and_a_full_disk(pool):
    run = Run(p.chain([p.twice], rows=(30,), reader={"bad": 17}), pool)
    assert run.committed == {}
    assert run.outcome.failures[0].rows == (17, 17)
    run = Run(p.chain([p.twice], rows=(30,), sink_args={"full_at": 13}), pool)
    assert "No space left" in run.outcome.failures[0].reason
    assert run.outcome.failures[0].rows_kept == 10


class StillClock:
    """A run's clock that goes on only while a kernel hangs and nothing else is left to do: so nothing else is late."""

    def __init__(self, run, folder, others):
        self.run, self.folder, self.others = run, folder, others
        self.now = 0.0

    def __call__(self):
        if self._others_are_done() and any(lives(int(path.name.split()[-1])) for path in self.folder.iterdir()):
            self.now += 0.1
        return self.now

    def _others_are_done(self):
        done = [event for event in self.run.events if isinstance(event, e.TaskEnded) and not event.reason]
        return len(done) == self.others


@pytest.mark.parametrize("where", ["kernel", "reader"])
def test_a_task_past_its_time(pool, where, caplog, monkeypatch, tmp_path):
    run = Run()
    monkeypatch.setenv(p.WATCHED, str(tmp_path))
    monkeypatch.setattr("scannerpy._engine.run.time", SimpleNamespace(monotonic=StillClock(run, tmp_path, others=2)))
    monkeypatch.setattr(logging.getLogger("scanner"), "handlers", [caplog.handler])
    if where == "kernel":
        made = p.chain([p.touchy], rows=(20, 5), sleep=12)
    else:
        made = p.chain([p.twice], rows=(20, 5), reader={"hang": 12})
    run.go(made, pool, task_timeout=1)
    assert run.committed == {1: rows(5, 2 if where == "reader" else 1)}
    [failure] = run.outcome.failures
    assert "ran longer than task_timeout (1 s)" in failure.reason
    assert failure.rows[0] <= 12 <= failure.rows[1]
    assert run.status.failed_workers == 3
    assert caplog.text.count("ended on purpose: a task ran longer than task_timeout (1 s)") == 3
    assert "memory" not in caplog.text  # as is said of a worker that somebody else has killed


def test_workers_killed_at_random_change_nothing(pool):
    killed = []

    def kill_one_now_and_then(event):
        if isinstance(event, e.TaskEnded) and len(killed) < 4 and event.task % 3 == len(killed) % 3:
            spared = {*killed, *(worker.pid for worker in pool._idle)}  # the last one may still be dying
            child = next((c for c in our_processes() if c.pid not in spared), None)
            if child:
                killed.append(child.pid)
                child.kill()

    made = p.chain([p.slow, p.twice], rows=(60, 60), io=5, seconds=0.02)
    run = Run(made, pool, listener=kill_one_now_and_then, attempts=5)  # one task may happen to be hit each time
    assert run.committed == {0: rows(60, 2), 1: rows(60, 2)}
    assert len(killed) == 4
    assert run.status.failed_workers == 4


def test_without_workers_the_run_fails_in_time(pool):
    run = Run(p.chain([p.twice]), pool, workers=0, no_workers_timeout=0.2)
    assert "no workers" in run.outcome.error
    assert not run.status.result.success
    with pytest.raises(JobFailed, match="no workers"):
        raise_if_failed(run.outcome)


def test_kernels_that_cannot_be_made_fail_the_run_with_their_own_words(pool):
    run = Run(p.chain([p.Broken]), pool)
    assert run.commits == []
    with pytest.raises(KernelError, match="no model here") as caught:
        raise_if_failed(run.outcome)
    assert 'raise RuntimeError("no model here")' in str(caught.value)
    assert Run(p.chain([p.twice], rows=(3,)), pool).committed == {0: rows(3, 2)}


def test_resources_are_fetched_once_per_run_before_any_setup(pool, tmp_path):
    path = tmp_path / "life"
    for _ in range(2):
        path.write_text("")
        Run(p.chain([p.Resourceful, p.slow], rows=(40,), path=str(path), seconds=0.01), pool, workers=3)
        lines = [line.split() for line in path.read_text().splitlines()]
        deeds = [deed for _, deed in lines]
        assert deeds.count("fetch") == 1
        assert deeds.count("init") == deeds.count("setup") == deeds.count("close") == 3
        assert deeds.index("fetch") < deeds.index("setup")


def die_fetching(self):
    self.say("fetch")
    if pathlib.Path(self.path).read_text().count("fetch") < 2:
        os._exit(1)


def test_another_instance_fetches_when_the_first_dies_at_it(pool, tmp_path):
    kernel = type("Mortal", (p.Resourceful,), {"fetch_resources": die_fetching, "execute": p.Resourceful.execute})
    path = tmp_path / "life"
    path.write_text("")
    column = p.op(kernel, p.source(({},)), path=str(path))
    run = Run(p.plan([p.SinkNode(name="Memory", inputs=(column,), per_job=({},))], (10,)), pool)
    assert run.committed == {0: rows(10)}


def refuse_to_fetch(self):
    raise OSError("nothing to fetch from")


def test_instances_that_cannot_fetch_never_pass_it_on_to_one_that_has_given_up(pool, tmp_path):
    kernel = type("Lost", (p.Resourceful,), {"fetch_resources": refuse_to_fetch, "execute": p.Resourceful.execute})
    column = p.op(kernel, p.source(({},)), path=str(tmp_path / "life"))
    for _ in range(15):
        run = Run(p.plan([p.SinkNode(name="Memory", inputs=(column,), per_job=({},))], (40,)), pool, workers=3)
        assert "nothing to fetch from" in run.outcome.error


@pytest.mark.parametrize("stage", ["load", "evaluate", "waiting"])
def test_cancelling_commits_what_is_complete_and_ends_soon(pool, stage):
    cancellation = Cancellation()

    def stop_when_first_is_done(event):
        if (isinstance(event, e.TaskEnded) and event.job == 1) or (
            stage == "waiting" and isinstance(event, e.RunStarted)
        ):
            cancellation.cancel()

    reader = {"hang": 45} if stage == "load" else {}
    made = p.chain([p.slow], rows=(4000, 3), io=40, reader=reader, seconds=0.1)
    run = Run(made, pool, cancellation=cancellation, listener=stop_when_first_is_done)
    assert run.outcome.cancelled
    assert run.committed == ({} if stage == "waiting" else {1: rows(3)})
    assert run.status.result.msg == "the run was cancelled"


def test_ctrl_c_commits_what_is_complete_and_comes_out(pool):
    def interrupt(event):
        if isinstance(event, e.TaskEnded) and event.job == 1:
            os.kill(os.getpid(), signal.SIGINT)

    run = Run()
    with pytest.raises(KeyboardInterrupt):
        run.go(p.chain([p.slow], rows=(4000, 3), io=40, seconds=0.1), pool, listener=interrupt)
    assert run.committed == {1: rows(3)}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_commit_that_fails_stops_the_run(pool):
    def commit(_):
        raise OSError(28, "No space left on device")

    told = []
    with pytest.raises(OSError, match="No space left"):
        execute(spec(p.chain([p.twice])), LocalExecutor(pool), told.append, commit)
    assert "No space left" in told[-1].error


def test_a_kernel_that_cannot_be_pickled_is_named(pool):
    lock = threading.Lock()

    def locked(config, value: bytes) -> bytes:
        with lock:
            return value

    with pytest.raises(KernelError, match="locked"):
        Run(p.chain([locked]), pool)


def test_changed_surroundings_reach_warm_workers(pool, tmp_path, monkeypatch):
    def look(config, value: bytes) -> bytes:
        return f"{pathlib.Path.cwd()} {os.environ.get('SCANNER_TEST_WORD')}".encode()

    Run(p.chain([look], rows=(1,)), pool)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCANNER_TEST_WORD", "word")
    assert Run(p.chain([look], rows=(1,)), pool).committed == {0: [f"{tmp_path} word".encode()]}


def test_a_worker_leaves_when_its_parent_is_gone(pool):
    worker = WorkerProcess()
    worker.pipe.close()
    assert "exited with code 0" in worker.exit_reason()
    worker.discard()


def shared_memory():
    """Shared memory of this process and its workers, by name; what is unlinked cannot be left behind."""
    paths = {part.path for process in (psutil.Process(), *our_processes()) for part in process.memory_maps()}
    return {path for path in paths if path.startswith("/dev/shm/") and pathlib.Path(path).exists()}  # noqa: S108  # only looked at


def test_named_shared_memory_would_be_seen():
    before = shared_memory()
    block = SharedMemory(create=True, size=1)
    try:
        assert {pathlib.Path(path).name for path in shared_memory() - before} == {block.name}
    finally:
        block.close()
        block.unlink()


def test_closing_a_pool_leaves_nothing_behind():
    processes, threads, shm = set(our_processes()), our_threads(), shared_memory()
    own = Pool()
    Run(p.chain([p.twice]), own)
    assert len(our_processes()) > len(processes)
    assert shared_memory() == shm  # nor would a pool that is killed
    files = psutil.Process().num_fds()
    own.close()
    gc.collect()
    assert psutil.Process().num_fds() < files
    assert our_threads() == threads
    assert set(our_processes()) == processes


def test_a_module_edited_between_two_runs_is_imported_anew(pool, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # its time stamps are too coarse for two edits in a second
    seen = []
    for word in ("first", "second"):
        (tmp_path / "edited_ops.py").write_text(f"def word(config, value: bytes) -> bytes:\n    return b'{word}'\n")
        sys.modules.pop("edited_ops", None)
        importlib.invalidate_caches()
        kernel = importlib.import_module("edited_ops").word
        run = Run(p.chain([kernel], rows=(30, 5)), pool)
        seen.append({e for rows in run.committed.values() for e in rows})
        assert run.status.failed_workers == 0
    assert seen == [{b"first"}, {b"second"}]


def test_a_fork_server_killed_with_its_workers_is_replaced(pool):
    killed = []

    def kill_server(event):
        if isinstance(event, e.TaskEnded) and not killed:
            server = our_processes()[0].parent()
            killed.append(server.pid)
            server.kill()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # multiprocessing says that its helper died
        run = Run(p.chain([p.slow], rows=(40, 40), io=5, seconds=0.02), pool, listener=kill_server)
    assert run.committed == {0: rows(40), 1: rows(40)}
    assert killed
