"""Retrying a run computes what is missing of it, and nothing else, whoever asks and whenever."""

import os
import pickle
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import scannerpy as sp
from scannerpy._client import recipes
from scannerpy._client.recipes import _key_file, _sign
from scannerpy.errors import ScannerException
from tests.clips import number_of
from tests.scannerpy.jobs.world import World

ROOT = Path(__file__).parents[3]
QUIETLY = {"PYTHONPATH": f"{ROOT}/src", "PYTHONDONTWRITEBYTECODE": "1"}  # time stamps are too coarse
world = World()


@sp.register_python_op()
class Moody(sp.Kernel):
    def new_stream(self, name: str):
        self.name = name

    def execute(self, frame: sp.FrameType) -> Any:
        world.calls.append(1)
        if (self.name, number_of(frame)) in world.bad:
            raise ValueError("a bad moment")
        return len(world.calls)


@pytest.fixture(autouse=True)
def fresh():
    world.clear()


@pytest.fixture
def film(cl, clip):
    return sp.NamedVideoStream(cl, "film", path=clip(30))


def outputs(cl, film, *names):
    frames = cl.io.Input([film] * len(names))
    return cl.io.Output(cl.ops.Moody(frame=frames, name=list(names)), [sp.NamedStream(cl, name) for name in names])


TENS = sp.PerfParams.manual(10, 10)


def failed_run(cl, film, *names, mode=sp.CacheMode.Error):
    """A run of 30 rows per name, in which the third task of the first stream fails three times."""
    world.bad.add((names[0], 20))
    job = cl.run(outputs(cl, film, *names), TENS, mode, show_progress=False)
    assert cl.job_status(job).jobs_failed == 1
    world.bad.clear()
    return job


def test_only_what_is_missing_is_computed(cl, film):
    job = failed_run(cl, film, "first", "second")
    first, second = sp.NamedStream(cl, "first"), sp.NamedStream(cl, "second")
    assert (first.committed(), second.committed()) == (False, True)
    before = (len(world.calls), list(second.load()))
    again = cl.retry_job(job, show_progress=False)
    assert first.committed()
    assert len(list(first.load())) == 30
    assert len(world.calls) - before[0] == 10  # the one task
    assert list(second.load()) == before[1]
    assert cl.job_status(again).jobs_failed == 0
    assert cl.retry_job(job, show_progress=False) is None


def test_a_retry_that_fails_again_can_be_retried(cl, film):
    job = failed_run(cl, film, "out")
    world.bad.add(("out", 25))
    again = cl.retry_job(job, show_progress=False)
    assert cl.job_status(again).failures[0].rows_kept == 20
    assert not sp.NamedStream(cl, "out").committed()
    world.bad.clear()
    cl.retry_job(again, show_progress=False)
    assert sp.NamedStream(cl, "out").committed()
    assert cl.retry_job(job, show_progress=False) is None


def test_what_was_made_since_is_left(cl, film):
    job = failed_run(cl, film, "out")
    cl.run(outputs(cl, film, "out"), TENS, sp.CacheMode.Ignore, show_progress=False)
    assert cl.retry_job(job, show_progress=False) is None


def test_a_run_that_replaces_keeps_the_old_until_the_retry_is_done(cl, film):
    cl.run(outputs(cl, film, "out"), TENS, show_progress=False)
    old = list(sp.NamedStream(cl, "out").load())
    job = failed_run(cl, film, "out", mode=sp.CacheMode.Overwrite)
    assert list(sp.NamedStream(cl, "out").load()) == old
    before = len(world.calls)
    assert cl.retry_job(job, show_progress=False) is not None
    assert len(world.calls) == before + 10
    assert list(sp.NamedStream(cl, "out").load()) != old
    assert cl.retry_job(job, show_progress=False) is None


def test_an_input_that_changed_is_computed_from_the_beginning(cl, film, clip, caplog, monkeypatch):
    job = failed_run(cl, film, "out")
    cl.ingest_videos([("film", clip(40))], force=True)
    before = len(world.calls)
    cl.retry_job(job, show_progress=False)
    assert len(world.calls) == before + 40
    assert len(list(sp.NamedStream(cl, "out").load())) == 40


PROGRAM = """
import os, sys
from typing import Any
import scannerpy as sp
import myops

class Box:
    def __init__(self, value): self.value = value

@sp.register_python_op()
class Fragile(sp.Kernel):
    def __init__(self, config, size: int = 1):
        self.size = size
    def execute(self, frame: sp.FrameType) -> Any:
        with open("calls", "a") as file:
            file.write("x")
        if os.path.exists("kill") and os.path.getsize("calls") == 25:
            os.kill(os.getpid(), 9)
        if os.path.exists("bad") and os.path.getsize("calls") > 20:
            raise ValueError("the file is there")
        return myops.scale(float(frame.mean()) + self.size)

if __name__ == "__main__":
    cl = sp.Client(config=sp.Config(db_path="db"), debug=True)
    film = sp.NamedVideoStream(cl, "film", path=sys.argv[1])
    made = cl.ops.Fragile(frame=cl.io.Input([film]), size=3)
    cl.run(cl.io.Output(made, [sp.NamedStream(cl, "out")]), sp.PerfParams.manual(10, 10), show_progress=False)
"""


@pytest.fixture
def elsewhere(tmp_path, clip):
    """A program in a folder of its own, with a module of its own; run it and it fails, or dies, in its last task."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "myops.py").write_text("def scale(x): return 2 * x\n")

    def run(how):
        (tmp_path / how).touch()
        environment = {**os.environ, **QUIETLY}
        done = subprocess.run(
            [sys.executable, "program.py", clip(30)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=140,
        )  # fmt: skip
        (tmp_path / how).unlink()
        return done

    return tmp_path, run


RETRY = """
import sys
import scannerpy as sp
cl = sp.Client(config=sp.Config(db_path="db"), debug=True)
job = int(sys.argv[1])
status = cl.job_status(job)
print(status.finished, status.result.success, status.jobs_failed, [f.rows_kept for f in status.failures])
try:
    print(cl.retry_job(job, as_it_was="--as-it-was" in sys.argv, show_progress=False))
    print(sp.NamedStream(cl, "out").committed() and len(list(sp.NamedStream(cl, "out").load())))
except sp.ScannerException as error:
    print("refused:", error)
"""


def retried(folder, *arguments, job=0):
    """Retry a job in a process that never saw the program. What it prints, and how many rows it computed."""
    before = (folder / "calls").stat().st_size
    environment = {**os.environ, **QUIETLY}
    done = subprocess.run(
        [sys.executable, "-c", RETRY, str(job), *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=140,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), (folder / "calls").stat().st_size - before


def test_another_process_retries_without_the_program(elsewhere):
    folder, run = elsewhere
    assert "the file is there" in run("bad").stderr
    assert retried(folder) == (["True True 1 [20]", "1", "30"], 10)


def test_a_killed_program_is_told_and_retried(elsewhere):
    folder, run = elsewhere
    assert run("kill").returncode == -9
    assert retried(folder) == (["True False 0 []", "1", "30"], 10)


def test_a_program_that_changed_is_not_retried_unawares(elsewhere):
    folder, run = elsewhere
    run("bad")
    (folder / "program.py").write_text(PROGRAM.replace("+ self.size", "- self.size"))
    lines, computed = retried(folder)
    assert computed == 0
    assert lines[1].startswith("refused: ")
    assert "scanner run --only-missing" in lines[1]
    assert "--as-it-was" in lines[1]
    (folder / "bad").touch()
    assert retried(folder, "--as-it-was")[1] == 3  # fails once more, three times at the first row
    (folder / "bad").unlink()
    assert "scanner run --only-missing" in retried(folder, job=1)[0][1]  # a retry is of its first run's program
    assert retried(folder, "--as-it-was", job=1)[1] == 10


def test_a_module_that_changed_is_used_as_it_is_and_nothing_is_mixed(elsewhere):
    folder, run = elsewhere
    run("bad")
    (folder / "myops.py").write_text("def scale(x): return 3 * x\n")
    assert retried(folder) == (["True True 1 [20]", "1", "30"], 30)


def test_a_module_that_is_gone_is_a_sentence(elsewhere):
    folder, run = elsewhere
    run("bad")
    (folder / "myops.py").unlink()
    lines, _ = retried(folder)
    assert lines[1].startswith("refused: job 0 cannot be retried: its code is no longer where it was")


class Evil:
    def __reduce__(self):
        return os.mkdir, (os.environ["EVIL_FOLDER"],)


@pytest.mark.parametrize("forger", ["without the key", "with another key", "from another job"])
def test_what_this_account_did_not_sign_is_never_unpickled(cl, film, tmp_path, monkeypatch, forger):
    monkeypatch.setenv("EVIL_FOLDER", str(tmp_path / "owned"))
    job = failed_run(cl, film, "out")
    recipe = tmp_path / "db" / "jobs" / f"{job:08d}" / "recipe"
    evil = pickle.dumps(Evil())
    signature = {
        "without the key": recipe.read_bytes()[17:49],
        "with another key": _sign(b"k" * 32, job, evil),
        "from another job": _sign(_key_file().read_bytes(), job + 1, evil),
    }[forger]
    recipe.write_bytes(b"scanner recipe 1\n" + signature + evil)
    with pytest.raises(ScannerException, match="was not run by this account"):
        cl.retry_job(job, show_progress=False)
    assert not (tmp_path / "owned").exists()


def test_code_of_another_version_is_refused(cl, film, monkeypatch):
    job = failed_run(cl, film, "out")
    monkeypatch.setattr(recipes, "VERSION", "99.0")
    with pytest.raises(ScannerException, match=r"was run by Scanner .*, and this is Scanner 99.0"):
        cl.retry_job(job, show_progress=False)


def test_another_account_is_refused(cl, film, tmp_path, monkeypatch):
    job = failed_run(cl, film, "out")
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    with pytest.raises(ScannerException, match="was not run by this account"):
        cl.retry_job(job, show_progress=False)


def test_the_key_is_for_its_owner_only(cl, film):
    failed_run(cl, film, "out")
    assert _key_file().stat().st_mode & 0o077 == 0


def test_a_home_that_cannot_be_written_costs_only_the_retry(cl, film, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    job = failed_run(cl, film, "out")
    with pytest.raises(ScannerException, match=r"cannot be retried without its program, because .*signing.key"):
        cl.retry_job(job, show_progress=False)


LOCKED = """
import threading
import scannerpy as sp
lock = threading.Lock()

@sp.register_python_op()
def Locked(config, frame: sp.FrameType) -> bytes:
    with lock:
        raise ValueError("no")
"""


def test_a_graph_that_cannot_be_pickled_costs_only_the_retry(cl, film, monkeypatch):
    monkeypatch.setitem(sys.modules, "no_file", module := types.ModuleType("no_file"))
    exec(LOCKED, vars(module))  # noqa: S102  # a module that can only travel by value, as one of a notebook
    locked = cl.ops.Locked(frame=cl.io.Input([film]))
    job = cl.run(cl.io.Output(locked, [sp.NamedStream(cl, "locked")]), show_progress=False)
    with pytest.raises(ScannerException, match=r"Locked .* cannot be pickled"):
        cl.retry_job(job, show_progress=False)


@sp.register_source("Letters", stream_params=("word",))
class Letters:
    def __init__(self, word):
        self.word = word

    def __len__(self):
        return len(self.word)

    def read(self, rows):
        for row in rows:
            yield self.word[row].encode()

    def identity(self):
        return self.word


@sp.register_sink("RetryFolder", stream_params=("path",))
class RetryFolder:
    def __init__(self, path):
        self.path = Path(path)

    def write(self, start, elements):
        for row, element in enumerate(elements, start):
            (self.path / str(row)).write_bytes(element)

    def finish(self):
        return None


@sp.register_python_op()
def Shout(config, letter: bytes) -> bytes:
    world.calls.append(letter)
    if letter in world.bad:
        raise ValueError("unspeakable")
    return letter.upper()


def test_outputs_that_are_no_tables_are_written_again_where_they_failed(cl, tmp_path):
    folders = [tmp_path / "0", tmp_path / "1"]
    for folder in folders:
        folder.mkdir()
    letters = cl.sources.Letters(word=["abc", "xyz"])
    world.bad.add(b"y")
    job = cl.run(cl.sinks.RetryFolder(input=cl.ops.Shout(letter=letters), path=folders), TENS, show_progress=False)
    world.bad.clear()
    world.calls.clear()
    assert cl.retry_job(job, show_progress=False) is not None
    assert world.calls == [b"x", b"y", b"z"]
    assert (folders[1] / "1").read_bytes() == b"Y"


def test_scanner_retry(elsewhere, monkeypatch):
    """The command, with worker processes, from another folder than the program's."""
    folder, run = elsewhere
    run("bad")
    environment = {**os.environ, **QUIETLY}
    done = subprocess.run(
        [sys.executable, "-m", "scannerpy.cli", "retry", "0", "--db", folder / "db"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=140,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Job 1 retried job 0" in done.stdout
    assert "1 of 1 stream complete" in done.stdout
