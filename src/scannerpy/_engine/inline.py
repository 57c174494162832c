"""The executor of ``Client(debug=True)``: runs tasks in the calling thread, one instance, one task at a time.

A debugger works in kernels, and Ctrl-C comes out of them. What cannot be had here: a task past its time cannot be
stopped, so it is only counted as failed when it is over; a kernel that kills its process kills the program.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace

from scannerpy._engine import protocol
from scannerpy._engine.board import StatusBoard
from scannerpy._engine.executor import RunSpec, Update
from scannerpy._engine.failures import TaskError, error_from
from scannerpy._engine.kernels import close_hosts, fetch, make_hosts, set_up
from scannerpy._engine.memory import Memory
from scannerpy._engine.pipeline import Pipeline, growth_of
from scannerpy._engine.ports import WorkerContext
from scannerpy._engine.states import TaskId
from scannerpy._engine.tasks import Begun, Done, Failed, Report, TaskSpec
from scannerpy._kernels.host import KernelHost


class InlineExecutor:
    """One pipeline instance without threads or processes."""

    most_workers: int | None = 1
    takes_interrupts = False  # Ctrl-C comes out of whatever kernel runs

    def __init__(self) -> None:
        self._board = StatusBoard()
        self._hosts: dict[int, KernelHost] = {}
        self._pipeline: Pipeline | None = None
        self._worker = -1
        self._waiting: deque[TaskId] = deque()
        self._updates: list[Update] = []
        self._began = 0.0

    def begin(self, spec: RunSpec) -> None:
        """Keep the run."""
        self._spec = spec
        self._limit = spec.limits.task_timeout

    def do(self, instruction: protocol.WorkerInstruction) -> None:
        """Carry out an instruction; tasks run in `wait`."""
        match instruction:
            case protocol.SpawnWorker(number):
                self._spawn(number)
            case protocol.StartTask(_, task):
                self._waiting.append(task)
            case protocol.DropTask(number, task):
                self._drop(number, task)
            case protocol.KillWorker():
                return  # it is this process; the task's end is counted as a failure when it comes

    def wait(self, timeout: float | None) -> list[Update]:
        """Run the next task, if there is one."""
        if not self._updates and self._waiting:
            self._run(self._waiting.popleft())
        elif not self._updates:
            time.sleep(min(timeout or 0.0, 0.1))
        updates, self._updates = self._updates, []
        return updates

    def rows_running(self) -> int:
        """Always 0: nothing can be shown while a task runs in this thread."""
        return 0

    def end(self, *, cancel: bool) -> list[Update]:
        """Close the kernels."""
        del cancel
        rest = self._pipeline.end() if self._pipeline is not None else []
        self.abort()
        return [Update(protocol.Tick(), (), rest, worker=self._worker)]

    def abort(self) -> None:
        """Close the kernels."""
        self._pipeline = None
        hosts, self._hosts = self._hosts, {}
        close_hosts(hosts)

    def _spawn(self, number: int) -> None:
        self._worker = number
        self._updates.append(Update(protocol.WorkerUp(number)))
        program, instance = self._spec.program, replace(self._spec.instance, number=0)
        try:
            self._hosts = make_hosts(program.graph, instance)
            fetch(self._hosts)
            set_up(self._hosts)
        except Exception as error:  # noqa: BLE001  # kernels may raise anything
            told = error_from("setup", "", None, error)
            self._updates.append(Update(protocol.SetupFailed(number, str(told)), error=told))
            self.abort()
            return
        self._pipeline = Pipeline(
            program,
            self._hosts,
            self._hear,
            memory=Memory(instance.memory, growth_of(program)),
            context=WorkerContext(0, instance.threads, program.database),
            board=self._board,
        )

    def _drop(self, number: int, task: TaskId) -> None:
        if task in self._waiting:
            self._waiting.remove(task)
            self._updates.append(Update(protocol.TaskFailed(number, task, "dropped")))

    def _run(self, task: TaskId) -> None:
        if self._pipeline is not None:
            job = self._spec.jobs[task.job]
            self._began = time.monotonic()
            self._pipeline.run_inline(TaskSpec(task, job, job.tasks[task.number]))

    def _hear(self, report: Report) -> None:
        worker = self._worker
        match report:
            case Begun(task):
                self._updates.append(Update(protocol.TaskBegun(worker, task)))
            case Failed(task, error, intervals):
                self._updates.append(Update(protocol.TaskFailed(worker, task, str(error)), (), intervals, error))
            case Done(task, _, intervals) if 0 < self._limit <= time.monotonic() - self._began:
                late = TaskError("evaluate", "", None, "TaskTimeout", protocol.overdue_reason(self._limit), "")
                self._updates.append(Update(protocol.TaskFailed(worker, task, str(late)), (), intervals, late))
            case Done(task, result, intervals):
                self._updates.append(Update(protocol.TaskDone(worker, task), result, intervals))
