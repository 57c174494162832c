"""Worker processes of this machine: started from a fork server, kept warm from run to run, ended with their owner.

The fork server has imported everything heavy before the first run asks for a worker. Workers must not import the
program's own ``__main__`` again (it need not be guarded, and kernels travel by value), so it is hidden while one is
started. Nothing named is left behind: the only things shared are pipes and an unlinked piece of memory.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.sharedctypes import RawArray
from typing import Any

import numpy as np

from scannerpy._engine import messages as m
from scannerpy._engine.board import WORDS, StatusBoard

PRELOAD = "scannerpy._engine.worker"
LEAVE_SECONDS = 5.0
ENDING_SECONDS = (0.01, 0.1, 1.0)
"""How long to wait, again and again, for a fork server that no longer answers to be gone."""

_context = multiprocessing.get_context("forkserver")
_numbers = count()


class WorkerProcess:
    """One worker process, as its parent sees it."""

    def __init__(self) -> None:
        self.number = next(_numbers)
        self._words = RawArray("q", WORDS)
        self.board = StatusBoard(np.frombuffer(self._words, np.int64).data)
        self.pipe, theirs = _context.Pipe()
        self._process = _context.Process(
            target=_serve, args=(theirs, self._words), name=f"scanner-worker-{self.number}"
        )
        with hidden_main(), _quiet_start():
            self._process.start()
        theirs.close()
        self._outbox: queue.SimpleQueue[m.ToWorker | None] = queue.SimpleQueue()
        self._sender = threading.Thread(target=self._send_all, name=f"scanner-send-{self.number}", daemon=True)
        self._sender.start()

    def __repr__(self) -> str:
        return f"<WorkerProcess {self.pid}>"

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid or 0

    @property
    def sentinel(self) -> int:
        """A file descriptor that becomes readable when the process has ended."""
        return self._process.sentinel

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    def send(self, message: m.ToWorker) -> None:
        """Send without ever blocking: the worker may be busy and its pipe full."""
        self._outbox.put(message)

    def kill(self) -> None:
        """End the process now."""
        self._process.kill()

    def exit_reason(self) -> str:
        """How the process ended, for an error message; waits for its end."""
        self._process.join()
        return f"worker process {self.pid} {_how(self._process.exitcode)}"

    def discard(self) -> None:
        """Kill the process if it runs, and free what belongs to it."""
        if self.alive:
            self.kill()
        self._process.join()
        self._outbox.put(None)
        self._sender.join()
        self.pipe.close()
        self._process.close()

    def leave(self) -> None:
        """Ask the process to exit, and wait for it; kill it after `LEAVE_SECONDS`."""
        self.send(m.Exit())
        self._process.join(LEAVE_SECONDS)
        self.discard()

    def _send_all(self) -> None:
        while (message := self._outbox.get()) is not None:
            try:
                self.pipe.send(message)
            except OSError:  # the process is gone, which its sentinel tells
                return


class Pool:
    """The warm workers of one client."""

    def __init__(self) -> None:
        self._idle: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._closed = False
        _open_pools.add(self)

    def prepare(self) -> None:
        """Start the fork server, which then imports by itself; returns at once."""
        _start_server()

    def acquire(self) -> WorkerProcess:
        """A worker that is idle, or a new one."""
        with self._lock:
            while self._idle:
                worker = self._idle.pop(0)
                if worker.alive:
                    return worker
                worker.discard()
        return self.start()

    def start(self) -> WorkerProcess:
        """A new worker, even if others are idle.

        A fork server that is killed closes its socket a moment before its process has ended, and is replaced only then:
        hence the retries.
        """
        for seconds in ENDING_SECONDS:
            try:
                return WorkerProcess()
            except (ConnectionError, EOFError):
                time.sleep(seconds)
        return WorkerProcess()

    def release(self, worker: WorkerProcess) -> None:
        """The worker is idle again."""
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        worker.leave()

    def close(self) -> None:
        """End all idle workers; those in use end when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.send(m.Exit())
        for worker in idle:
            worker.leave()


_open_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Runs before multiprocessing's own exit handler, which would wait for the workers for ever."""
    for pool in list(_open_pools):
        pool.close()


def _serve(pipe: Connection, words: Any) -> None:
    """The worker's main function; imported late, so that a program that runs nothing never imports it."""
    from scannerpy._engine.worker import main

    main(pipe, words)


def _start_server() -> None:
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload([PRELOAD])
    with hidden_main(), _quiet_start():
        forkserver.ensure_running()


def child_context() -> BaseContext:
    """Where processes for work that is no part of a run come from: the workers' own fork server."""
    _start_server()
    return _context


@contextmanager
def starting_children() -> Iterator[None]:
    """Start such processes as workers are: they do not import the program again, and leave Ctrl-C to the parent."""
    with hidden_main(), _quiet_start():
        yield


_starting = threading.RLock()


@contextmanager
def hidden_main() -> Iterator[None]:
    """Hide where ``__main__`` came from: a child that knows would import it again."""
    names: dict[str, Any] = vars(sys.modules["__main__"])
    with _starting:
        hidden: dict[str, Any] = {name: names.pop(name) for name in ("__file__", "__spec__") if name in names}
        names["__spec__"] = None
        try:
            yield
        finally:
            names.pop("__spec__")
            names.update(hidden)


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Start children with Ctrl-C blocked (it is the parent's business, from their first instruction on) and one thread
    per linear-algebra call (there is a process per core already). A Ctrl-C meanwhile is kept for the parent.
    """
    threads = "OPENBLAS_NUM_THREADS"
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    ours = threads not in os.environ
    if ours:
        os.environ[threads] = "1"
    try:
        yield
    finally:
        if ours:
            os.environ.pop(threads, None)
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def _how(exitcode: int | None) -> str:
    if exitcode is None:
        return "ended in an unknown way"
    if exitcode >= 0:
        return f"exited with code {exitcode}"
    name = f"signal {-exitcode}"
    with suppress(ValueError):
        name = signal.Signals(-exitcode).name
    hints = {
        "SIGKILL": " (by hand, or by the system because memory ran out)",
        "SIGSEGV": " (a crash in native code)",
        "SIGABRT": " (native code gave up)",
    }
    return f"was killed by {name}{hints.get(name, '')}"
