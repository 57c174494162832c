"""A pipeline: load → evaluate → save, for one worker and one run.

In a worker the stages overlap: loading and saving are threads of their own, the evaluator stays in the thread that
calls `work` (a worker's main thread, which many libraries that kernels use expect). Queues bounded in bytes connect
them. With ``debug=True`` `run_inline` does the same without any thread, so that pdb works in kernels.

A task goes through as *begin*, its steps, *end*. Every stage passes begin and end on, also for a task that has
failed, so the report about a task comes from the last stage, when no stage works on it any more. The first error
wins.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from scannerpy._engine.board import StatusBoard
from scannerpy._engine.evaluate import Evaluator, Host
from scannerpy._engine.failures import error_from
from scannerpy._engine.load import LoadedStep, Loader
from scannerpy._engine.memory import Memory, size_of_all
from scannerpy._engine.ports import WorkerContext
from scannerpy._engine.queues import ByteQueue, Cancelled, Closed
from scannerpy._engine.save import Saver
from scannerpy._engine.states import TaskId
from scannerpy._engine.tasks import DROPPED, Begun, Program, Report, TaskRun, TaskSpec
from scannerpy._engine.trace import Interval, Recorder, clock
from scannerpy._words.elements import Element

MIN_WAIT_TRACED = 1_000_000
"""Waits at a queue shorter than this (1 ms) are not put into the trace."""


@dataclass(frozen=True, slots=True, eq=False)
class _Begin:
    run: TaskRun


@dataclass(frozen=True, slots=True, eq=False)
class _End:
    run: TaskRun


@dataclass(frozen=True, slots=True, eq=False)
class _EvaluatedStep:
    run: TaskRun
    elements: list[list[list[Element]]]


T = TypeVar("T")
Passing = TypeVar("Passing", bound=_Begin | LoadedStep | _EvaluatedStep | _End)


class Pipeline:
    """Runs the tasks it is given, in order, and reports on each. It serves one run."""

    def __init__(
        self,
        program: Program,
        hosts: Mapping[int, Host],
        report: Callable[[Report], None],
        *,
        memory: Memory | None = None,
        context: WorkerContext | None = None,
        board: StatusBoard | None = None,
        tasks: ByteQueue[TaskSpec] | None = None,
        dropped: set[TaskId] | None = None,
    ) -> None:
        context, board = context or WorkerContext(database=program.database), board or StatusBoard()
        self._memory = memory or Memory(growth=growth_of(program))
        self._recorder = Recorder()
        self._loader = Loader(program, self._memory, context, board, self._recorder)
        self._evaluator = Evaluator(program.graph, hosts, board, self._recorder)
        self._saver = Saver(program, context, board, self._recorder)
        self._report = report
        self._submitted: ByteQueue[TaskSpec] = tasks or ByteQueue(1)
        self._loaded: ByteQueue[_Begin | LoadedStep | _End] = ByteQueue(self._memory.queue_bound)
        self._evaluated: ByteQueue[_Begin | _EvaluatedStep | _End] = ByteQueue(self._memory.queue_bound)
        self._dropped = set() if dropped is None else dropped
        self._runs: dict[TaskId, TaskRun] = {}
        self._crash: BaseException | None = None
        self._largest = 0  # bytes loaded in one step of the task being evaluated

    # called from any thread

    def submit(self, spec: TaskSpec) -> None:
        """Queue a task."""
        self._submitted.put(spec)

    def drop(self, task: TaskId) -> None:
        """The task is not wanted any more: it passes the pipeline as failed."""
        self._dropped.add(task)
        run = self._runs.get(task)
        if run is not None:
            run.fail(DROPPED)

    def close(self) -> None:
        """No more tasks: `work` returns after the last."""
        self._submitted.close()

    def cancel(self) -> None:
        """Stop at the next row; nothing more is reported."""
        self._loader.cancelled = True
        for queue in (self._submitted, self._loaded, self._evaluated):
            queue.cancel()

    # called from the thread that evaluates

    def work(self, prepare: Callable[[], None] = lambda: None) -> None:
        """Run until `close` or `cancel`. All threads are joined when this returns.

        `prepare` sets up the hosts, in this thread, while the first task loads. Raises what it raises, and what broke
        the engine itself (never a failed task).
        """
        threads = [
            threading.Thread(target=self._guarded, args=(stage,), name=f"scanner-{name}")
            for name, stage in (("load", self._load), ("save", self._save))
        ]
        for thread in threads:
            thread.start()
        try:
            self._guarded(prepare)
            self._guarded(self._evaluate)
        finally:
            for thread in threads:
                thread.join()
        if self._crash is not None:
            raise self._crash

    def run_inline(self, spec: TaskSpec) -> None:
        """Run one task in this thread."""
        self._report(Begun(spec.id))
        run = self._begin(spec)
        try:
            self._begin_evaluation(run)
            self._saver.begin(run)
            for loaded in self._loader.steps(run):
                stored = self._step(loaded)
                if stored is not None:
                    self._saver.write(run, stored)
            self._end_evaluation()
        except BaseException:
            self._saver.abort()
            raise
        self._report(self._saver.end(run))

    def end(self) -> list[Interval]:
        """Close readers; return the rest of the trace."""
        self._loader.close()
        return self._recorder.take_all()

    # the stages

    def _load(self) -> None:
        try:
            for spec in _until_closed(self._submitted):
                run = self._begin(spec)
                self._put(self._loaded, _Begin(run), 0, run, "load")
                for loaded in self._loader.steps(run):
                    self._put(self._loaded, loaded, loaded.size, run, "load")
                self._put(self._loaded, _End(run), 0, run, "load")
            self._loaded.close()
        finally:
            self._loader.close()

    def _evaluate(self) -> None:
        for item in self._waiting_for(self._loaded, "load"):
            run = item.run
            if isinstance(item, _Begin):
                self._report(Begun(run.id))
                self._begin_evaluation(run)
                self._evaluated.put(item)
            elif isinstance(item, LoadedStep):
                stored = self._step(item)
                if stored is not None:
                    self._put(self._evaluated, _EvaluatedStep(run, stored), _bytes_of(stored), run, "evaluate")
            else:
                self._end_evaluation()
                self._evaluated.put(item)
        self._evaluated.close()

    def _save(self) -> None:
        try:
            for item in self._waiting_for(self._evaluated, "evaluate"):
                if isinstance(item, _Begin):
                    self._saver.begin(item.run)
                elif isinstance(item, _End):
                    self._finish(item.run)
                elif item.run.alive:
                    self._saver.write(item.run, item.elements)
        finally:
            self._saver.abort()

    # parts of the stages

    def _begin(self, spec: TaskSpec) -> TaskRun:
        run = self._loader.begin(spec)
        self._runs[spec.id] = run
        if spec.id in self._dropped:
            run.fail(DROPPED)
        return run

    def _begin_evaluation(self, run: TaskRun) -> None:
        spec = run.spec
        self._largest = 0
        if run.alive and run.demand is not None:
            demand = run.demand
            self._catching_errors(run, lambda: self._evaluator.begin(spec.id, spec.job, spec.task, demand))

    def _step(self, loaded: LoadedStep) -> list[list[list[Element]]] | None:
        if not loaded.run.alive:
            return None
        self._largest = max(self._largest, loaded.size)
        began = clock()
        stored = self._catching_errors(loaded.run, lambda: self._evaluator.step(loaded.step, loaded.elements))
        loaded.run.work_ns += clock() - began
        return stored

    def _end_evaluation(self) -> None:
        self._memory.learn(self._largest, self._evaluator.peak)
        self._evaluator.end()

    def _finish(self, run: TaskRun) -> None:
        report = self._saver.end(run)
        self._runs.pop(run.id, None)
        self._dropped.discard(run.id)
        self._report(report)

    def _catching_errors(self, run: TaskRun, act: Callable[[], T]) -> T | None:
        """Do a part of the evaluation; what a kernel raises fails the task, not the worker."""
        try:
            return act()
        except Exception as error:  # noqa: BLE001  # kernels may raise anything
            at = self._evaluator.at
            op, rows = (at[0].label, at[1]) if at else ("", None)
            run.fail(error_from("evaluate", op, rows, error))
            return None

    def _put(self, queue: ByteQueue[T], item: T, size: int, run: TaskRun, who: str) -> None:
        began = clock()
        queue.put(item, size)
        if clock() - began > MIN_WAIT_TRACED:
            self._recorder.add(f"Queue after {who}", "wait for room", "wait", began, 0, run.id)

    def _waiting_for(self, queue: ByteQueue[Passing], whom: str) -> Iterator[Passing]:
        """The items of a queue; long waits for one go into the trace."""
        began = clock()
        for item in _until_closed(queue):
            if clock() - began > MIN_WAIT_TRACED:
                self._recorder.add(f"Queue after {whom}", f"wait for {whom}", "wait", began, 0, item.run.id)
            yield item
            began = clock()

    def _guarded(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except Cancelled:
            return
        except BaseException as error:  # noqa: BLE001  # raised again by `work`, in the caller's thread
            self._crash = self._crash or error
            self.cancel()


def _until_closed(queue: ByteQueue[T]) -> Iterator[T]:
    while True:
        try:
            item = queue.get()
        except Closed:
            return
        yield item


def _bytes_of(stored: list[list[list[Element]]]) -> int:
    return sum(size_of_all(column) for sink in stored for column in sink)


def growth_of(program: Program) -> float:
    """A first guess at how much ops add to what sources yield: every op that makes frames makes as much again."""
    signatures = [v.signature for v in program.graph.vertices if v.signature is not None]
    return 1.0 + sum(any(column.is_video for column in signature.outputs) for signature in signatures)
