"""How much memory a run takes, and how long it is planned: bounded by packets and queues, not by the length of the
work.

Planning is counted in lines of Python, which a busy machine does not change; `benchmarks/planning.py` has the seconds.
`SCANNER_MINUTES` sets the length of the long video (ten unless given).
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import scannerpy as sp
from tests.clips import write_long_clip
from tests.conftest import write_config
from tests.effort import lines

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
MINUTES = float(os.environ.get("SCANNER_MINUTES", "10"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run(folder, program, *args):
    write_config(folder)
    environment = {**os.environ, "HOME": str(folder), "PYTHONPATH": f"{ROOT}/src:{ROOT}"}
    words = {"capture_output": True, "text": True, "timeout": 850}
    command = [sys.executable, str(HERE / program), *map(str, args)]
    done = subprocess.run(command, cwd=folder, env=environment, check=False, **words)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(("instances", "minutes"), [(1, MINUTES / 10), (2, MINUTES)])
def test_a_ten_minute_full_hd_video_takes_less_than_500_mib_per_instance(tmp_path, instances, minutes):
    """The histogram of every frame; what a worker holds does not follow the length of the video."""
    clip = write_long_clip(tmp_path / "long.mp4", minutes, rate=10, gop=50)
    (said,) = run(tmp_path, "long_video.py", clip, instances)
    print(said)  # noqa: T201 -- the figures, for `pytest -s`
    assert said.startswith(f"{round(minutes * 12) * 50} rows")
    workers = [int(size) for size in re.search(r"workers \[(.*)\]", said)[1].split(",")]
    assert len(workers) == instances
    assert max(workers) < 500, said


def test_a_thousand_clips_in_one_run_do_not_grow_it(tmp_path, clip):
    """Memory after the last hundred clips is that after the first."""
    said = run(tmp_path, "many_clips.py", clip(25, size=(320, 240)), 1000)
    print(said)  # noqa: T201 -- the figures, for `pytest -s`
    assert sum(int(line.split()[0]) for line in said) == 1000
    for line in said:
        assert float(line.split()[-1]) < 16, said


@sp.register_python_op()
def LimitPass(config, x: Any) -> Any:
    return x


@sp.register_python_op(stencil=[-1, 0, 1])
def LimitWindow(config, x: Sequence[Any]) -> Any:
    return x[1]


def eight_ops(cl, column):
    """Passes and windows in turn, and a sampler in their midst."""
    for number in range(8):
        column = (cl.ops.LimitWindow if number % 2 else cl.ops.LimitPass)(x=column)
        if number == 4:
            column = cl.streams.Range(column, [(0, 10**9)])
    return column


def test_a_million_rows_through_eight_ops_are_planned_at_once(cl):
    """`explain` plans, and counts every row of every op, without doing anything or looking at every row."""
    cl.new_table("million", ["column"], [[b"x"]] * 1_000_000)
    column = eight_ops(cl, cl.io.Input([sp.NamedStream(cl, "million")]))
    sink = cl.io.Output(column, [sp.NamedStream(cl, "out")])
    assert "1,000,000 rows" in str(cl.explain(sink, sp.PerfParams.manual(100, 1000)))
    assert _planned(cl, sink) < 1000 * 2500  # lines, for a thousand tasks
    assert not cl.has_table("out")


def _planned(cl, sink):
    return lines(lambda: cl.explain(sink, sp.PerfParams.manual(100, 1000)))


def test_planning_a_run_over_many_streams_is_linear_in_them(cl):
    """From the handles up to the explanation: what one more stream costs does not depend on how many there are."""
    cl.new_table("ten", ["column"], [[b"x"]] * 10)

    def planned(count):
        column = cl.io.Input([sp.NamedStream(cl, "ten")] * count)
        column = cl.streams.Stride(cl.ops.LimitPass(x=column), [2] * count)
        sink = cl.io.Output(column, [sp.NamedStream(cl, f"out{n}") for n in range(count)])
        return _planned(cl, sink)

    planned(10)
    few, many = planned(500), planned(4000)
    print(few / 500, many / 4000)  # noqa: T201 -- the figures, for `pytest -s`
    assert many < 8.2 * few
