"""The executor of worker processes on this machine.

Every instruction returns at once; only `wait` blocks. A dead process is noticed by its sentinel; its exit code, and its
status board, which outlives it, tell why it died and at which task.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

import cloudpickle

from scannerpy._engine import messages as m
from scannerpy._engine import protocol
from scannerpy._engine.executor import RunSpec, Update
from scannerpy._engine.failures import TaskError
from scannerpy._engine.kernels import InstanceConfig
from scannerpy._engine.pool import Pool, WorkerProcess
from scannerpy._engine.states import TaskId
from scannerpy._engine.tasks import Begun, Done, Failed
from scannerpy._graph.graph import Graph
from scannerpy._kernels.ship import pack_graph
from scannerpy._plan.task import EvenCut
from scannerpy.common import log

CANCEL_SECONDS = 2.0
"""How long a kernel may go on after a cancellation before its process is killed."""
END_SECONDS = 60.0
"""How long kernels may take to close at the end of a run."""
NO_TASKS = EvenCut(0, 1)


class _Worker:
    """A worker process that serves this run, under the scheduler's number for it."""

    def __init__(self, number: int, process: WorkerProcess, instance: InstanceConfig) -> None:
        self.number = number
        self.process = process
        self.instance = instance
        self.tasks: dict[TaskId, None] = {}
        self.job = -1
        self.failed_setup = False
        self.ended = False


class LocalExecutor:
    """One run on the pool's worker processes."""

    most_workers: int | None = None
    takes_interrupts = True  # see `run`: a Ctrl-C during the run is turned into a cancellation

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._workers: dict[int, _Worker] = {}
        self._updates: list[Update] = []
        self._fetcher: int | None = None
        self._fetched = False

    def begin(self, spec: RunSpec) -> None:
        """Pack what workers need. Raises KernelError if a kernel cannot be sent to another process."""
        self._spec = spec
        program = spec.program
        self._graph = pack_graph(program.graph)
        self._rest = cloudpickle.dumps(replace(program, graph=Graph(())))
        self._environment = m.Environment(str(_folder()), tuple(sys.path), dict(os.environ))

    def do(self, instruction: protocol.WorkerInstruction) -> None:
        """Carry out an instruction."""
        match instruction:
            case protocol.SpawnWorker(number):
                self._spawn(number)
            case protocol.KillWorker(number) if number in self._workers:
                self._workers[number].process.kill()
            case protocol.StartTask(number, task) if number in self._workers:
                self._start(self._workers[number], task)
            case protocol.DropTask(number, task) if number in self._workers:
                self._workers[number].process.send(m.Drop(task))
            case _:  # the worker died just now, as the scheduler is about to hear
                return

    def wait(self, timeout: float | None) -> list[Update]:
        """What has happened; waits up to `timeout` seconds for the first message."""
        if not self._updates:
            self._listen(timeout)
        updates, self._updates = self._updates, []
        return updates

    def rows_running(self) -> int:
        """Rows already saved by tasks that are not done."""
        return sum(max(0, worker.process.board.rows_running) for worker in self._workers.values())

    def end(self, *, cancel: bool) -> list[Update]:
        """Return every worker to the pool, or kill it. Returns the last updates (the rest of the trace)."""
        for worker in self._workers.values():
            worker.process.send(m.End(cancel or bool(worker.tasks)))
        patient = not (cancel or any(worker.tasks for worker in self._workers.values()))
        deadline = time.monotonic() + (END_SECONDS if patient else CANCEL_SECONDS)
        while self._workers and time.monotonic() < deadline:
            self._listen(deadline - time.monotonic())
        for worker in self._workers.values():
            log.info("worker process %d did not stop in time and is killed", worker.process.pid)
        self.abort()
        updates, self._updates = self._updates, []
        return updates

    def abort(self) -> None:
        """Kill every worker that is still at work."""
        for worker in list(self._workers.values()):
            self._remove(worker)
            worker.process.discard()

    # instructions

    def _spawn(self, number: int) -> None:
        try:
            process = self._pool.acquire()
        except (OSError, EOFError, ValueError) as error:
            reason = f"a worker process could not be started: {error}"
            self._updates.append(Update(protocol.WorkerLost(number, reason)))
            return
        instance = self._free_instance()
        worker = self._workers[number] = _Worker(number, process, instance)
        if not self._fetched and self._fetcher is None:
            self._fetcher = number
        self._begin(worker)
        self._updates.append(Update(protocol.WorkerUp(number)))

    def _begin(self, worker: _Worker) -> None:
        fetches = self._fetcher == worker.number
        worker.process.send(m.Begin(worker.instance, self._environment, self._graph, self._rest, fetches))
        if self._fetched:
            worker.process.send(m.ResourcesReady())

    def _replace(self, worker: _Worker) -> None:
        """Replace a process whose imported modules have changed on disk by a new one, which takes over its tasks."""
        worker.process.discard()
        worker.process = self._pool.start()
        worker.job = -1
        self._begin(worker)
        for task in list(worker.tasks):
            self._start(worker, task)

    def _free_instance(self) -> InstanceConfig:
        taken = {worker.instance.number for worker in self._workers.values()}
        number = next(i for i in range(len(taken) + 1) if i not in taken)
        return replace(self._spec.instance, number=number)

    def _start(self, worker: _Worker, task: TaskId) -> None:
        job = self._spec.jobs[task.job]
        try:
            plan = None if task.job == worker.job else cloudpickle.dumps(replace(job, tasks=NO_TASKS))
        except Exception as error:  # noqa: BLE001  # whatever a user's argument raises when it is pickled
            reason = f"the arguments of the stream cannot be sent to a worker process: {error}"
            fault = TaskError("load", "", None, type(error).__name__, reason, "")
            self._updates.append(Update(protocol.TaskFailed(worker.number, task, reason), error=fault))
            return
        worker.job = task.job
        worker.tasks[task] = None
        worker.process.send(m.RunTask(task, job.tasks[task.number], plan))

    # messages from workers

    def _listen(self, timeout: float | None) -> None:
        sources: dict[Any, _Worker] = {}
        for worker in self._workers.values():
            sources[worker.process.pipe] = worker
            sources[worker.process.sentinel] = worker
        if not sources:
            time.sleep(min(timeout or 0.0, 0.1))
            return
        for worker in _distinct(sources[ready] for ready in wait_for(list(sources), timeout)):
            self._receive(worker)

    def _receive(self, worker: _Worker) -> None:
        process = worker.process
        ended = not process.alive
        for message in _messages(process):
            self._handle(worker, message)
        if ended and not worker.ended and worker.process is process:
            self._lost(worker)

    def _handle(self, worker: _Worker, message: m.ToParent) -> None:
        number = worker.number
        match message:
            case Begun(task):
                self._updates.append(Update(protocol.TaskBegun(number, task)))
            case Done(task, result, intervals, load, work):
                worker.tasks.pop(task, None)
                done = protocol.TaskDone(number, task)
                self._updates.append(Update(done, result, intervals, load_ns=load, work_ns=work))
            case Failed(task, error, intervals):
                worker.tasks.pop(task, None)
                self._updates.append(Update(protocol.TaskFailed(number, task, str(error)), (), intervals, error))
            case m.Stale():
                self._replace(worker)
            case m.Fetched():
                self._announce_resources()
            case m.CannotSetUp(error):
                worker.tasks.clear()
                worker.failed_setup = True
                self._reassign_fetching(worker)
                self._updates.append(Update(protocol.SetupFailed(number, str(error)), error=error))
                worker.process.send(m.End(cancel=True))
            case m.InternalError(error):
                log.error("a worker process failed inside the engine: %s\n%s", error, error.traceback)
            case m.Idle(intervals):
                self._remove(worker)
                self._updates.append(Update(protocol.Tick(), (), intervals, worker=number))
                self._pool.release(worker.process)

    def _announce_resources(self) -> None:
        self._fetched, self._fetcher = True, None
        for worker in self._workers.values():
            worker.process.send(m.ResourcesReady())

    def _reassign_fetching(self, worker: _Worker) -> None:
        """The instance that was to fetch resources cannot: let another one do it."""
        if self._fetcher != worker.number:
            return
        successor = next((w for w in self._workers.values() if w is not worker and not w.failed_setup), None)
        self._fetcher = successor.number if successor else None
        if successor:
            successor.process.send(m.Fetch())

    def _lost(self, worker: _Worker) -> None:
        self._remove(worker)
        self._reassign_fetching(worker)
        how = worker.process.exit_reason()
        at = next((at for at in worker.process.board.busy() if at.task in worker.tasks), None)
        op = self._spec.program.graph.vertices[at.vertex].label if at else ""
        error = TaskError("worker", op, at.rows if at else None, "WorkerDied", how, "")
        self._updates.append(Update(protocol.WorkerLost(worker.number, how, at.task if at else None), error=error))
        worker.process.discard()

    def _remove(self, worker: _Worker) -> None:
        worker.ended = True
        self._workers.pop(worker.number, None)


def _messages(process: WorkerProcess) -> Iterator[m.ToParent]:
    """Everything that has arrived, up to the end of the pipe."""
    try:
        while process.pipe.poll():
            yield process.pipe.recv()
    except (EOFError, OSError):
        return


def _folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted under us
        return Path("/")


def _distinct(workers: Iterable[_Worker]) -> list[_Worker]:
    return list({worker.number: worker for worker in workers}.values())
