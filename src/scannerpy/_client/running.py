"""Runs of a client, from the prepared graph to the committed tables. One at a time; a detached one runs in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from scannerpy._client import backend_outputs
from scannerpy._client.database import Database
from scannerpy._client.gops import prerolls
from scannerpy._client.history import RunRecorder
from scannerpy._client.outputs import (
    TABLE_SINKS,
    CompleteTable,
    StartedRun,
    commit,
    finished_tasks,
    start_run,
    store_origins,
    stored_results,
)
from scannerpy._client.preparing import PreparedRun, prepare
from scannerpy._client.reports import RETRY_OF, job_report
from scannerpy._client.retrying import prepare_retry, record_run
from scannerpy._engine.columns import create_column, open_column
from scannerpy._engine.custom import CustomSink, CustomSource
from scannerpy._engine.events import RunEnded, broadcast
from scannerpy._engine.executor import Executor, RunSpec
from scannerpy._engine.inline import InlineExecutor
from scannerpy._engine.journal import TaskResult
from scannerpy._engine.kernels import InstanceConfig
from scannerpy._engine.local import LocalExecutor
from scannerpy._engine.pool import Pool
from scannerpy._engine.ports import OpenSink, OpenSource
from scannerpy._engine.progress import progress_bar
from scannerpy._engine.protocol import Limits
from scannerpy._engine.run import Cancellation, Committer, Outcome, execute, raise_if_failed
from scannerpy._engine.status import RunStatus
from scannerpy._engine.tasks import Program
from scannerpy._graph.graph import Graph
from scannerpy._plan.task import JobPlan
from scannerpy._store.catalog import EndJob
from scannerpy._words import sizing
from scannerpy.common import CacheMode, PerfParams, log, pool_bytes
from scannerpy.errors import ConfigError, JobFailed, ScannerException
from scannerpy.profiler import trace_path
from scannerpy.sink import SINKS, Sink
from scannerpy.source import SOURCES

MEMORY_PER_INSTANCE = 256 << 20
"""Bytes of elements one pipeline instance may hold, unless `cpu_pool` says otherwise."""
SHORTEST_NAP, LONGEST_NAP = 0.02, 1.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How one run is to be carried out."""

    show_progress: bool = True
    task_timeout: float = 0.0
    checkpoint_frequency: int = 10
    detach: bool = False
    retries: int | None = None


@dataclass(slots=True)
class _Run:
    """A run of this client: its status, how to stop it, and the thread it goes on in if it is detached."""

    status: RunStatus = field(default_factory=RunStatus)
    cancellation: Cancellation = field(default_factory=Cancellation)
    thread: threading.Thread | None = None
    error: list[BaseException] = field(default_factory=list)


class Runs:
    """Carries out the runs of one client with its warm workers."""

    def __init__(self, database: Database, *, inline: bool, instances: int | None, no_workers_timeout: float) -> None:
        self._database = database
        self._inline = inline
        self._instances = instances
        self._no_workers_timeout = no_workers_timeout
        self._pool = Pool()
        self._known: dict[int, _Run] = {}
        self._one_at_a_time = threading.Lock()
        self._nap = SHORTEST_NAP
        self.started = False

    def expect(self) -> None:
        """A run is likely to come: have the workers' code loaded beside the program."""
        if not self._inline:
            self._pool.prepare()

    def start(self) -> None:
        """Have everything ready for the next run."""
        self.expect()
        self.started = True

    def run(self, sinks: Sequence[Sink], perf_params: Any, mode: CacheMode, options: RunOptions) -> int | None:
        """See `Client.run`."""
        if not isinstance(mode, CacheMode):
            raise ConfigError(f"cache_mode is {mode!r}: give CacheMode.Error, CacheMode.Ignore or CacheMode.Overwrite")
        prepared = prepare(self._database, sinks, perf_params, mode)
        if prepared is None:
            return None
        if mode is not CacheMode.Error:
            backend_outputs.clear(sinks, prepared.numbers)
        return self._start(prepared, options)

    def retry(self, job_id: int, *, as_it_was: bool, task_timeout: float | None, show_progress: bool) -> int | None:
        """See `Client.retry_job`."""
        again = prepare_retry(self._database, job_id, as_it_was=as_it_was)
        if again is None:
            return None
        prepared, recipe = again
        timeout = recipe.task_timeout if task_timeout is None else task_timeout
        options = RunOptions(show_progress, timeout, recipe.checkpoint_frequency, retries=job_id)
        return self._start(prepared, options)

    def cancel(self, job_id: int) -> bool:
        """See `Client.cancel_job`."""
        run = self._own(job_id)
        if run.status.finished:
            return False
        run.cancellation.cancel("cancel_job")
        return True

    def status(self, job_id: int) -> RunStatus:
        """Return how a run stands, of any client of this database. Raises ScannerException for one that never was."""
        run = self._known.get(job_id)
        return run.status if run is not None else job_report(self._database, job_id).status

    def last(self) -> int | None:
        """Return the id of the latest run of this client, None before the first."""
        return max(self._known, default=None)

    def active(self) -> list[int]:
        """Return the ids of runs that have not ended."""
        return [job_id for job_id, run in self._known.items() if not run.status.finished]

    def wait(self, job_id: int, *, show_progress: bool) -> Iterator[RunStatus | None]:
        """Yield None until the run has ended, then its status."""
        status = self._own(job_id).status
        self._nap = SHORTEST_NAP
        with progress_bar(show_progress) as bar:
            while not status.finished:
                bar.show(status)
                yield None
            bar.show(status)
        thread = self._known[job_id].thread
        if thread is not None:
            thread.join()
        yield status

    def pause(self) -> None:
        """Wait a little longer than the last time."""
        time.sleep(self._nap)
        self._nap = min(self._nap * 2, LONGEST_NAP)

    def close(self) -> None:
        """End the workers; the next run starts new ones."""
        self._pool.close()
        self._pool = Pool()
        self.started = False

    def _own(self, job_id: int) -> _Run:
        run = self._known.get(job_id)
        if run is None:
            raise ScannerException(f"job {job_id} was not run by this client; its runs are {sorted(self._known)}")
        return run

    # One run

    def _start(self, prepared: PreparedRun, options: RunOptions) -> int:
        name = "" if options.retries is None else f"{RETRY_OF}{options.retries}"
        started = start_run(self._database, prepared.outputs, prepared.keys, overwrite=prepared.overwrite, name=name)
        store_origins(self._database, prepared.plan, started)
        run = self._known[started.job_id] = _Run()
        if options.detach:
            run.thread = threading.Thread(target=self._detached, args=(run, prepared, started, options), daemon=True)
            run.thread.start()
        else:
            self._carry_out(run, prepared, started, options)
        return started.job_id

    def _detached(self, run: _Run, prepared: PreparedRun, started: StartedRun, options: RunOptions) -> None:
        try:
            self._carry_out(run, prepared, started, replace(options, show_progress=False))
        except ScannerException as error:  # told by the status: nobody waits in this thread
            run.error.append(error)

    def _carry_out(self, run: _Run, prepared: PreparedRun, started: StartedRun, options: RunOptions) -> None:
        with self._one_at_a_time:
            self.started = True
            recorder = RunRecorder(self._database.notes, started.job_id)
            executor: Executor = InlineExecutor() if self._inline else LocalExecutor(self._pool)
            outcome: Outcome | None = None
            unfinished = dict(enumerate(prepared.plan.jobs))
            try:
                record_run(self._database, recorder, prepared, started, options)
                spec = self._spec(prepared, started, options)
                with progress_bar(options.show_progress) as bar:
                    tell = broadcast(run.status, recorder, lambda _: bar.show(run.status))
                    committer = self._committer(prepared, started, unfinished)
                    outcome = execute(spec, executor, tell, committer, run.cancellation)
            except KeyboardInterrupt:
                _log_what_is_kept(started.job_id, run.status)
                raise
            finally:
                backend_outputs.discard(prepared.graph, list(unfinished.values()))
                self._end(started.job_id, run.status, recorder, outcome)
        raise_if_failed(outcome)
        if outcome.cancelled:
            raise JobFailed(
                f"job {started.job_id} was cancelled; what is finished is kept, and the same run goes on from it"
            )

    def _spec(self, prepared: PreparedRun, started: StartedRun, options: RunOptions) -> RunSpec:
        earlier = finished_tasks(self._database, prepared.plan, started)
        graph, params = prepared.graph, prepared.params
        tasks = prepared.plan.tasks - sum(len(done) for done in earlier.values())
        workers = min(self._wanted_instances(params), max(1, tasks))
        return RunSpec(
            program=Program(graph, prepared.plan.work_packet_size, *_endpoints(graph), self._database.storage_config),
            jobs=[_with_destinations(graph, job, j, started) for j, job in enumerate(prepared.plan.jobs)],
            names=prepared.labels,
            limits=Limits(
                workers=workers,
                ahead=max(1, min(2, params.queue_size_per_pipeline)),
                task_timeout=options.task_timeout,
                no_workers_timeout=self._no_workers_timeout,
                checkpoint_frequency=max(1, options.checkpoint_frequency),
            ),
            earlier=earlier,
            prerolls=prerolls(prepared.plan, self._database) if workers > 1 else {},
            instance=InstanceConfig(threads=max(1, sizing.machine_cpus() // max(1, workers)), memory=_memory(params)),
            resumable=all(vertex.name in TABLE_SINKS for vertex in graph.sinks),
            replacing=frozenset(job for (job, _), destination in started.destinations.items() if destination.hidden),
            find_results=partial(stored_results, self._database, prepared.plan, started),
        )

    def _wanted_instances(self, params: PerfParams) -> int:
        if self._inline:
            return 1
        if self._instances is not None:
            return self._instances * (params.pipeline_instances_per_node or 1)
        return params.pipeline_instances_per_node or sizing.machine_cpus()

    def _committer(self, prepared: PreparedRun, started: StartedRun, unfinished: dict[int, JobPlan]) -> Committer:
        def committed(jobs: Sequence[tuple[int, list[TaskResult]]]) -> Mapping[int, str]:
            refused = backend_outputs.commit(prepared.graph, unfinished, jobs)
            done = [
                CompleteTable(job, destination, prepared.plan.jobs[job].rows, [result[sink] for result in results])
                for job, results in jobs
                for sink in range(len(prepared.graph.sinks))
                if job not in refused and (destination := started.destinations.get((job, sink))) is not None
            ]
            refused |= commit(self._database, done)
            for job, _ in jobs:
                if job not in refused:
                    del unfinished[job]
            return refused

        return committed

    def _end(self, job_id: int, status: RunStatus, recorder: RunRecorder, outcome: Outcome | None) -> None:
        if not status.finished:  # it never began
            status(RunEnded("the run could not be started"))
        if outcome is not None:
            self._database.notes.put(trace_path(job_id), outcome.trace.to_bytes())
        fault = None if outcome is None else outcome.fault
        recorder.end(status, fault.traceback if fault is not None else "")
        word = "cancelled" if status.cancelled else "finished" if status.result.success else "failed"
        self._database.change(lambda _: [EndJob(job_id, time.time(), word)])


def _log_what_is_kept(job_id: int, status: RunStatus) -> None:
    """Before the traceback of a Ctrl-C: that nothing is lost, and how to go on."""
    log.warning(
        "job %d was interrupted: %d of its %d rows are kept. The same run, started again, goes on from there, and so "
        "does `scanner retry %d`",
        job_id, status.rows_done, status.total_rows, job_id,
    )  # fmt: skip


def _endpoints(graph: Graph) -> tuple[Mapping[str, OpenSource], Mapping[str, OpenSink]]:
    """How workers open what this graph reads and writes."""
    kinds = {vertex.name: SOURCES[vertex.name] for vertex in graph.sources}
    writers = {vertex.name: SINKS[vertex.name].writer for vertex in graph.sinks}
    return (
        {
            name: open_column if kind.reader is None else CustomSource(kind.reader, name, kind.is_video)
            for name, kind in kinds.items()
        },
        {name: create_column if writer is None else CustomSink(writer) for name, writer in writers.items()},
    )


def _with_destinations(graph: Graph, job: JobPlan, number: int, started: StartedRun) -> JobPlan:
    """Tell a job where its tables' chunks go."""
    placed = {
        vertex.number: {"key": destination.key, "column": destination.column}
        for sink, vertex in enumerate(graph.sinks)
        if vertex.name in TABLE_SINKS
        for destination in [started.destinations[number, sink]]
    }
    return replace(job, args={**job.args, **placed})


def _memory(params: PerfParams) -> int:
    return pool_bytes(params.cpu_pool, pinned_allowed=True) or MEMORY_PER_INSTANCE
