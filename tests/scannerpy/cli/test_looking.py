"""`scanner ls`, `show` and `trace`: what they print, for people and for machines, and how they fail."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

import scannerpy as sp
from scannerpy import cli
from scannerpy.errors import ScannerException

run = CliRunner().invoke


@sp.register_python_op()
def NoBrightRow(config, frame: sp.FrameType) -> Any:
    if frame.mean() > 50:
        raise ValueError("too bright")
    return float(frame.mean())


@pytest.fixture
def db(cl, clip, tmp_path):
    """A database with a video, a finished stream (job 0), and one that failed (job 1)."""
    film = sp.NamedVideoStream(cl, "film", path=clip(30))
    frame = cl.io.Input([film])
    cl.run(cl.io.Output(cl.ops.Histogram(frame=frame), [sp.NamedStream(cl, "histograms")]), show_progress=False)
    cl.run(cl.io.Output(cl.ops.NoBrightRow(frame=frame), [sp.NamedStream(cl, "dark")]), show_progress=False)
    cl.new_table("bytes", ["column"], [[b"a"], [b"b"]])
    return tmp_path / "db"


def answer(*arguments):
    """What a command prints, which must go well."""
    result = run(cli.app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.stdout


def read(*arguments):
    return json.loads(answer(*arguments, "--json"))


def test_ls_lists_the_tables(db):
    lines = {line.split()[1]: line for line in answer("ls", "--db", db).splitlines()[1:]}
    assert list(lines) == ["film", "histograms", "dark", "bytes"]
    assert "committed" in lines["histograms"]
    assert "job 0" in lines["histograms"]
    assert "incomplete" in lines["dark"]
    assert "ingest" in lines["film"]


def test_ls_for_machines(db):
    film, _, dark, _ = read("ls", "--db", db)
    assert film == {"id": 0, "name": "film", "rows": 30, "columns": ["index", "frame"], "committed": True, "job": None}
    assert (dark["rows"], dark["committed"], dark["job"]) == (None, False, 1)


def test_ls_lists_runs_the_newest_first(db):
    failed, finished = read("ls", "--jobs", "--db", db)
    assert (finished["id"], finished["state"], finished["failed"]) == (0, "finished", 0)
    assert (failed["id"], failed["state"], failed["failed"]) == (1, "incomplete", 1)
    lines = answer("ls", "--jobs", "--db", db).splitlines()[1:]
    assert [line.split()[1] for line in lines] == ["incomplete", "finished"]


def test_show_prints_columns_and_first_rows(db):
    text = answer("show", "bytes", "--db", db)
    assert "2 rows" in text
    assert "b'a'" in text


def test_show_says_what_a_video_is(db):
    text = answer("show", "film", "--rows", "2", "--db", db)
    assert text.count("uint8 array of 48 × 64 × 3") == 2
    assert "h264, 64 × 48, 25 fps" in text
    assert "lasts      1.20 s" in text
    frame = read("show", "film", "--db", db)["columns"][1]
    assert (frame["codec"], frame["width"], frame["height"], frame["fps"]) == ("h264", 64, 48, 25.0)
    assert frame["keyframes"] >= 1
    assert frame["size"] > 0


def test_show_says_which_run_made_a_stream(db):
    assert "job 0" in answer("show", "histograms", "--db", db)
    assert "scanner show 1" in answer("show", "dark", "--db", db)


def test_show_of_a_run_says_what_failed_where_and_why(db):
    text = answer("show", "1", "--db", db)
    assert "0 of 1 stream complete, 1 stream failed" in text
    assert "NoBrightRow" in text
    assert "ValueError: too bright" in text
    assert "Traceback" not in text
    assert 'raise ValueError("too bright")' in answer("show", "1", "--traceback", "--db", db)


def test_show_of_a_run_for_machines(db):
    facts = read("show", "1", "--db", db)
    [failure], [stream] = facts["failures"], facts["streams"]
    assert facts["state"] == "incomplete"
    assert (failure["stream"], failure["rows_kept"]) == ("dark", 0)
    assert failure["rows"][0] == failure["rows"][1]
    assert failure["op"].startswith("NoBrightRow")
    assert "too bright" in failure["traceback"]
    assert stream == {"name": "dark", "state": "failed", "rows": 30, "rows_kept": 0}
    stages = read("show", "0", "--db", db)["stages"]
    assert stages["eval Histogram"] > 0
    assert not [name for name in stages if "rows" in name]  # counters are no seconds


def test_a_number_means_a_run_unless_a_stream_is_called_so(cl, db):
    cl.new_table("1", ["column"], [[b"a"]])
    assert "1 row\n" in answer("show", "1", "--db", db)
    assert "Job 1" in answer("show", "1", "--job", "--db", db)


def test_trace_writes_a_file_and_says_where(db, tmp_path):
    out = tmp_path / "run.trace"
    where, bottleneck = answer("trace", "histograms", "-o", out, "--db", db).splitlines()
    assert str(out) in where
    assert bottleneck == sp.Client(config=sp.Config(db_path=str(db)), debug=True).get_profile(0).bottleneck()
    assert {event["ph"] for event in json.loads(out.read_text())} == {"M", "X"}
    assert read("trace", "0", "-o", out, "--db", db)["statistics"]["eval"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "nothing"], "scanner ls"),
        (["show", "7"], "there is no job 7"),
        (["trace", "7"], "no profile of job 7"),
        (["trace", "film"], "no run of this database made"),
        (["retry", "7"], "there is no job 7"),
    ],
)
def test_what_is_not_there_is_a_sentence(db, arguments, words):
    result = run(cli.app, [*arguments, "--db", str(db)])
    assert isinstance(result.exception, ScannerException)
    assert words in str(result.exception)


def test_looking_at_no_database_makes_none(tmp_path):
    result = run(cli.app, ["ls", "--db", str(tmp_path / "none")])
    assert isinstance(result.exception, ScannerException)
    assert not (tmp_path / "none").exists()


def scanner(*arguments, cwd):
    command = [sys.executable, "-m", "scannerpy.cli", *map(str, arguments)]
    environment = {**os.environ, "HOME": str(cwd)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_an_error_is_one_sentence(tmp_path):
    done = scanner("demo", "nothing.mp4", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "scanner: nothing.mp4 is not a file: give the path of a video\n"


def test_help_is_quick():
    """What commands need is imported when they run."""
    code = "import sys, scannerpy.cli; print(*{'av', 'cv2', 'obstore', 'numpy', 'rich.progress'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"numpy"}  # `import scannerpy` itself needs it
