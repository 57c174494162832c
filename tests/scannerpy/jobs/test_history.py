"""What a database tells of its runs: to other processes, later, and after a crash."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import scannerpy as sp
from scannerpy._client.history import RunRecorder, is_alive, read_failures, read_record, this_process
from scannerpy._client.reports import job_report, streams
from scannerpy._engine.events import Heartbeat, JobEnded
from scannerpy._engine.failures import Failure
from scannerpy._store.documents import encode
from scannerpy._store.objects import memory
from scannerpy.errors import ScannerException
from tests.clips import number_of

ROOT = Path(__file__).parents[3]


@sp.register_python_op()
def Unlucky(config, frame: sp.FrameType) -> Any:
    if frame[0, 0, 0] >= 0:
        raise ValueError("as always")


def run(cl, clip, name="out", op="Unlucky"):
    film = sp.NamedVideoStream(cl, "film", path=clip(30))
    made = getattr(cl.ops, op)(frame=cl.io.Input([film]))
    return cl.run(cl.io.Output(made, [sp.NamedStream(cl, name)]), show_progress=False)


def test_another_client_knows_how_a_run_went(cl, config, clip):
    failed, well = run(cl, clip), run(cl, clip, "fine", "Histogram")
    with sp.Client(config=config, debug=True) as other:
        for job in (failed, well):
            mine, theirs = cl.job_status(job), other.job_status(job)
            assert (theirs.finished, theirs.result, list(theirs.failures)) == (True, mine.result, list(mine.failures))
            assert (theirs.tasks_done, theirs.total_tasks) == (mine.tasks_done, mine.total_tasks)
            assert (theirs.jobs_done, theirs.jobs_failed) == (mine.jobs_done, mine.jobs_failed)
        assert "as always" in str(other.job_status(failed).failures)


def test_a_number_no_run_had_is_a_sentence(cl, clip):
    run(cl, clip)
    with pytest.raises(ScannerException, match=r"there is no job 7 .* the last one was 0"):
        cl.job_status(7)


def test_a_run_whose_kernel_cannot_be_set_up_leaves_its_reason(cl, config, clip):
    @sp.register_python_op(name="Stillborn")
    class Stillborn(sp.Kernel):
        def __init__(self, config):
            raise ValueError("no weights")

        def execute(self, frame: sp.FrameType) -> Any:
            return None

    with pytest.raises(ScannerException):
        run(cl, clip, op="Stillborn")
    report = job_report(cl._database, 0)
    assert report.state == "failed"
    assert "no weights" in report.status.result.msg
    assert 'raise ValueError("no weights")' in report.traceback


def failure(number):
    return Failure(f"s{number}", number, (1, 2), "Op", "why", "where", 10, 20)


def test_failures_are_written_at_once_and_then_not_more_than_once_a_second():
    objects, now = memory(), [0.0]
    recorder = RunRecorder(objects, 3, lambda: now[0])
    for number in range(3):
        recorder(JobEnded(number, failure(number)))
    assert read_failures(objects, 3) == [failure(0)]
    recorder(Heartbeat(0, 1, 0))
    assert read_failures(objects, 3) == [failure(0)]
    now[0] = 1.0
    recorder(Heartbeat(0, 1, 0))
    assert read_failures(objects, 3) == [failure(number) for number in range(3)]


def test_a_process_is_told_from_another_that_got_its_number():
    here = this_process()
    assert is_alive(here)
    if not here.born:
        pytest.skip("this system does not tell when a process was started")
    assert is_alive(type(here)(**{**_fields(here), "born": "1"})) is False
    assert is_alive(type(here)(**{**_fields(here), "host": "elsewhere"})) is None


def _fields(origin):
    return {name: getattr(origin, name) for name in origin.__dataclass_fields__}


SLOW = """
import sys, time
from typing import Any
import scannerpy as sp

@sp.register_python_op()
def Slow(config, frame: sp.FrameType) -> Any:
    with open("calls", "a") as file:
        file.write("x")
        file.flush()
    while file.name and open("calls").read().count("x") > 15:
        time.sleep(0.02)
    return 1

cl = sp.Client(config=sp.Config(db_path="db"), debug=True)
film = sp.NamedVideoStream(cl, "film", path=sys.argv[1])
cl.run(cl.io.Output(cl.ops.Slow(frame=cl.io.Input([film])), [sp.NamedStream(cl, "out")]),
       sp.PerfParams.manual(5, 5), show_progress=False)
"""


@pytest.mark.parametrize(("end", "word"), [(signal.SIGKILL, "interrupted"), (signal.SIGINT, "cancelled")])
def test_a_run_is_seen_from_outside_while_it_goes_on_and_after_it_was_ended(tmp_path, clip, end, word):
    (tmp_path / "slow.py").write_text(SLOW)
    process = subprocess.Popen(
        [sys.executable, "slow.py", clip(30)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": f"{ROOT}/src"}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / "calls").exists() or (tmp_path / "calls").stat().st_size < 16:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with sp.Client(config=sp.Config(db_path=str(tmp_path / "db")), debug=True) as cl:
            status = cl.job_status(0)
            assert (job_report(cl._database, 0).state, status.finished, status.tasks_done) == ("running", False, 3)
            with pytest.raises(ScannerException, match=f"still runs, in process {process.pid}"):
                cl.retry_job(0)
            process.send_signal(end)
            process.wait(120)
            report = job_report(cl._database, 0)
            [stream] = streams(cl._database, report)
            assert (report.state, report.status.finished, report.status.result.success) == (word, True, False)
            assert (stream.state, stream.rows_kept, stream.rows) == ("incomplete", 15, 30)
    finally:
        process.kill()
        process.wait()


def test_an_interrupted_run_says_what_is_kept_and_how_to_go_on(cl, clip, caplog):
    @sp.register_python_op()
    def CtrlCAtRowTwenty(config, frame: sp.FrameType) -> bytes:
        if number_of(frame) == 20:
            raise KeyboardInterrupt
        return b""

    frame = cl.io.Input([sp.NamedVideoStream(cl, "clip", path=clip(30))])
    output = cl.io.Output(cl.ops.CtrlCAtRowTwenty(frame=frame), [sp.NamedStream(cl, "out")])
    with pytest.raises(KeyboardInterrupt):
        cl.run(output, sp.PerfParams.manual(5, 5), show_progress=False)
    assert "job 0 was interrupted: 20 of its 30 rows are kept" in caplog.text
    assert "scanner retry 0" in caplog.text


def test_notes_are_json_that_anybody_may_read(cl, clip, tmp_path):
    job = run(cl, clip)
    folder = tmp_path / "db" / "jobs" / f"{job:08d}"
    names = ("run.json", "failures-0000.json", "end.json")
    bodies = {name: json.loads((folder / name).read_text().partition("\n")[2]) for name in names}
    assert bodies["run.json"]["streams"][0]["name"] == "out"
    assert bodies["failures-0000.json"][0]["stream"] == "out"
    assert bodies["end.json"]["jobs_failed"] == 1


def test_notes_of_a_later_version_are_read_as_far_as_they_are_known():
    objects = memory()
    body = {"streams": [{"name": "s", "rows": 1, "tasks": 1, "made": [], "mood": "new"}], "overwrite": False}
    body |= {"work_packet_size": 1, "io_packet_size": 1, "origin": {**asdict(this_process()), "planet": "new"}, "x": 1}
    objects.put("jobs/00000000/run.json", encode("run", body))
    assert read_record(objects, 0).streams[0].name == "s"
