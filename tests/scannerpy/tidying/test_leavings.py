"""What `kill -9` leaves behind goes sooner or later, and what another program is at work on never does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import scannerpy as sp
from scannerpy import cli, util
from scannerpy._client import recipes
from scannerpy._client.history import this_process
from scannerpy._client.tidying import after_the_dead, find_stray, remove
from scannerpy._store.documents import decode, encode
from scannerpy._words.owner import STRANGE_SECONDS, is_abandoned, lives, owner
from scannerpy.backends import FilesStream, PythonStream
from scannerpy.backends.places import staged
from tests.clips import write_clip
from tests.conftest import write_config
from tests.owners import dead_owner

ANOTHER_MACHINE = f"m{'f' * 12}p1b1"


def test_owners_live_are_dead_or_unknown():
    assert lives(f"a-{owner()}-b") is True
    assert lives(dead_owner()) is False
    assert lives(ANOTHER_MACHINE) is None
    assert lives("nobody's") is None
    assert is_abandoned(dead_owner(), time.time())
    assert not is_abandoned(owner(), 0.0)
    assert not is_abandoned(ANOTHER_MACHINE, time.time())
    assert is_abandoned(ANOTHER_MACHINE, time.time() - STRANGE_SECONDS - 1)


def test_a_process_that_has_the_number_of_a_dead_one_is_another():
    head, _, born = owner().rpartition("b")
    assert lives(f"{head}b{int(born) + 1}") is False


PROGRAM = """
import os, signal, sys
import scannerpy as sp
from scannerpy._client.ingesting import Ingest
from scannerpy.backends import FilesStream, PythonStream

@sp.register_python_op()
def Die(config, data: bytes) -> bytes:
    if data == b"4":
        os.kill(os.getpid(), signal.SIGKILL)
    return data * 2

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

cl = sp.Client(debug=True)
how, *names = sys.argv[1:]
data = cl.ops.Die(data=cl.io.Input([PythonStream([b"%d" % row for row in range(6)])]))
perf = sp.PerfParams.manual(1, 2)
if how == "files":
    cl.run(cl.io.Output(data, [FilesStream(names)]), perf, sp.CacheMode.Overwrite, show_progress=False)
elif how == "table":
    cl.run(cl.io.Output(data, [sp.NamedStream(cl, names[0])]), perf, sp.CacheMode.Overwrite, show_progress=False)
else:
    Ingest._enter = die
    cl.ingest_videos([("film", names[0]), ("more", names[1])], show_progress=False)
"""


@pytest.fixture
def killed(tmp_path, monkeypatch):
    """Return a function that runs a program on the database of `cl` which is killed in the middle of its work."""
    monkeypatch.setenv("HOME", str(tmp_path))  # where its key is

    def run(*arguments):
        environment = {**os.environ, "HOME": str(tmp_path)}
        words = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
        done = subprocess.run(words, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == -signal.SIGKILL, done.stderr

    return run


def anything(cl, name="any"):
    """Run something."""
    column = cl.io.Input([PythonStream([b"1"])])
    cl.run(cl.io.Output(column, [sp.NamedStream(cl, name)]), show_progress=False)


def state(cl):
    return cl._database.catalog.state()


class TestStagedFiles:
    @pytest.fixture
    def paths(self, tmp_path, killed):
        paths = [str(tmp_path / "out" / f"{row}") for row in range(6)]
        killed("files", *paths)
        assert Path(staged(paths[0])).exists()
        for path in paths[:4]:
            os.utime(staged(path), (time.time() - 60,) * 2)
        return paths

    def test_they_are_cleared_away_by_the_next_run_whatever_that_does(self, cl, paths, tmp_path):
        anything(cl)
        assert list((tmp_path / "out").iterdir()) == []
        assert [job.outcome for job in state(cl).jobs.values()] == ["interrupted", "finished"]
        assert cl.job_status(0).result.success is False
        assert not cl._database.objects.exists("jobs/00000000/staged.json")

    def test_not_while_another_run_goes_on_which_may_write_the_same(self, cl, paths):
        pretend(cl, 0, owner=this_process().owner)
        anything(cl)
        assert Path(staged(paths[0])).exists()
        assert state(cl).jobs[0].outcome == ""

    def test_not_where_nobody_can_tell_whether_it_goes_on(self, cl, paths):
        pretend(cl, 0, owner=ANOTHER_MACHINE)
        anything(cl)
        assert Path(staged(paths[0])).exists()

    def test_nor_before_its_other_run_has_ended(self, cl, paths):
        """One is dead, another one is not; then that ends, too."""
        from scannerpy._store.catalog import EndJob, JobRecord, NewJob

        cl._database.change(lambda now: [NewJob(JobRecord(now.next_job_id, "run", 0.0))])  # has left no note yet
        anything(cl)
        assert Path(staged(paths[0])).exists()
        cl._database.change(lambda now: [EndJob(1, 0.0, "finished")])
        anything(cl, "more")
        assert not Path(staged(paths[0])).exists()

    def test_nor_what_was_staged_since_then(self, cl, paths):
        """By a run that began a moment ago, and writes to the same places."""
        os.utime(staged(paths[1]), (time.time() + 60,) * 2)
        anything(cl)
        assert [Path(staged(path)).exists() for path in paths[:4]] == [False, True, False, False]

    def test_a_note_that_this_account_did_not_sign_is_not_obeyed(self, cl, paths):
        """Whoever can write to the database could have any `.part` file removed."""
        path = "jobs/00000000/staged.json"
        signed, packed = decode("staged", cl._database.objects.get(path), cl._database.objects, path)
        cl._database.objects.put(path, encode("staged", [signed[::-1], packed]))
        anything(cl)
        assert Path(staged(paths[0])).exists()
        assert state(cl).jobs[0].outcome == ""

    def test_a_run_that_ends_keeps_no_note_of_them(self, cl, tmp_path):
        out = FilesStream([str(tmp_path / "a")])
        cl.run(cl.io.Output(cl.io.Input([PythonStream([b"1"])]), [out]), show_progress=False)
        assert (tmp_path / "a").read_bytes() == b"1"
        assert [path for path, _ in cl._database.objects.list("jobs") if "staged" in path] == []


def pretend(cl, job, **origin):
    """Change who a run was begun by."""
    path = f"jobs/{job:08d}/run.json"
    body = decode("run", cl._database.objects.get(path), cl._database.objects, path)
    body["origin"] |= origin
    cl._database.objects.put(path, encode("run", body))


class TestHiddenTables:
    def test_what_was_to_replace_a_table_that_is_gone_goes_with_the_next_run(self, cl, killed):
        cl.new_table("out", ["column"], [[b"old"]])
        killed("table", "out")
        (hidden,) = [table for table in state(cl).tables.values() if table.hidden]
        anything(cl)
        assert hidden.id in state(cl).tables  # the same run could go on from it
        assert cl._database.objects.list(f"data/{hidden.key}")
        cl.delete_table("out")
        killed("files", "nowhere/x", *map(str, range(5)))
        anything(cl, "more")
        assert hidden.id not in state(cl).tables
        assert cl._database.objects.list(f"data/{hidden.key}") == []


class TestStrayData:
    @pytest.fixture
    def films(self, tmp_path):
        return [write_clip(tmp_path / f"{frames}.mp4", frames) for frames in (5, 9)]

    def test_an_ingest_that_was_killed_before_its_entry_leaves_data_that_doctor_finds_and_removes(
        self, cl, killed, films, tmp_path
    ):
        cl.new_table("kept", ["column"], [[b"old"]])
        killed("ingest", *films)
        folders = {path.split("/")[1] for path, _ in cl._database.objects.list("data")}
        assert len(folders) == 3
        run = CliRunner().invoke
        found = run(cli.app, ["doctor", "--db", str(tmp_path / "db")]).stdout
        assert "MiB in 2 folders that no table refers to: `scanner doctor --tidy` removes it" in found
        assert len({path.split("/")[1] for path, _ in cl._database.objects.list("data")}) == 3
        done = run(cli.app, ["doctor", "--tidy", "--json", "--db", str(tmp_path / "db")])
        assert "removed" in done.stderr
        assert {f["what"]: f["detail"] for f in json.loads(done.stdout)}["stray data"] == "none"
        assert list(cl.table("kept").column("column").load()) == [b"old"]
        assert "no stray data" in run(cli.app, ["doctor", "--tidy", "--db", str(tmp_path / "db")]).stderr

    def test_there_is_nothing_to_tidy_where_there_is_no_database(self, tmp_path):
        done = CliRunner().invoke(cli.app, ["doctor", "--tidy", "--db", str(tmp_path / "none")])
        assert "there is no database" in str(done.exception)
        assert not (tmp_path / "none").exists()

    @pytest.mark.parametrize("age", [0, STRANGE_SECONDS + 9])
    @pytest.mark.parametrize("by", ["ours", "another machine's", "an older Scanner's"])
    def test_what_may_be_at_work_stays(self, cl, tmp_path, by, age):
        """A living process, whatever the age of its files; another machine's for a week, and an older Scanner's."""
        goes = by != "ours" and age > 0
        maker = {"ours": f".{owner()}x1", "another machine's": f".{ANOTHER_MACHINE}x1"}.get(by, "")
        path = f"data/v2-abc{maker}/c-frame/00000000"
        cl._database.objects.put(path, b"1")
        os.utime(tmp_path / "db" / path, (time.time() - age,) * 2)
        stray = find_stray(cl._database)
        remove(cl._database, stray)
        assert cl._database.objects.exists(path) is not goes
        assert stray.bytes == int(goes)

    def test_unfinished_tables_keep_theirs(self, cl, killed):
        killed("table", "out")
        assert not state(cl).table("out").committed
        assert find_stray(cl._database).folders == {}
        after_the_dead(cl._database)
        assert cl._database.objects.list(f"data/{state(cl).table('out').key}")


@pytest.mark.parametrize("kind", ["mp4", "parquet"])
def test_a_half_written_export_goes_when_that_file_is_next_written(cl, clip, tmp_path, kind):
    cl.ingest_videos([("film", clip())])
    film = sp.NamedVideoStream(cl, "film")
    dead, ours, others = (
        tmp_path / name
        for name in (f".a.{kind}.{dead_owner()}.part", f".a.{kind}.{owner()}.part2", f".b.{kind}.{dead_owner()}.part")
    )
    for file in (dead, ours, others):
        file.write_bytes(b"half")
    if kind == "mp4":
        film.save_mp4(str(tmp_path / "a"))
    else:
        film.to_parquet(str(tmp_path / "a.parquet"))
    assert sorted(path.name for path in tmp_path.glob(".*part*")) == sorted([ours.name, others.name])


def test_other_scraps_go_when_the_like_is_next_made(tmp_path, monkeypatch, clip):
    """The draft of a signing key, the sample clip, the folder of a verification."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    write_config(tmp_path)
    scraps = [tmp_path / ".scanner" / f"signing.{dead_owner()}.ab", tmp_path / f"sample_video.{dead_owner()}.mp4"]
    for scrap in scraps:
        scrap.write_bytes(b"half")
    folder = tmp_path / f"scanner-verify-{dead_owner()}-x"
    folder.mkdir()
    (folder / "db").write_bytes(b"half")
    recipes._key(create=True)
    with util.sample_video(delete=False):
        pass
    assert CliRunner().invoke(cli.app, ["verify", clip(5)]).exit_code == 0
    assert [path for path in (*scraps, folder) if path.exists()] == []
