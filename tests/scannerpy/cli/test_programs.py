"""`scanner run` and `scanner explain`: a user's program, executed as `python FILE` would."""

import json
import os
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import scannerpy as sp
from scannerpy import cli
from scannerpy.client import RunRequest, around_runs
from scannerpy.errors import ScannerException

PROGRAM = """
import os, sys
from typing import Any
import scannerpy as sp
import beside

@sp.register_python_op()
def Careful(config, frame: sp.FrameType) -> Any:
    if os.path.exists("bad"):
        raise ValueError("bad day")
    return float(frame.mean())

cl = sp.Client(debug=True)
film = sp.NamedVideoStream(cl, "film", path=sys.argv[1])
frames = cl.streams.Stride(cl.io.Input([film]), [10])
first, second = sp.NamedStream(cl, "first"), sp.NamedStream(cl, "second")
cl.run(cl.io.Output(cl.ops.Careful(frame=frames), [first]), show_progress=False)
print("between", __name__, sys.argv[2:], beside.VALUE)
cl.run(cl.io.Output(cl.ops.Pass(input=cl.io.Input([first])), [second]))
print("after", len(list(second.load())))
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A program with two runs, the second of which needs what the first makes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCANNER_DB_PATH", raising=False)
    (tmp_path / "beside.py").write_text("VALUE = 7\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    yield "program.py"
    sys.modules.pop("beside", None)
    os.environ.pop("SCANNER_DB_PATH", None)


def scanner(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def write(tmp_path, text):
    (tmp_path / "other.py").write_text(textwrap.dedent(text))
    return "other.py"


def test_run_executes_the_program_and_says_what_was_made(program, clip):
    result = scanner("run", "--db", "db", program, clip(30), "--own", "x")
    assert result.exit_code == 0, result.output
    assert "between __main__ ['--own', 'x'] 7" in result.stdout
    assert "after 3" in result.stdout
    assert "Job 0: finished" in result.stdout
    assert "Job 1: finished" in result.stdout
    assert Path("db/log").is_dir()


def test_run_for_machines_leaves_the_standard_output_alone(program, clip):
    result = scanner("run", "--db", "db", "--json", program, clip(30))
    jobs = json.loads(result.stdout)
    assert [(job["state"], job["streams"][0]["name"], job["rows"]["done"]) for job in jobs] == [
        ("finished", "first", 3),
        ("finished", "second", 3),
    ]
    assert "between" in result.stderr


def test_run_tells_failures_and_where_the_program_stopped(program, clip, tmp_path):
    (tmp_path / "bad").touch()
    result = scanner("run", "--db", "db", program, clip(30))
    assert "ValueError: bad day" in result.stdout
    assert "scanner retry 0" in result.stdout
    assert "scanner run --only-missing program.py" in result.stdout
    assert isinstance(result.exception, ScannerException)
    assert str(result.exception).startswith("program.py:19: ")


def test_only_missing_goes_on_where_a_program_would_be_refused(program, clip, tmp_path):
    (tmp_path / "bad").touch()
    scanner("run", "--db", "db", program, clip(30))
    (tmp_path / "bad").unlink()
    assert scanner("run", "--db", "db", "--only-missing", program, clip(30)).exit_code == 0
    assert "exists already" in str(scanner("run", "--db", "db", program, clip(30)).exception)
    again = scanner("run", "--db", "db", "--only-missing", program, clip(30))
    assert again.exit_code == 0
    assert "Nothing was computed" in again.stderr


def test_a_stream_that_failed_makes_the_status_1(program, tmp_path, clip):
    other = write(
        tmp_path,
        """
        import scannerpy as sp
        from typing import Any
        @sp.register_python_op()
        def Never(config, frame: sp.FrameType) -> Any:
            raise ValueError("never")
        cl = sp.Client(debug=True)
        film = sp.NamedVideoStream(cl, "film", path=__import__("sys").argv[1])
        cl.run(cl.io.Output(cl.ops.Never(frame=cl.io.Input([film])), [sp.NamedStream(cl, "out")]))
        """,
    )
    result = scanner("run", "--db", "db", other, clip(30))
    assert result.exit_code == 1
    assert result.stdout.count("ValueError: never") == 2  # in the table, and the traceback once


@pytest.mark.parametrize(("ending", "status"), [("sys.exit(3)", 3), ("sys.exit('sorry')", 1), ("sys.exit()", 0)])
def test_a_program_has_its_own_exit_status(program, tmp_path, ending, status):
    assert scanner("run", write(tmp_path, f"import sys\n{ending}\n")).exit_code == status


def test_what_a_program_raises_is_shown_as_python_shows_it(program, tmp_path):
    result = scanner("run", write(tmp_path, "def f():\n    raise KeyError('k')\nf()\n"))
    assert result.exit_code == 1
    assert result.stderr.startswith('Traceback (most recent call last):\n  File "other.py", line 3')
    assert "runpy" not in result.stderr


def test_a_program_that_is_not_there_is_a_sentence(program):
    assert "is not a file" in str(scanner("run", "nowhere.py").exception)
    assert "is not a file" in str(scanner("explain", "nowhere.py").exception)


def test_explain_prints_the_plans_and_runs_nothing(program, clip):
    result = scanner("explain", "--db", "db", program, clip(30))
    assert result.exit_code == 0, result.output
    assert "Run 1 of program.py" in result.stdout
    assert "Careful" in result.stdout
    assert "between" in result.stdout
    assert "program.py:19 needs what an earlier run makes" in result.stderr
    with sp.Client(config=sp.Config(db_path="db")) as client:
        assert not client.has_table("first")


def test_explain_for_machines(program, clip):
    [plan] = json.loads(scanner("explain", "--db", "db", "--json", program, clip(30)).stdout)
    assert (plan["rows"], plan["jobs"][0]["ops"][0]["rows"]) == (3, 3)


def test_explain_tells_a_mistake_in_the_graph(program, tmp_path):
    other = write(tmp_path, "import scannerpy as sp\nsp.Client(debug=True).io.Input([])\n")
    assert "the list of streams is empty" in str(scanner("explain", "--db", "db", other).exception)


def test_explain_of_a_program_without_runs_says_so(program, tmp_path):
    assert "nothing to explain" in str(scanner("explain", write(tmp_path, "x = 1\n")).exception)


def test_runs_can_be_seen_and_changed_from_around(cl, clip):
    """The public hook both commands are made of: nested, the inner one is asked first."""
    asked = []

    def outer(request, go_on):
        asked.append(("outer", request.cache_mode))
        return go_on(request)

    def inner(request: RunRequest, go_on):
        asked.append(("inner", request.cache_mode))
        return None if request.detach else go_on(replace(request, cache_mode=sp.CacheMode.Ignore))

    film = sp.NamedVideoStream(cl, "film", path=clip(30))
    output = cl.io.Output(cl.ops.Histogram(frame=cl.io.Input([film])), [sp.NamedStream(cl, "out")])
    with around_runs(outer), around_runs(inner):
        assert cl.run(output, show_progress=False) == 0
        assert cl.run(output, show_progress=False) is None  # kept, thanks to the inner hook
        assert cl.run(output, detach=True) is None  # not carried out at all
    assert asked == [
        ("inner", sp.CacheMode.Error),
        ("outer", sp.CacheMode.Ignore),
        ("inner", sp.CacheMode.Error),
        ("outer", sp.CacheMode.Ignore),
        ("inner", sp.CacheMode.Error),
    ]
    with pytest.raises(ScannerException, match="exists already"):
        cl.run(output)
