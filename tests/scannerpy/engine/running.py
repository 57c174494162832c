"""Carrying whole runs out in tests, and looking for what they left behind."""

from __future__ import annotations

import threading

import psutil

from scannerpy._engine import protocol
from scannerpy._engine.events import broadcast
from scannerpy._engine.executor import RunSpec
from scannerpy._engine.inline import InlineExecutor
from scannerpy._engine.local import LocalExecutor
from scannerpy._engine.run import execute
from scannerpy._engine.status import RunStatus


def spec(made, *, workers=2, earlier=None, prerolls=None, **dials):
    plan, program = made
    limits = protocol.Limits(**{"workers": workers, **dials})
    names = [f"stream {j}" for j in range(len(plan.jobs))]
    return RunSpec(program, plan.jobs, names, limits, earlier or {}, prerolls or {})


class Run:
    """A finished run: what was committed, its status and outcome, every event."""

    def __init__(self, made=None, pool=None, **more):
        self.status = RunStatus()
        self.events = []
        self.commits = []
        if made:
            self.go(made, pool, **more)

    def go(self, made, pool=None, *, cancellation=None, listener=None, **dials):
        listeners = [self.status, self.events.append, *([listener] if listener else [])]
        executor = LocalExecutor(pool) if pool else InlineExecutor()
        self.outcome = execute(spec(made, **dials), executor, broadcast(*listeners), self.commits.append, cancellation)

    @property
    def committed(self):
        """Each committed job's rows, per sink of one column."""
        return {job: [e for task in results for e in task[0]] for group in self.commits for job, results in group}


def our_threads():
    return [t.name for t in threading.enumerate() if t.name.startswith("scanner-")]


def our_processes():
    """Worker processes of this process that are alive (grandchildren: they are forked by a server)."""
    me = psutil.Process()
    return [child for child in me.children(recursive=True) if _is_a_worker(child, me.pid)]


def _is_a_worker(child, me):
    try:
        return child.ppid() != me and any("forkserver" in part for part in child.cmdline())
    except psutil.NoSuchProcess:  # it has ended since, or waits for the server to bury it
        return False


def lives(pid):
    """Whether a process is there; one that only waits to be buried is not, and who adopts it may take its time."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
