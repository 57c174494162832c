"""The command `scanner`: what it prints, and that errors are one sentence and exit 1."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import scannerpy as sp
from scannerpy import cli
from scannerpy._doctor import examine
from scannerpy.errors import ScannerException

run = CliRunner().invoke


@pytest.fixture
def db(cl, clip, tmp_path):
    """A database with a video, a finished stream and one that failed."""
    film = sp.NamedVideoStream(cl, "film", path=clip(30))
    frame = cl.io.Input([film])
    cl.run(cl.io.Output(cl.ops.Histogram(frame=frame), [sp.NamedStream(cl, "histograms")]), show_progress=False)
    cl.new_table("bytes", ["column"], [[b"a"], [b"b"]])
    return tmp_path / "db"


def test_ls_lists_the_tables(db):
    result = run(cli.app, ["ls", "--db", str(db)])
    assert result.exit_code == 0
    for name in ("film", "histograms", "bytes"):
        assert name in result.stdout


def test_show_prints_columns_and_first_rows(db):
    result = run(cli.app, ["show", "bytes", "--db", str(db)])
    assert result.exit_code == 0
    assert "2 rows" in result.stdout
    assert "b'a'" in result.stdout


def test_show_describes_frames_without_printing_pixels(db):
    result = run(cli.app, ["show", "film", "--rows", "2", "--db", str(db)])
    assert result.stdout.count("uint8 array of 48 × 64 × 3") == 2


def test_show_of_an_unknown_name_says_where_to_look(db):
    result = run(cli.app, ["show", "nothing", "--db", str(db)])
    assert isinstance(result.exception, ScannerException)
    assert "scanner ls" in str(result.exception)


def test_ls_of_no_database_makes_none(tmp_path):
    result = run(cli.app, ["ls", "--db", str(tmp_path / "none")])
    assert isinstance(result.exception, ScannerException)
    assert not (tmp_path / "none").exists()


PROGRAM = """
import sys
import scannerpy as sp
cl = sp.Client(config=sp.Config(config_path="config.toml", db_path="db"), debug=True)
film = sp.NamedVideoStream(cl, "film", path=sys.argv[1])
frames = cl.streams.Stride(cl.io.Input([film]), [10])
cl.run(cl.io.Output(cl.ops.Histogram(frame=frames), [sp.NamedStream(cl, "result")]))
print("after the run")
"""


def scanner(*args, cwd):
    command = [sys.executable, "-m", "scannerpy.cli", *map(str, args)]
    environment = {**os.environ, "HOME": str(cwd)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_explain_prints_the_plan_of_a_program_and_runs_nothing(tmp_path, clip):
    (tmp_path / "program.py").write_text(PROGRAM)
    done = scanner("explain", "program.py", clip(30), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Histogram" in done.stdout
    assert "after the run" not in done.stdout


def test_an_error_is_one_sentence(tmp_path):
    done = scanner("demo", "nothing.mp4", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "scanner: nothing.mp4 is not a file: give the path of a video\n"


def test_doctor_finds_this_machine_well(tmp_path):
    findings = examine(tmp_path)
    assert [f.what for f in findings] == ["python", "av", "cv2", "numpy", "obstore", "codecs", "machine", "database"]
    assert all(finding.ok for finding in findings if finding.what != "database"), findings


def test_doctor_says_what_is_wrong(monkeypatch, tmp_path):
    monkeypatch.setattr("scannerpy._doctor.DECODERS", ("no_such_codec",))
    monkeypatch.setattr("scannerpy._doctor.LIBRARIES", {"no_such_module": "x"})
    wrong = {finding.what: finding.detail for finding in examine(tmp_path) if not finding.ok}
    assert "no_such_codec" in wrong["codecs"]
    assert "ModuleNotFoundError" in wrong["no_such_module"]
