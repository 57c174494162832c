"""Carries the brain's instructions out in this very thread (``Client(debug=True)``): one instance, one task at a time.

A debugger works in kernels, and Ctrl-C comes out of them. What cannot be had here: a task past its time cannot be
stopped, so it is only counted as failed when it is over; a kernel that kills its process kills the program.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace

from scannerpy._engine import brain as b
from scannerpy._engine.board import Board
from scannerpy._engine.body import News, RunSpec
from scannerpy._engine.failures import TaskError, error_from
from scannerpy._engine.kernels import close_hosts, fetch, make_hosts, set_up
from scannerpy._engine.memory import Memory
from scannerpy._engine.pipeline import Pipeline, growth_of
from scannerpy._engine.ports import WorkerContext
from scannerpy._engine.states import TaskId
from scannerpy._engine.tasks import Begun, Done, Failed, Order, Report
from scannerpy._kernels.host import KernelHost


class InlineBody:
    """One pipeline instance without threads or processes."""

    most_workers: int | None = 1
    takes_interrupts = False  # Ctrl-C comes out of whatever kernel runs

    def __init__(self) -> None:
        self._board = Board()
        self._hosts: dict[int, KernelHost] = {}
        self._pipeline: Pipeline | None = None
        self._worker = -1
        self._waiting: deque[TaskId] = deque()
        self._news: list[News] = []
        self._began = 0.0

    def begin(self, spec: RunSpec) -> None:
        """Keep the run."""
        self._spec = spec
        self._limit = spec.limits.task_timeout

    def do(self, instruction: b.SpawnWorker | b.KillWorker | b.StartTask | b.DropTask) -> None:
        """Carry out an instruction; tasks run in `wait`."""
        match instruction:
            case b.SpawnWorker(number):
                self._spawn(number)
            case b.StartTask(_, task):
                self._waiting.append(task)
            case b.DropTask(number, task):
                self._drop(number, task)
            case b.KillWorker():
                return  # it is this process; the task's end is counted as a failure when it comes

    def wait(self, timeout: float | None) -> list[News]:
        """Run the next task, if there is one."""
        if not self._news and self._waiting:
            self._run(self._waiting.popleft())
        elif not self._news:
            time.sleep(min(timeout or 0.0, 0.1))
        news, self._news = self._news, []
        return news

    def rows_running(self) -> int:
        """None: nobody looks while a task runs."""
        return 0

    def end(self, *, cancel: bool) -> list[News]:
        """Close the kernels."""
        del cancel
        rest = self._pipeline.end() if self._pipeline is not None else []
        self.abandon()
        return [News(b.Tick(), (), rest, worker=self._worker)]

    def abandon(self) -> None:
        """Close the kernels."""
        self._pipeline = None
        hosts, self._hosts = self._hosts, {}
        close_hosts(hosts)

    def _spawn(self, number: int) -> None:
        self._worker = number
        self._news.append(News(b.WorkerUp(number)))
        program, seat = self._spec.program, replace(self._spec.seat, instance=0)
        try:
            self._hosts = make_hosts(program.graph, seat)
            fetch(self._hosts)
            set_up(self._hosts)
        except Exception as error:  # noqa: BLE001  # kernels may raise anything
            told = error_from("setup", "", None, error)
            self._news.append(News(b.SetupFailed(number, str(told)), error=told))
            self.abandon()
            return
        self._pipeline = Pipeline(
            program,
            self._hosts,
            self._hear,
            memory=Memory(seat.memory, growth_of(program)),
            context=WorkerContext(0, seat.threads, program.database),
            board=self._board,
        )

    def _drop(self, number: int, task: TaskId) -> None:
        if task in self._waiting:
            self._waiting.remove(task)
            self._news.append(News(b.TaskFailed(number, task, "dropped")))

    def _run(self, task: TaskId) -> None:
        if self._pipeline is not None:
            job = self._spec.jobs[task.job]
            self._began = time.monotonic()
            self._pipeline.run_inline(Order(task, job, job.tasks[task.number]))

    def _hear(self, report: Report) -> None:
        worker = self._worker
        match report:
            case Begun(task):
                self._news.append(News(b.TaskBegun(worker, task)))
            case Failed(task, error, intervals):
                self._news.append(News(b.TaskFailed(worker, task, str(error)), (), intervals, error))
            case Done(task, _, intervals) if 0 < self._limit <= time.monotonic() - self._began:
                late = TaskError("evaluate", "", None, "TaskTimeout", b.overdue_reason(self._limit), "")
                self._news.append(News(b.TaskFailed(worker, task, str(late)), (), intervals, late))
            case Done(task, result, intervals):
                self._news.append(News(b.TaskDone(worker, task), result, intervals))
