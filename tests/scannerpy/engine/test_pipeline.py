"""Tasks through load, evaluate and save: with threads and without, when all is well and when something breaks."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from scannerpy._engine.memory import Memory
from scannerpy._engine.pipeline import Pipeline
from scannerpy._engine.states import TaskId
from scannerpy._engine.tasks import Begun, Done, Failed, TaskSpec
from scannerpy._graph.node import SinkNode
from scannerpy._kernels.host import KernelHost
from scannerpy._words.elements import NULL
from tests.effort import lines
from tests.scannerpy.engine import programs as p


def hosts_of(program):
    return {v.number: KernelHost(v) for v in program.graph.vertices if v.kind == "op"}


def specs(plan):
    return [TaskSpec(TaskId(j, i), job, task) for j, job in enumerate(plan.jobs) for i, task in enumerate(job.tasks)]


def ours():
    """The engine's threads that are alive."""
    return [t.name for t in threading.enumerate() if t.name.startswith("scanner-")]


def run(made, *, inline, memory=None):
    """Run every task; returns the reports that end them."""
    plan, program = made
    reports = []
    pipeline = Pipeline(program, hosts_of(program), reports.append, memory=memory)
    if inline:
        for spec in specs(plan):
            pipeline.run_inline(spec)
    else:
        for spec in specs(plan):
            pipeline.submit(spec)
        pipeline.close()
        pipeline.work()
    run.trace = pipeline.end()
    assert [r.task for r in reports if isinstance(r, Begun)] == [o.id for o in specs(plan)]
    assert not ours()
    return [r for r in reports if not isinstance(r, Begun)]


def stored(reports, sink=0):
    assert not [r.error for r in reports if isinstance(r, Failed)]
    return [element for report in reports for element in report.result[sink]]


both = pytest.mark.parametrize("inline", [True, False], ids=["inline", "threads"])


@both
def test_rows_pass_through_ops_in_order(inline):
    reports = run(p.chain([p.twice], rows=(23, 4)), inline=inline)
    assert [r.task for r in reports] == [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert stored(reports) == [p.value_of(i) * 2 for i in [*range(23), *range(4)]]


@both
@pytest.mark.parametrize(("io", "work"), [(1, 1), (7, 7), (12, 3), (100, 100)])
def test_packet_sizes_do_not_matter(inline, io, work):
    assert stored(run(p.chain([p.twice, p.twice], rows=(20,), io=io, work=work), inline=inline)) == [
        p.value_of(i) * 4 for i in range(20)
    ]


def join(config, value: bytes) -> bytes:
    return b"+".join(value)


def both_of(config, value0: bytes, value1: bytes) -> bytes:
    return value0 + b"/" + value1


def save(*columns, jobs=1):
    return [SinkNode(name="Memory", inputs=(c,), per_job=({},) * jobs) for c in columns]


@both
@pytest.mark.parametrize("work", [1, 2, 50])
def test_diamonds_samplers_stencils_and_nulls(inline, work):
    rows = p.source(({},))
    every3 = p.sample(rows, "Stride", [{"stride": 3}])
    neighbours = p.op(join, every3, stencil=(-1, 0, 2))
    spaced = p.sample(every3, "RepeatNull", [{"spacing": 2}])
    spread = p.sample(neighbours, "Repeat", [{"spacing": 2}])
    reports = run(p.plan(save(p.op(both_of, spread, spaced), spread), (12,), io=50, work=work), inline=inline)
    windows = [b"0+0+6", b"0+3+9", b"3+6+9", b"6+9+9"]
    assert stored(reports, 1) == [w for w in windows for _ in range(2)]
    firsts = [NULL if i % 2 else windows[i // 2] + b"/" + p.value_of(i // 2 * 3) for i in range(8)]
    assert stored(reports, 0) == firsts


def grey(config, value: p.np.ndarray) -> p.np.ndarray:
    return value[:, :, :1].copy()


@both
def test_frames_are_kept_within_the_memory_cap(inline):
    shape = (100, 100, 3)
    column = p.op(grey, p.source(({"shape": shape, "row_bytes": 30_000},), is_video=True), is_video=True)
    memory = Memory(1 << 20, growth=2)  # steps of 128 KiB: two frames and what is made of them
    made = p.plan(save(column), (40,), io=40, work=40)
    seen = watch_steps(memory)
    reports = run(made, inline=inline, memory=memory)
    assert [np.asarray(f).max() for f in stored(reports)] == list(range(40))
    assert seen == [2]


def watch_steps(memory):
    seen = []
    choose = memory.step_rows

    def step_rows(*args):
        seen.append(choose(*args))
        return seen[-1]

    memory.step_rows = step_rows
    return seen


def test_what_a_step_really_holds_is_learned():
    memory = Memory(1 << 20)
    assert memory.step_rows(1000, 1000) == 131
    memory.learn(131_000, 393_000)
    assert memory.step_rows(1000, 1000) == 43
    memory.learn(0, 5)
    assert memory.step_rows(1000, 1000) == 43
    assert memory.step_rows(1000, 10**9) == 1


# what breaks


@both
def test_a_kernel_that_raises_fails_its_task_and_no_other(inline):
    reports = run(p.chain([p.twice, p.touchy], **{"raise": 1212}, rows=(30,)), inline=inline)
    assert [type(r) for r in reports] == [Done, Failed, Done]
    error = reports[1].error
    assert (error.stage, error.rows, error.kind) == ("evaluate", (12, 12), "KernelError")
    assert "I do not like this one" in error.reason
    assert error.op == "touchy"
    assert 'raise ValueError("I do not like this one")' in error.traceback
    assert "Traceback" not in error.reason


@both
def test_a_reader_that_raises_tells_the_row(inline):
    reports = run(p.chain([p.twice], rows=(30, 30), reader={"bad": 17}), inline=inline)
    assert [type(r) for r in reports] == [Done, Failed, Done] * 2
    assert (reports[1].error.stage, reports[1].error.rows) == ("load", (17, 17))
    assert "cannot read row 17" in str(reports[1].error)
    assert "Count" in str(reports[1].error)


@both
def test_a_reader_that_ends_early_is_an_error(inline):
    reports = run(p.chain([p.twice], rows=(30,), reader={"short": 5}), inline=inline)
    assert [type(r) for r in reports] == [Failed, Done, Done]
    assert "ended before row 5" in reports[0].error.reason


@both
def test_a_full_disk_fails_the_task(inline):
    reports = run(p.chain([p.twice], rows=(30,), sink_args={"full_at": 13}), inline=inline)
    assert [type(r) for r in reports] == [Done, Failed, Failed]
    assert reports[1].error.stage == "save"
    assert "No space left on device" in reports[1].error.reason


@both
def test_sources_and_sinks_that_cannot_be_opened_fail_their_tasks(inline, monkeypatch):
    def refuse(*_):
        raise PermissionError("not for you")

    plan, program = p.chain([p.twice], rows=(10, 10))
    for side in ("sources", "sinks"):
        broken = replace(program, **{side: dict.fromkeys(getattr(program, side), refuse)})
        reports = run((plan, broken), inline=inline)
        assert ["not for you" in r.error.reason for r in reports] == [True, True]


@both
def test_a_demand_that_cannot_be_traced_fails_the_task(inline, monkeypatch):
    monkeypatch.setattr("scannerpy._engine.load.trace", lambda *_: 1 / 0)
    [report] = run(p.chain([p.twice], rows=(10,)), inline=inline)
    assert report.error.kind == "ZeroDivisionError"


@both
def test_writers_of_a_failed_task_are_aborted(inline, monkeypatch):
    made = []

    def remember(self, *args):
        p.MemoryWriter.__init__(self, *args)
        made.append(self)

    writer = type("Remembered", (p.MemoryWriter,), {"__init__": remember})
    monkeypatch.setitem(p.SINKS, "Memory", writer)
    run(p.chain([p.touchy], **{"raise": 12}, rows=(20,)), inline=inline)
    assert made[0].state == "finished"
    assert [w.state for w in made[1:]] in ([["aborted"]] if inline else [["aborted"], []])  # or never opened


def start(made):
    plan, program = made
    reports = []
    pipeline = Pipeline(program, hosts_of(program), reports.append)
    for spec in specs(plan):
        pipeline.submit(spec)
    thread = threading.Thread(target=pipeline.work)
    thread.start()
    return pipeline, thread, reports


class Gate:
    """Lets a stage of another thread come to a known place."""

    reached = threading.Event()
    opened = threading.Event()

    @classmethod
    def wait(cls, *_):
        cls.reached.set()
        assert cls.opened.wait(60)


def at_gate(config, value: bytes) -> bytes:
    Gate.wait()
    return value


class GateReader(p.CountingReader):
    def read(self, rows):
        yield p.value_of(0)
        Gate.wait()
        yield from super().read(rows[1:])


class GateWriter(p.MemoryWriter):
    def write(self, *columns):
        Gate.wait()
        super().write(*columns)


@pytest.mark.parametrize("stage", ["load", "evaluate", "save"])
def test_cancelling_ends_every_stage_and_joins_every_thread(stage, monkeypatch):
    Gate.reached.clear()
    Gate.opened.clear()
    if stage == "load":
        monkeypatch.setitem(p.SOURCES, "Count", GateReader)
    if stage == "save":
        monkeypatch.setitem(p.SINKS, "Memory", GateWriter)
    pipeline, thread, reports = start(p.chain([at_gate if stage == "evaluate" else p.twice], rows=(1000,), io=100))
    assert Gate.reached.wait(60)
    pipeline.cancel()
    Gate.opened.set()
    thread.join(60)
    assert not thread.is_alive()
    assert not ours()
    assert not [r for r in reports if isinstance(r, (Done, Failed))]


def test_a_dropped_task_passes_as_failed_and_the_next_one_is_done(monkeypatch):
    Gate.reached.clear()
    Gate.opened.clear()
    pipeline, thread, reports = start(p.chain([at_gate], rows=(30,)))
    assert Gate.reached.wait(60)
    pipeline.drop(TaskId(0, 0))
    pipeline.drop(TaskId(0, 1))
    Gate.opened.set()
    pipeline.close()
    thread.join(60)
    ended = [r for r in reports if not isinstance(r, Begun)]
    assert [type(r) for r in ended] == [Failed, Failed, Done]
    assert ended[0].error.kind == "Dropped"


def test_a_fault_of_the_engine_itself_is_raised_not_hidden(monkeypatch):
    plan, program = p.chain([p.twice], rows=(30,))

    def report(_):
        raise RuntimeError("the pipe is gone")

    pipeline = Pipeline(program, hosts_of(program), report)
    pipeline.submit(specs(plan)[0])
    with pytest.raises(RuntimeError, match="the pipe is gone"):
        pipeline.work()
    assert not ours()


def test_ctrl_c_in_an_inline_kernel_comes_out(monkeypatch):
    def interrupt(config, value: bytes) -> bytes:
        raise KeyboardInterrupt

    plan, program = p.chain([interrupt], rows=(5,))
    pipeline = Pipeline(program, hosts_of(program), lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run_inline(specs(plan)[0])


def test_readers_stay_open_within_a_job_and_are_closed_after(monkeypatch):
    made = []

    def remember(self, *args):
        p.CountingReader.__init__(self, *args)
        made.append(self)

    reader = type("Remembered", (p.CountingReader,), {"__init__": remember})
    monkeypatch.setitem(p.SOURCES, "Count", reader)
    run(p.chain([p.twice], rows=(30, 30)), inline=False)
    assert len(made) == 2
    assert all(r.closed for r in made)


@both
def test_the_trace_has_every_stage_and_stays_small(inline):
    run(p.chain([p.twice], rows=(3000,), io=1000, work=5), inline=inline)
    kinds = {(i.kind, i.name) for i in run.trace}
    assert {("load", "Count"), ("eval", "twice"), ("save", "Memory")} <= kinds


def test_the_engine_costs_little_per_row():
    """55 lines of Python from reader to sink, 25 of them where the kernel is called."""
    made = p.chain([p.twice], rows=(20_000,), io=5000, work=250)
    assert lines(lambda: run(made, inline=True)) < 20_000 * 75
