"""The first stage of a pipeline: from a task to the elements its sources yield, step by step.

The demand of a task is computed here, in the worker, and cut into steps that fit the memory cap. Readers stay open
from one task of a job to the next, so that a decoder goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from scannerpy._engine.board import StatusBoard
from scannerpy._engine.failures import error_from
from scannerpy._engine.memory import Memory, size_of_all
from scannerpy._engine.ports import Reader, WorkerContext
from scannerpy._engine.queues import Cancelled
from scannerpy._engine.tasks import Program, TaskRun, TaskSpec
from scannerpy._engine.trace import Recorder, clock
from scannerpy._graph.graph import Vertex
from scannerpy._plan.demand import trace
from scannerpy._plan.rows import Rows
from scannerpy._plan.steps import TaskDemand, in_steps
from scannerpy._words.elements import Element
from scannerpy.errors import StorageError

LOAD = 0
READING, DECODING = "Reader[0]", "Pipeline[0]:DecodeVideo"


@dataclass(frozen=True, slots=True, eq=False)
class LoadedStep:
    """The new elements of every source in one step of a task."""

    run: TaskRun
    step: int
    elements: Mapping[int, list[Element]]
    size: int


class Loader:
    """Loads the tasks of one run, in order. Used by one thread."""

    def __init__(
        self, program: Program, memory: Memory, context: WorkerContext, board: StatusBoard, recorder: Recorder
    ) -> None:
        self._program = program
        self._sources = program.graph.sources
        self._memory = memory
        self._context = context
        self._board = board
        self._recorder = recorder
        self._job = -1
        self._readers: dict[int, Reader] = {}
        self._row_bytes: dict[int, int] = {}
        self.cancelled = False

    def begin(self, spec: TaskSpec) -> TaskRun:
        """Work out what a task demands and open its readers. An error is stored in `TaskRun.error`."""
        run = TaskRun(spec)
        source = None
        began = clock()
        try:
            for source in self._sources:
                self._open(spec, source)
            self._recorder.add(READING, "open", "load", began, 0, spec.id)
            run.demand = self._demand(spec)
        except Exception as error:  # noqa: BLE001  # a user's reader may raise anything; the task fails, not the worker
            run.fail(error_from("load", source.label if source else "", None, error))
        return run

    def steps(self, run: TaskRun) -> Iterator[LoadedStep]:
        """Load step after step, until the end or until the run fails."""
        if run.demand is None:
            return
        demand = run.demand
        streams = {v.number: iter(self._readers[v.number].read(demand.vertices[v.number].rows)) for v in self._sources}
        ends = demand.ends.tolist()
        before = [0] * len(ends[0]) if ends else []
        for step, after in enumerate(ends):
            loaded = self._step(run, demand, streams, before, after)
            if loaded is None:
                break
            yield LoadedStep(run, step, loaded, sum(map(size_of_all, loaded.values())))
            before = after
        self._board.leave(LOAD)

    def close(self) -> None:
        """Close every reader."""
        readers, self._readers = self._readers, {}
        for reader in readers.values():
            reader.close()

    def _open(self, spec: TaskSpec, source: Vertex) -> None:
        if spec.id.job != self._job:
            self.close()
            self._job = spec.id.job
        if source.number in self._readers:
            return
        reader = self._program.sources[source.name](spec.job.arguments_of(source), self._context)
        self._readers[source.number] = reader
        self._row_bytes[source.number] = int(getattr(reader, "row_bytes", 0))

    def _demand(self, spec: TaskSpec) -> TaskDemand:
        vertices = trace(self._program.graph, spec.job, spec.task)
        needed = sum(self._row_bytes[v.number] * len(vertices[v.number].rows) for v in self._sources)
        rows = self._memory.step_rows(self._program.work_packet_size, needed / max(1, spec.task.rows))
        return in_steps(self._program.graph, vertices, rows)

    def _step(
        self,
        run: TaskRun,
        demand: TaskDemand,
        streams: Mapping[int, Iterator[Element]],
        before: list[int],
        after: list[int],
    ) -> dict[int, list[Element]] | None:
        loaded: dict[int, list[Element]] = {}
        for source in self._sources:
            number = source.number
            rows = demand.vertices[number].rows[before[number] : after[number]]
            elements = self._read(run, source, streams[number], rows)
            if elements is None:
                return None
            loaded[number] = elements
        return loaded

    def _read(self, run: TaskRun, source: Vertex, stream: Iterator[Element], rows: Rows) -> list[Element] | None:
        """The elements of `rows`, the next of a source's stream; None if the run failed."""
        if len(rows) == 0:
            return [] if run.alive else None
        self._board.enter(LOAD, run.id, source.number, int(rows[0]), int(rows[-1]))
        elements: list[Element] = []
        began = clock()
        try:
            whole = self._collect(run, stream, len(rows), elements)
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001  # a user's reader may raise anything; the task fails, not the worker
            self._fail(run, source, int(rows[len(elements)]), error)
            return None
        if not whole:
            return None
        self._row_bytes[source.number] = self._row_bytes[source.number] or size_of_all(elements) // len(elements)
        run.load_ns += clock() - began
        lane = DECODING if isinstance(elements[0], np.ndarray) else READING
        self._recorder.add(lane, source.name, "load", began, len(elements), run.id)
        return elements

    def _collect(self, run: TaskRun, stream: Iterator[Element], count: int, elements: list[Element]) -> bool:
        for _ in range(count):
            if self.cancelled:
                raise Cancelled
            if not run.alive:
                return False
            elements.append(next(stream))
        return True

    def _fail(self, run: TaskRun, source: Vertex, row: int, error: BaseException) -> None:
        if isinstance(error, StopIteration):
            error = StorageError(f"source {source.label} ended before row {row}, which it was asked for")
        run.fail(error_from("load", source.label, (row, row), error))
        self.close()  # a reader that raised is in no state to go on
        self._job = -1
