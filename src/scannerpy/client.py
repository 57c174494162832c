"""`Client`: the entry point of Scanner. It holds the database and the worker processes of a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scannerpy import _preview as preview
from scannerpy import older
from scannerpy._client import listing, loading
from scannerpy._client.cluster import check_local, start_master, start_worker
from scannerpy._client.database import BlobTable, Database
from scannerpy._client.explaining import explained
from scannerpy._client.hooks import RunRequest, around_runs, run_with_hooks
from scannerpy._client.ingesting import Ingest
from scannerpy._client.running import RunOptions, Runs
from scannerpy._client.stored import StoredColumn
from scannerpy._plan.explain import Explanation
from scannerpy._store.origins import read_origins
from scannerpy.column import Column
from scannerpy.common import CacheMode
from scannerpy.config import Config
from scannerpy.errors import ConfigError, GraphError, NotCommitted, NotSupported, ScannerException
from scannerpy.io import IOGenerator
from scannerpy.op import OpColumn, OpGenerator
from scannerpy.partitioner import TaskPartitioner
from scannerpy.protobufs import protobufs
from scannerpy.sampler import Sampler
from scannerpy.sink import Sink, SinkGenerator
from scannerpy.source import SourceGenerator
from scannerpy.storage import NamedStream, NamedVideoStream
from scannerpy.streams import StreamsGenerator
from scannerpy.table import Table

__all__ = ["Client", "RunRequest", "around_runs", "start_master", "start_worker"]


class Client:
    """Everything a program does with Scanner begins here.

    Without arguments, work is done by worker processes on this machine, one per core, and results are stored in the
    database of ``~/.scanner/config.toml``. The other arguments:

    * `master`, `workers`: addresses ``host:port``. On this machine, each entry of `workers` is one worker process.
    * `start_cluster`: False connects to a master that runs already.
    * `config`, `config_path`: where the database is; `config` wins.
    * `debug`: True runs everything inside this process, one row after the other, so that a debugger works.
    * `no_workers_timeout`: seconds a run may be without any worker before it fails.
    * `enable_watchdog`, `prefetch_table_metadata`, `grpc_timeout`, `new_job_retries_limit`, `machine_params`: matter to
      clusters of several machines.

    A context manager: leaving it stops the workers.
    """

    def __init__(
        self,
        master: str | None = None,
        workers: list[str] | None = None,
        start_cluster: bool = True,
        config_path: str | None = None,
        config: Config | None = None,
        debug: bool | None = None,
        enable_watchdog: bool = True,
        prefetch_table_metadata: bool = True,
        no_workers_timeout: int = 30,
        grpc_timeout: int = 30,
        new_job_retries_limit: int = 5,
        machine_params: Any = None,
    ) -> None:
        del enable_watchdog, prefetch_table_metadata, grpc_timeout, new_job_retries_limit, machine_params
        if config is not None and not isinstance(config, Config):
            raise ConfigError(f"config is {config!r}: pass a scannerpy.Config, or the file's path as config_path")
        self.config = config if config is not None else Config(config_path)
        check_local(master, workers, start_cluster=start_cluster)
        self._master_address = master or f"{self.config.master_address}:{self.config.master_port}"
        self._db_path = self.config.db_path
        self._storage = self.config.storage
        self._database = Database(self.config.storage_config)
        self._ingest = Ingest(self._database, inline=bool(debug), file_timeout=self.config.file_timeout)
        self._runs = Runs(
            self._database,
            inline=bool(debug),
            instances=None if workers is None or debug else len(workers),
            no_workers_timeout=no_workers_timeout,
        )
        self.ops = OpGenerator(self)
        self.sources = SourceGenerator(self)
        self.sinks = SinkGenerator(self)
        self.streams = StreamsGenerator(self)
        self.partitioner = TaskPartitioner(self)
        self.io = IOGenerator(self)
        self.sampler = Sampler(self)
        self.protobufs = protobufs

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop_cluster()

    def __del__(self) -> None:
        if hasattr(self, "_runs"):
            self._runs.close()

    def __repr__(self) -> str:
        return f"<Client of {self._db_path}>"

    if not TYPE_CHECKING:  # a checker should find what is missing, too

        def __getattr__(self, name: str) -> Any:
            raise older.missing("Client", name, self)

    def _repr_html_(self) -> str:
        return preview.tables_page(self._db_path, self._database.catalog.state().tables.values())

    # Running

    @older.refusing(older.RUN_KEYWORDS)
    def run(
        self,
        outputs: Sink | Sequence[Sink],
        perf_params: Any = None,
        cache_mode: CacheMode = CacheMode.Error,
        show_progress: bool = True,
        profiling: bool = False,
        task_timeout: int = 0,
        checkpoint_frequency: int = 10,
        detach: bool = False,
        profiler_level: int = 1,
    ) -> int | None:
        """Compute and store `outputs`. Returns the job's id, or None where everything existed (CacheMode.Ignore).

        Args:
            outputs: one sink, or several that share a graph; only what they need is computed.
            perf_params: a `PerfParams`, or what `PerfParams.manual` or `PerfParams.estimate` return; None: an estimate.
            cache_mode: what to do with outputs that exist.
            show_progress: draw a progress bar.
            profiling: kept for compatibility; profiles are always recorded (see `get_profile`).
            task_timeout: seconds one task may take, 0 for no limit; a worker past it is ended and the task counts as
                failed.
            checkpoint_frequency: how many finished jobs are committed together.
            detach: return at once; `wait_on_job` waits.
            profiler_level: kept for compatibility; profiles are of the same detail at every level.

        A task that fails three times ends its job, whose outputs stay uncommitted, and **the run goes on and returns
        normally**: look at ``committed()``, or at ``failures`` of `job_status`. A run that was interrupted goes on
        where it stopped when it is repeated.

        Raises GraphError and StreamExists before any output is touched, JobFailed when the run as a whole failed.

        """
        del profiling, profiler_level
        sinks = _sinks(outputs)
        request = RunRequest(
            self, sinks, perf_params, cache_mode, show_progress, task_timeout, checkpoint_frequency, detach
        )  # fmt: skip
        return run_with_hooks(request, Client._execute)

    @staticmethod
    def _execute(request: RunRequest) -> int | None:
        client: Client = request.client
        client._ingest.sources_of(request.outputs, show_progress=request.show_progress)
        options = RunOptions(
            request.show_progress, request.task_timeout, request.checkpoint_frequency, request.detach
        )  # fmt: skip
        return client._runs.run(request.outputs, request.perf_params, request.cache_mode, options)

    def explain(self, outputs: Sink | Sequence[Sink], perf_params: Any = None) -> Explanation:
        """Return what `run` would do: frames to decode, bytes to read, rows per op, tasks, memory. Runs nothing.

        Videos given by path are scanned if they are new.
        """
        sinks = _sinks(outputs)
        self._ingest.sources_of(sinks)
        return explained(self._database, sinks, perf_params)

    def job_status(self, bulk_job_id: int) -> Any:
        """Return how a run stands: ``.finished .result .tasks_done .total_tasks .failures`` and more.

        That of this client while it goes on; of any other, also of a program that has long ended or was killed, what is
        known from the database. Raises ScannerException for a number no run had.
        """
        return self._runs.status(bulk_job_id)

    def cancel_job(self, bulk_job_id: int) -> bool:
        """Ask a run of this client to stop, from another thread or after ``detach=True``. Returns at once.

        False if it had ended. What is finished is kept: complete streams are committed, and the same run, or
        `retry_job`, goes on from the finished tasks of the others. `wait_on_job` tells when it has stopped; its
        status then has ``cancelled`` set. A `run` that is not detached raises JobFailed.
        """
        return self._runs.cancel(bulk_job_id)

    def retry_job(
        self,
        bulk_job_id: int,
        as_it_was: bool = False,
        task_timeout: float | None = None,
        show_progress: bool = True,
    ) -> int | None:
        """Compute what is missing of an earlier run, also of another program: streams that failed, or were cut off.

        Returns the new job's id, or None where nothing is missing. Graph and arguments are those of the run; ops that
        the program itself defines are as they were then, so it is refused where the program's file has changed since,
        unless `as_it_was`. Ops of modules are imported as they are now. `task_timeout` None: the run's own.

        Only runs of this account can be retried, because their code is executed (see docs/guide/failures.md). Raises
        ScannerException where that is not so, the run still goes on, or its graph could not be kept.
        """
        return self._runs.retry(
            bulk_job_id, as_it_was=as_it_was, task_timeout=task_timeout, show_progress=show_progress
        )

    def get_active_jobs(self) -> list[int]:
        """Return the ids of runs that have not ended."""
        return self._runs.active()

    def wait_on_job_gen(self, bulk_job_id: int, show_progress: bool = True) -> Iterator[Any]:
        """Yield None while a run goes on, and its final status at the end."""
        return self._runs.wait(bulk_job_id, show_progress=show_progress)

    def wait_on_job(self, bulk_job_id: int, show_progress: bool = True) -> Any:
        """Wait for a detached run; return its final status."""
        status = None
        for status in self.wait_on_job_gen(bulk_job_id, show_progress):
            if status is None:
                self._runs.pause()
        return status

    def get_profile(self, job_id_or_name: int | str, load_threads: int = 8, subsample: int | None = None) -> Any:
        """Return the `Profile` of a run, by its id or by the name of a stream it made. Raises ScannerException."""
        from scannerpy.profiler import Profile

        del load_threads
        job_id = self._job_of(job_id_or_name) if isinstance(job_id_or_name, str) else job_id_or_name
        return Profile.read(self._database.objects, job_id, subsample)

    # Tables

    def ingest_videos(
        self,
        videos: Sequence[tuple[str, str]],
        inplace: bool = False,
        force: bool = False,
        *,
        show_progress: bool = True,
        file_timeout: float | None = None,
    ) -> tuple[list[Table], list[tuple[str, str]]]:
        """Make tables from video files. `videos` holds (table name, path) pairs.

        Returns the tables made and a list of (path, reason) for the files that could not be read. Raises
        ScannerException for an empty list, names given twice, names that exist (unless `force`), and when all fail.
        `inplace` leaves the files where they are and reads them there at every run.

        A file of which nothing more can be read for `file_timeout` seconds (its disk does not answer, FFmpeg is stuck
        in it) fails like the others, and the rest goes on. 0: no limit; None: as configured, 60 s if nothing is.
        """
        names, failures = self._ingest.videos(
            videos, inplace=inplace, force=force, show_progress=show_progress, file_timeout=file_timeout
        )
        return [self.table(name) for name in names], failures

    def new_table(
        self,
        name: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        fns: Sequence[Any] | None = None,
        force: bool = False,
    ) -> Table:
        """Store rows of bytes as a committed table.

        `fns` has one serializer per column, called as ``fn(value, protobufs)``. Raises StreamExists when the name is
        taken, unless `force`.
        """
        draft = BlobTable.checked(name, columns, rows, fns, protobufs)
        return Table(self, name, self._database.new_table(draft, force=force))

    def table(self, name: str | int) -> Table:
        """Return a table by name or id. An unknown one is returned too: its ``exists()`` is False."""
        if isinstance(name, str):
            return Table(self, name, self._database.record(name))
        if isinstance(name, int) and not isinstance(name, bool):
            record = self._database.catalog.state().tables.get(name)
            return Table(self, record.name if record else f"#{name}", record)
        raise ScannerException(f"a table is found by its name or its number, not by {name!r}")

    def sequence(self, name: str) -> Column:
        """Return the column a stream of that name has: ``frame`` where there is one, else ``column``."""
        table = self.table(name)
        return table.column("frame" if "frame" in table.column_names() else table.column_names()[-1])

    def has_table(self, name: str) -> bool:
        """Whether a table of that name exists, complete or not."""
        return self._database.record(name) is not None

    def delete_table(self, name: str) -> None:
        """Delete a table; an unknown name is ignored."""
        self.delete_tables([name])

    def delete_tables(self, names: Sequence[str]) -> None:
        """Delete tables; unknown names are ignored."""
        if isinstance(names, str):
            raise ScannerException(f"delete_tables was given {names!r}: pass a list of names, or use delete_table")
        self._database.delete(list(names))

    def summarize(self) -> str:
        """Return a table of all tables as text: id, name, rows, columns, committed."""
        return listing.summary(self._database.catalog.state())

    def bulk_fetch_video_metadata(self, tables: Sequence[Table]) -> list[Any]:
        """Return a VideoDescriptor message for each of `tables`, which must hold frames stored as video."""
        return [self.sequence(table.name())._stored().descriptor() for table in tables]

    def batch_load(
        self, tables: Sequence[Table], column: str, callback: Any, batch_size: int = 1000, workers: int = 16
    ) -> None:
        """Load `column` of many tables in worker processes and call ``callback(table name, elements)`` there."""
        loading.batch_load(self.config, [table.name() for table in tables], column, callback, batch_size, workers)

    # Ops and machines

    def load_op(self, so_path: str, proto_path: str | None = None) -> None:
        """Load a native library of ops. Not available yet: write ops in Python with `register_python_op`."""
        del proto_path
        raise NotSupported(
            f"load_op({so_path!r}): native op libraries are not supported yet; write the op in Python with "
            "@register_python_op (cv2, numpy and onnxruntime release the interpreter lock)"
        )

    def has_gpu(self) -> bool:
        """Whether this machine has an NVIDIA GPU: `nvidia-smi` runs."""
        return listing.has_gpu()

    def register_op(
        self,
        name: str,
        input_columns: Sequence[Any],
        output_columns: Sequence[Any],
        variadic_inputs: bool = False,
        stencil: Sequence[int] | None = None,
        unbounded_state: bool = False,
        bounded_state: int | None = None,
        proto_path: str | None = None,
    ) -> None:
        """Register an op by its columns, without a kernel. Low level; see `register_python_op`.

        Columns are ``"name"`` or ``(name, ColumnType)`` or ``(name, ColumnType, ScannerTypeInfo)``.
        """
        from scannerpy._ops import lowlevel

        lowlevel.register_op(
            name, input_columns, output_columns, variadic_inputs, stencil, unbounded_state, bounded_state, proto_path
        )

    def register_python_kernel(self, op_name: str, device_type: Any, kernel: Any, batch: int = 1) -> None:
        """Give a registered op a kernel that takes and returns untyped columns. Low level, see `register_python_op`."""
        from scannerpy._ops import lowlevel

        lowlevel.register_kernel(op_name, device_type, kernel, batch)

    def start_master(self, master: str | None = None) -> None:
        """Do nothing on this machine: the master is part of the client. Raises NotSupported for another machine."""
        check_local(master, None, start_cluster=True)

    def start_workers(self, workers: Sequence[str] | None = None) -> None:
        """Start the worker processes now rather than at the first `run`."""
        check_local(None, workers, start_cluster=True)
        self._runs.start()

    def stop_cluster(self) -> None:
        """End the worker processes. A later `run` starts them again."""
        self._runs.close()

    # For the handles: streams, tables, columns

    @property
    def _workers_started(self) -> bool:
        return self._runs.started

    def _stored_column(self, record: Any, name: str) -> StoredColumn:
        return StoredColumn.open(self._database, record, name)

    def _origins(self, record: Any) -> Any:
        rows = read_origins(self._database.objects, record.job_id, record.id)
        return np.arange(record.rows) if rows is None else rows

    def _stored_source(self, streams: Sequence[NamedStream], default_column: str) -> OpColumn:
        self._runs.expect()
        return loading.source_column(self, self._database, [s.name() for s in streams], default_column)

    def _ingest_streams(self, streams: Sequence[NamedVideoStream], batch: int = 500) -> None:
        self._ingest.streams(streams, batch)

    def _job_of(self, name: str) -> int:
        record = self._database.record(name)
        if record is None or record.job_id is None:
            raise NotCommitted(f"no run of this database made a stream named {name!r}, so there is no profile of it")
        return record.job_id


def _sinks(outputs: Sink | Sequence[Sink]) -> list[Sink]:
    sinks = [outputs] if isinstance(outputs, Sink) else outputs
    if not isinstance(sinks, list | tuple) or not all(isinstance(each, Sink) for each in sinks):
        raise GraphError(f"outputs must be what cl.io.Output returned, or a list of that, not {outputs!r:.200}")
    return list(sinks)
