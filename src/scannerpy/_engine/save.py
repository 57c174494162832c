"""The last stage of a pipeline: hands each sink's elements to its writer and, at the task's end, makes them durable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from scannerpy._engine.board import StatusBoard
from scannerpy._engine.failures import error_from
from scannerpy._engine.ports import TaskOutput, WorkerContext, Writer
from scannerpy._engine.tasks import Done, Failed, Program, TaskRun
from scannerpy._engine.trace import Recorder, clock
from scannerpy._graph.graph import Vertex
from scannerpy._words.elements import Element

T = TypeVar("T")

SAVE = 2
WRITING, ENCODING = "Writer[0]", "Pipeline[0]:EncodeVideo"


class Saver:
    """Saves the tasks of one run, in order. Used by one thread."""

    def __init__(self, program: Program, context: WorkerContext, board: StatusBoard, recorder: Recorder) -> None:
        self._program = program
        self._sinks = program.graph.sinks
        self._context = context
        self._board = board
        self._recorder = recorder
        self._writers: list[Writer] = []
        self._rows = 0

    def begin(self, run: TaskRun) -> None:
        """Open a writer for each sink."""
        self._writers = []
        self._rows = 0
        for sink in self._sinks:
            if run.alive:
                writer = self._guarded(run, sink, partial(self._open, run, sink))
                if writer is not None:
                    self._writers.append(writer)

    def write(self, run: TaskRun, stored: Sequence[Sequence[Sequence[Element]]]) -> None:
        """Take one step's elements: ``stored[sink][input][row]``."""
        rows = len(stored[0][0])
        first = run.spec.task.start + self._rows
        for number, sink in enumerate(self._sinks):
            if not run.alive:
                return
            self._board.enter(SAVE, run.id, sink.number, first, first + rows - 1)
            began = clock()
            self._guarded(run, sink, partial(self._writers[number].write, *stored[number]))
            run.work_ns += clock() - began
            lane = ENCODING if sink.inputs[0].is_video else WRITING
            self._recorder.add(lane, sink.name, "save", began, rows, run.id)
        self._rows += rows
        self._board.add_rows(rows)
        self._board.leave(SAVE)

    def end(self, run: TaskRun) -> Done | Failed:
        """Finish all writers, or abort them if the task failed."""
        results: list[Any] = []
        for number, sink in enumerate(self._sinks):
            if run.alive:
                self._board.enter(SAVE, run.id, sink.number, run.spec.task.start, run.spec.task.end - 1)
                began = clock()
                result = self._guarded(run, sink, self._writers[number].finish)
                if run.alive:
                    results.append(result)
                self._recorder.add(WRITING, f"{sink.name}: finish", "save", began, 0, run.id)
        self._abort(done=len(results) if run.alive else 0)
        self._board.add_rows(-self._rows)
        self._board.leave(SAVE)
        if run.error is not None:
            return Failed(run.id, run.error, self._recorder.take())
        return Done(run.id, tuple(results), self._recorder.take(), run.load_ns, run.work_ns)

    def abort(self) -> None:
        """The run was cancelled in the middle of a task."""
        self._abort(done=0)

    def _open(self, run: TaskRun, sink: Vertex) -> Writer:
        spec = run.spec
        output = TaskOutput(spec.id.job, spec.id.number, spec.task.start, spec.task.end, sink.inputs)
        return self._program.sinks[sink.name](spec.job.arguments_of(sink), output, self._context)

    def _abort(self, done: int) -> None:
        writers, self._writers = self._writers[done:], []
        for writer in writers:
            writer.abort()

    def _guarded(self, run: TaskRun, sink: Vertex, act: Callable[[], T]) -> T | None:
        """Call the writer of a sink; None if it raised, which fails the task."""
        try:
            return act()
        except Exception as error:  # noqa: BLE001  # a user's writer may raise anything; the task fails, not the worker
            last = run.spec.task.end - 1
            first = min(run.spec.task.start + self._rows, last)
            run.fail(error_from("save", sink.label, (first, last), error))
            return None
