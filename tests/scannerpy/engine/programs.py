"""Small programs for the engine's tests: sources and sinks in memory or in files, kernels that misbehave on demand.

Everything here is importable by worker processes.
"""

from __future__ import annotations

import os
import pathlib
import signal
import time

import numpy as np

from scannerpy._engine.tasks import Program
from scannerpy._graph.build import build
from scannerpy._graph.node import OpNode, Output, SampleNode, SinkNode, SourceNode
from scannerpy._ops.signature import Column, KernelSpec, OpSignature
from scannerpy._plan.plan import make_plan
from scannerpy.common import DeviceType

WATCHED = "SCANNER_TEST_WATCHED"
"""The environment variable with the folder for what `announce` tells."""


def value_of(row):
    return b"%d" % row


class CountingReader:
    """Yields row numbers as text, or frames; raises at row `bad`."""

    def __init__(self, args, context):
        self.args = args
        self.closed = False
        self.row_bytes = args.get("row_bytes", 0)

    def read(self, rows):
        for row in rows.tolist():
            if row == self.args.get("bad"):
                raise OSError(f"cannot read row {row}")
            if row == self.args.get("short"):
                return
            if row == self.args.get("hang"):
                hang()
            shape = self.args.get("shape")
            yield np.full(shape, row % 251, np.uint8) if shape else value_of(row)

    def close(self):
        self.closed = True


class MemoryWriter:
    """Returns what it was given as its result."""

    def __init__(self, args, place, context):
        self.args = args
        self.place = place
        self.rows = []
        self.state = "open"

    def write(self, *columns):
        if self.args.get("full_at", 1 << 60) <= self.place.start + len(self.rows):
            raise OSError(28, "No space left on device")
        self.rows.extend(columns[0] if len(columns) == 1 else zip(*columns, strict=True))

    def finish(self):
        self.state = "finished"
        assert len(self.rows) == self.place.end - self.place.start
        return [e.tolist() if isinstance(e, np.ndarray) else e for e in self.rows]

    def abort(self):
        self.state = "aborted"


class FileWriter(MemoryWriter):
    """Writes a file per task, atomically; its result is the file's name."""

    def finish(self):
        rows = super().finish()
        path = pathlib.Path(self.args["folder"]) / f"{self.place.job}-{self.place.task}"
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(b",".join(rows))
        temporary.rename(path)
        return path.name


SOURCES = {"Count": CountingReader}
SINKS = {"Memory": MemoryWriter, "Files": FileWriter}


def twice(config, value: bytes) -> bytes:
    return value + value


def touchy(config, value: bytes) -> bytes:
    """Does what ``config.args`` says at one row: raise, exit, kill, sleep; else the value itself."""
    for deed, row in config.args.items():
        if value == value_of(row):
            do(deed)
    return value


def do(deed):
    if deed == "raise":
        raise ValueError("I do not like this one")
    if deed == "exit":
        os._exit(7)
    if deed == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == "sleep":
        hang()


def hang():
    announce("hanging")
    time.sleep(1000)


def announce(what):
    """Leave a file that names this process, where a test wants to know how far it has come."""
    folder = os.environ.get(WATCHED)
    if folder:
        pathlib.Path(folder, f"{what} {os.getpid()}").touch()


def slow(config, value: bytes) -> bytes:
    time.sleep(config.args["seconds"])
    return value


def stubborn(config, value: bytes) -> bytes:
    """From row 12 on, computes for ever without letting go of the interpreter."""
    if int(value) >= 12:
        announce("stubborn")
        sum(iter(int, 1))  # one call in C, without an end
    return value


class Broken:
    """A kernel whose constructor raises."""

    def __init__(self, config):
        raise RuntimeError("no model here")

    def execute(self, value: bytes) -> bytes:
        return value


class Resourceful:
    """Writes a line for each step of its life into ``path``."""

    def __init__(self, config, path: str):
        self.path = path
        self.say("init")

    def say(self, what):
        with pathlib.Path(self.path).open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {what}\n")

    def fetch_resources(self):
        time.sleep(0.05)
        self.say("fetch")

    def setup_with_resources(self):
        self.say("setup")

    def reset(self):
        self.say("reset")

    def execute(self, value: bytes) -> bytes:
        return value

    def close(self):
        self.say("close")


TAKES = {touchy: ("raise", "exit", "kill", "sleep"), slow: ("seconds",), Resourceful: ("path",)}


def signature(kernel, *, outputs=("output",), inputs=("value",), is_video=False, stencil=None):
    kind = "class" if isinstance(kernel, type) else "function"
    return OpSignature(
        name=kernel.__name__,
        inputs=tuple(Column(name, is_video) for name in inputs),
        outputs=tuple(Column(name, is_video) for name in outputs),
        stencil=stencil,
        init_params=("path",) if kernel is Resourceful else None,
        kernels={DeviceType.CPU: KernelSpec(kernel, kind)},
    )


def op(kernel, *inputs, stencil=(0,), is_video=False, **args):
    names = tuple("value" if len(inputs) == 1 else f"value{i}" for i in range(len(inputs)))
    made = signature(kernel, inputs=names, is_video=is_video, stencil=None if stencil == (0,) else stencil)
    node = OpNode(name=made.name, inputs=inputs, signature=made, stencil=stencil, args=args)
    return Output(node=node, column="output", is_video=is_video)


def source(jobs, *, is_video=False, **args):
    node = SourceNode(name="Count", column="value", is_video=is_video, args=args, per_job=jobs)
    return Output(node=node, column="value", is_video=is_video)


def sample(column, name, per_job):
    node = SampleNode(name=name, inputs=(column,), per_job=tuple(per_job))
    return Output(node=node, column=column.column, is_video=column.is_video)


def plan(sinks, rows, io=10, work=5):
    graph, jobs = build(sinks)
    made = make_plan(graph, jobs, [[n] * len(graph.sources) for n in rows], io, work)
    return made, Program(graph, work, SOURCES, SINKS)


def chain(kernels, rows=(30,), *, io=10, work=5, sink="Memory", sink_args=None, reader=None, **args):
    """A program source → kernels → sink over one job per entry of `rows`."""
    column = source(tuple({**(reader or {})} for _ in rows))
    for kernel in kernels:
        column = op(kernel, column, **{k: v for k, v in args.items() if k in TAKES.get(kernel, ())})
    per_job = tuple(dict(sink_args or {}) for _ in rows)
    return plan([SinkNode(name=sink, inputs=(column,), per_job=per_job)], rows, io, work)
