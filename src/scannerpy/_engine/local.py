"""Carries the brain's instructions out with worker processes on this machine.

Every instruction returns at once; `wait` is the only place that blocks. A death is noticed through the process's
sentinel, explained by its exit code and by the board it left behind.
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

from scannerpy._engine import brain as b
from scannerpy._engine import messages as m
from scannerpy._engine.body import News, RunSpec
from scannerpy._engine.failures import TaskError
from scannerpy._engine.kernels import Seat
from scannerpy._engine.pool import Pool, WorkerProcess
from scannerpy._engine.states import TaskId
from scannerpy._engine.tasks import Begun, Done, Failed
from scannerpy._graph.graph import Graph
from scannerpy._kernels.ship import pack_graph
from scannerpy._plan.plan import EvenCut
from scannerpy.common import log

CANCEL_SECONDS = 2.0
"""How long a kernel may go on after a cancellation before its process is killed."""
END_SECONDS = 60.0
"""How long kernels may take to close at the end of a run."""
NO_TASKS = EvenCut(0, 1)


class _Seated:
    """A worker process at work for this run, under the brain's number for it."""

    def __init__(self, number: int, process: WorkerProcess, seat: Seat) -> None:
        self.number = number
        self.process = process
        self.seat = seat
        self.tasks: dict[TaskId, None] = {}
        self.job = -1
        self.refused = False
        self.ended = False


class LocalBody:
    """One run on the pool's worker processes."""

    most_workers: int | None = None
    takes_interrupts = True  # see `run`: a Ctrl-C during the run is turned into a cancellation

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._seated: dict[int, _Seated] = {}
        self._news: list[News] = []
        self._fetcher: int | None = None
        self._fetched = False

    def begin(self, spec: RunSpec) -> None:
        """Pack what workers need. Raises KernelError if a kernel cannot be sent to another process."""
        self._spec = spec
        program = spec.program
        self._graph = pack_graph(program.graph)
        self._rest = cloudpickle.dumps(replace(program, graph=Graph(())))
        self._surroundings = m.Surroundings(str(_folder()), tuple(sys.path), dict(os.environ))

    def do(self, instruction: b.SpawnWorker | b.KillWorker | b.StartTask | b.DropTask) -> None:
        """Carry out an instruction."""
        match instruction:
            case b.SpawnWorker(number):
                self._spawn(number)
            case b.KillWorker(number) if number in self._seated:
                self._seated[number].process.kill()
            case b.StartTask(number, task) if number in self._seated:
                self._start(self._seated[number], task)
            case b.DropTask(number, task) if number in self._seated:
                self._seated[number].process.send(m.Drop(task))
            case _:  # the worker died just now, as the brain is about to hear
                return

    def wait(self, timeout: float | None) -> list[News]:
        """What has happened; waits up to `timeout` seconds for the first word."""
        if not self._news:
            self._listen(timeout)
        news, self._news = self._news, []
        return news

    def rows_running(self) -> int:
        """Rows that are through, of tasks that are not done."""
        return sum(max(0, seated.process.board.rows_running) for seated in self._seated.values())

    def end(self, *, cancel: bool) -> list[News]:
        """Bring every worker back to idle, or end it. Returns the last words (rests of the trace)."""
        for seated in self._seated.values():
            seated.process.send(m.End(cancel or bool(seated.tasks)))
        patient = not (cancel or any(seated.tasks for seated in self._seated.values()))
        deadline = time.monotonic() + (END_SECONDS if patient else CANCEL_SECONDS)
        while self._seated and time.monotonic() < deadline:
            self._listen(deadline - time.monotonic())
        for seated in self._seated.values():
            log.info("worker process %d did not stop in time and is killed", seated.process.pid)
        self.abandon()
        news, self._news = self._news, []
        return news

    def abandon(self) -> None:
        """Kill every worker that is still at work."""
        for seated in list(self._seated.values()):
            self._unseat(seated)
            seated.process.discard()

    # instructions

    def _spawn(self, number: int) -> None:
        try:
            process = self._pool.take()
        except (OSError, EOFError, ValueError) as error:
            reason = f"a worker process could not be started: {error}"
            self._news.append(News(b.WorkerLost(number, reason)))
            return
        seat = self._free_seat()
        seated = self._seated[number] = _Seated(number, process, seat)
        if not self._fetched and self._fetcher is None:
            self._fetcher = number
        self._begin(seated)
        self._news.append(News(b.WorkerUp(number)))

    def _begin(self, seated: _Seated) -> None:
        fetches = self._fetcher == seated.number
        seated.process.send(m.Begin(seated.seat, self._surroundings, self._graph, self._rest, fetches))
        if self._fetched:
            seated.process.send(m.Go())

    def _replace(self, seated: _Seated) -> None:
        """Give a fresh process the place, and the tasks, of one that has imported what has changed since."""
        seated.process.discard()
        seated.process = self._pool.start()
        seated.job = -1
        self._begin(seated)
        for task in list(seated.tasks):
            self._start(seated, task)

    def _free_seat(self) -> Seat:
        taken = {seated.seat.instance for seated in self._seated.values()}
        instance = next(i for i in range(len(taken) + 1) if i not in taken)
        return replace(self._spec.seat, instance=instance)

    def _start(self, seated: _Seated, task: TaskId) -> None:
        job = self._spec.jobs[task.job]
        try:
            plan = None if task.job == seated.job else cloudpickle.dumps(replace(job, tasks=NO_TASKS))
        except Exception as error:  # noqa: BLE001  # whatever a user's argument raises when it is pickled
            reason = f"the arguments of the stream cannot be sent to a worker process: {error}"
            fault = TaskError("load", "", None, type(error).__name__, reason, "")
            self._news.append(News(b.TaskFailed(seated.number, task, reason), error=fault))
            return
        seated.job = task.job
        seated.tasks[task] = None
        seated.process.send(m.Give(task, job.tasks[task.number], plan))

    # news

    def _listen(self, timeout: float | None) -> None:
        sources: dict[Any, _Seated] = {}
        for seated in self._seated.values():
            sources[seated.process.pipe] = seated
            sources[seated.process.sentinel] = seated
        if not sources:
            time.sleep(min(timeout or 0.0, 0.1))
            return
        for seated in _distinct(sources[ready] for ready in wait_for(list(sources), timeout)):
            self._hear(seated)

    def _hear(self, seated: _Seated) -> None:
        process = seated.process
        ended = not process.alive
        for message in _messages(process):
            self._take(seated, message)
        if ended and not seated.ended and seated.process is process:
            self._bury(seated)

    def _take(self, seated: _Seated, message: Any) -> None:
        number = seated.number
        match message:
            case Begun(task):
                self._news.append(News(b.TaskBegun(number, task)))
            case Done(task, result, intervals, load, work):
                seated.tasks.pop(task, None)
                done = b.TaskDone(number, task)
                self._news.append(News(done, result, intervals, load_ns=load, work_ns=work))
            case Failed(task, error, intervals):
                seated.tasks.pop(task, None)
                self._news.append(News(b.TaskFailed(number, task, str(error)), (), intervals, error))
            case m.Stale():
                self._replace(seated)
            case m.Fetched():
                self._go()
            case m.CannotSetUp(error):
                seated.tasks.clear()
                seated.refused = True
                self._pass_on_fetching(seated)
                self._news.append(News(b.SetupFailed(number, str(error)), error=error))
                seated.process.send(m.End(cancel=True))
            case m.Broken(error):
                log.error("a worker process failed inside the engine: %s\n%s", error, error.traceback)
            case m.Ended(intervals):
                self._unseat(seated)
                self._news.append(News(b.Tick(), (), intervals, worker=number))
                self._pool.give_back(seated.process)

    def _go(self) -> None:
        self._fetched, self._fetcher = True, None
        for seated in self._seated.values():
            seated.process.send(m.Go())

    def _pass_on_fetching(self, seated: _Seated) -> None:
        """The instance that was to fetch resources cannot: let another one do it."""
        if self._fetcher != seated.number:
            return
        heir = next((s for s in self._seated.values() if s is not seated and not s.refused), None)
        self._fetcher = heir.number if heir else None
        if heir:
            heir.process.send(m.Fetch())

    def _bury(self, seated: _Seated) -> None:
        self._unseat(seated)
        self._pass_on_fetching(seated)
        how = seated.process.epitaph()
        at = next((at for at in seated.process.board.busy() if at.task in seated.tasks), None)
        op = self._spec.program.graph.vertices[at.vertex].label if at else ""
        error = TaskError("worker", op, at.rows if at else None, "WorkerDied", how, "")
        self._news.append(News(b.WorkerLost(seated.number, how, at.task if at else None), error=error))
        seated.process.discard()

    def _unseat(self, seated: _Seated) -> None:
        seated.ended = True
        self._seated.pop(seated.number, None)


def _messages(process: WorkerProcess) -> Iterator[Any]:
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


def _distinct(seated: Iterable[_Seated]) -> list[_Seated]:
    return list({s.number: s for s in seated}.values())
