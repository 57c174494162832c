"""The main function of a worker process: one pipeline instance, kept for one run after another.

The main thread sets kernels up and evaluates (many libraries want the main thread); a receiver thread listens to the
parent. When the pipe to the parent ends, the process exits at once, whatever its kernels are doing. Ctrl-C is the
parent's business and ignored here.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import queue
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any

import av  # noqa: F401  # imported once, in the fork server
import cv2
import numpy as np

from scannerpy._engine import messages as m
from scannerpy._engine.board import StatusBoard
from scannerpy._engine.failures import error_from
from scannerpy._engine.kernels import Hosts, close_hosts, fetch, make_hosts, set_up
from scannerpy._engine.memory import Memory
from scannerpy._engine.pipeline import Pipeline, growth_of
from scannerpy._engine.ports import WorkerContext
from scannerpy._engine.queues import ByteQueue, Cancelled
from scannerpy._engine.states import TaskId
from scannerpy._engine.tasks import Program, TaskSpec
from scannerpy._kernels.host import KernelHost
from scannerpy._kernels.ship import unpack_graph
from scannerpy._plan.task import JobPlan


def main(pipe: Connection, words: Any) -> None:
    """Serve the parent until it says `Exit` or is gone."""
    die_with_server()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    keep_freed_memory()
    worker = Worker(pipe, StatusBoard(np.frombuffer(words, np.int64).data))
    try:
        worker.serve()
    except BaseException as error:
        with suppress(OSError):  # the parent is gone too
            worker.send(m.InternalError(error_from("worker", "", None, error)))
        raise


def die_with_server() -> None:
    """On Linux, be killed when the fork server ends, which it does once the program is gone.

    The receiver thread sees the program's end first, but never runs while a kernel holds the interpreter lock. The
    server would wait for us in turn, so we close the pipe that keeps it alive.
    """
    server: Any = forkserver._forkserver  # there is no public way
    alive = getattr(server, "_forkserver_alive_fd", None)
    if alive is None or not sys.platform.startswith("linux"):
        return
    os.close(alive)
    server._forkserver_alive_fd = None
    set_parent_death_signal = 1
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def keep_freed_memory() -> None:
    """Have malloc keep and reuse the memory of frames: mapping fresh pages costs more than decoding into them."""
    trim_threshold, mmap_threshold = -1, -3
    with suppress(OSError, AttributeError):  # another C library than glibc: it has its own ways
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_threshold, 32 << 20)  # the largest glibc accepts
        libc.mallopt(trim_threshold, 1 << 30)


class _Session:
    """One run, as the receiver thread sees it."""

    def __init__(self, begin: m.Begin) -> None:
        self.begin = begin
        self.tasks: ByteQueue[TaskSpec] = ByteQueue(1)
        self.gate: queue.SimpleQueue[m.Fetch | m.ResourcesReady | m.End] = queue.SimpleQueue()
        self.dropped: set[TaskId] = set()
        self.cancelled = False
        self.pipeline: Pipeline | None = None
        self._job: JobPlan | None = None

    def take(self, message: m.ToWorker) -> None:
        """Pass a message on to the pipeline, or to the thread that waits for it."""
        match message:
            case m.RunTask():
                self.tasks.put(self._spec(message))
            case m.Drop(task):
                self.dropped.add(task)
                if self.pipeline is not None:
                    self.pipeline.drop(task)
            case m.Fetch() | m.ResourcesReady():
                self.gate.put(message)
            case m.End(cancel):
                self._end(message, cancel=cancel)

    def _spec(self, given: m.RunTask) -> TaskSpec:
        if given.job is not None:
            self._job = pickle.loads(given.job)
        if self._job is None:
            raise RuntimeError(f"{given.id} came without its job")
        return TaskSpec(given.id, self._job, given.task)

    def _end(self, message: m.End, *, cancel: bool) -> None:
        self.cancelled = self.cancelled or cancel
        self.gate.put(message)
        if not cancel:
            self.tasks.close()
            return
        self.tasks.cancel()
        if self.pipeline is not None:
            self.pipeline.cancel()


class Modules:
    """The modules imported by runs, and whether their files are still what was imported.

    A program may be edited between two runs of a notebook. A warm worker must not go on with what it has imported, or
    results of old code would be stored as those of new.
    """

    def __init__(self) -> None:
        self._known = set(sys.modules)  # the fork server's: Scanner itself and what it imports
        self._imported: dict[str, int] = {}  # file → a time not later than its import
        self._since = time.time_ns()

    def remember(self) -> None:
        """Take note of what has been imported since the last time."""
        for name in set(sys.modules) - self._known:
            self._known.add(name)
            file = getattr(sys.modules[name], "__file__", None)
            if file:
                self._imported[file] = self._since
        self._since = time.time_ns()

    def have_changed(self) -> bool:
        """Whether a file was written after it was imported."""
        return any(_written(file) > imported for file, imported in self._imported.items())


def _written(file: str) -> int:
    try:
        return os.stat(file).st_mtime_ns  # noqa: PTH116  # a few hundred of these per run
    except OSError:
        return 0  # gone, or inside of an archive: nothing newer could be imported


class Worker:
    """A worker process from the inside."""

    def __init__(self, pipe: Connection, board: StatusBoard) -> None:
        self._pipe = pipe
        self._board = board
        self._sending = threading.Lock()
        self._sessions: queue.SimpleQueue[_Session | None] = queue.SimpleQueue()
        self._hosts: dict[int, KernelHost] = {}
        self._environ: dict[str, str] = {}
        self._modules = Modules()

    def send(self, message: m.ToParent) -> None:
        """Tell the parent."""
        with self._sending:
            self._pipe.send(message)

    def serve(self) -> None:
        """Run sessions until `Exit`."""
        threading.Thread(target=self._receive, name="scanner-receive", daemon=True).start()
        while (session := self._sessions.get()) is not None:
            if self._modules.have_changed():
                self.send(m.Stale())
                return
            self._run(session)
            self._modules.remember()

    def _receive(self) -> None:
        """Runs as long as the process does: a process without a parent has no reason to go on."""
        session: _Session | None = None
        while True:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                os._exit(0)
            except BaseException as error:  # noqa: BLE001  # a message that cannot be read: say so, then leave
                self.send(m.InternalError(error_from("worker", "", None, error)))
                os._exit(1)
            if isinstance(message, m.Begin):
                session = _Session(message)
                self._sessions.put(session)
            elif isinstance(message, m.Exit):
                self._sessions.put(None)
            elif session is not None:
                self._take(session, message)

    def _take(self, session: _Session, message: m.ToWorker) -> None:
        try:
            session.take(message)
        except Cancelled:
            return  # a task that crossed the cancellation on its way
        except BaseException as error:  # noqa: BLE001  # say so, then leave
            self.send(m.InternalError(error_from("worker", "", None, error)))
            os._exit(1)

    def _run(self, session: _Session) -> None:
        self._board.clear()
        intervals = []
        try:
            self._take_over(session.begin.environment, session.begin.instance.threads)
            pipeline = self._make_pipeline(session)
        except BaseException as error:  # noqa: BLE001  # the user's modules may raise anything when imported
            self._refuse(session, error)
        else:
            self._work(session, pipeline)
            intervals = pipeline.end()
        self._close_hosts()
        self.send(m.Idle(intervals))

    def _work(self, session: _Session, pipeline: Pipeline) -> None:
        failed: list[BaseException] = []

        def prepare() -> None:
            try:
                self._prepare(session)
            except Cancelled:
                pipeline.cancel()
            except Exception as error:  # noqa: BLE001  # kernels may raise anything
                failed.append(error)
                pipeline.cancel()

        pipeline.work(prepare)
        if failed:
            self._refuse(session, failed[0])

    def _make_pipeline(self, session: _Session) -> Pipeline:
        begin = session.begin
        program: Program = replace(pickle.loads(begin.rest), graph=unpack_graph(begin.graph))
        self._program = program
        pipeline = Pipeline(
            program,
            self._hosts,
            self.send,
            memory=Memory(begin.instance.memory, growth_of(program)),
            context=WorkerContext(begin.instance.number, begin.instance.threads, program.database),
            board=self._board,
            tasks=session.tasks,
            dropped=session.dropped,
        )
        session.pipeline = pipeline
        if session.cancelled:
            pipeline.cancel()
        return pipeline

    def _prepare(self, session: _Session) -> None:
        """Make the kernels; wait until one instance of the machine has fetched; set up."""
        hosts = make_hosts(self._program.graph, session.begin.instance)
        self._hosts.update(hosts)
        if session.begin.fetches:
            self._fetch(hosts)
        else:
            self._wait_for_resources(session, hosts)
        set_up(hosts)

    def _wait_for_resources(self, session: _Session, hosts: Hosts) -> None:
        word = session.gate.get()
        if isinstance(word, m.Fetch):
            self._fetch(hosts)
        elif isinstance(word, m.End):
            raise Cancelled

    def _fetch(self, hosts: Hosts) -> None:
        fetch(hosts)
        self.send(m.Fetched())

    def _refuse(self, session: _Session, error: BaseException) -> None:
        """Tell that this worker cannot run the graph, and wait for the end of the run."""
        if not session.cancelled:
            self.send(m.CannotSetUp(error_from("setup", "", None, error)))
            while not isinstance(session.gate.get(), m.End):
                pass

    def _close_hosts(self) -> None:
        hosts, self._hosts = self._hosts, {}
        close_hosts(hosts)

    def _take_over(self, environment: m.Environment, threads: int) -> None:
        for gone in self._environ.keys() - environment.environ.keys():
            os.environ.pop(gone, None)
        self._environ = dict(environment.environ)
        os.environ.update(self._environ)
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
        sys.path[:] = environment.path
        with suppress(OSError):  # the folder is gone; paths relative to it will tell
            os.chdir(environment.folder)
        cv2.setNumThreads(threads)
