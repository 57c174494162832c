"""Reports on any run of this database, read from the catalog and the records in `history`, in any process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scannerpy._client.database import Database
from scannerpy._client.history import (
    OutputTable,
    RunRecord,
    StreamRecord,
    is_alive,
    read_end,
    read_failures,
    read_record,
    status_from,
)
from scannerpy._engine.status import Result, RunStatus
from scannerpy._store import layout
from scannerpy._store.catalog import JobRecord, State, TableRecord
from scannerpy._store.chunk import find_chunks
from scannerpy.errors import ScannerException

RETRY_OF = "retry of "
"""How the catalog names a run that retries another: this, and the other's number."""


@dataclass(frozen=True, slots=True)
class JobReport:
    """What is known of one run.

    `state` is one of running, finished, incomplete (it ended, and some streams failed), failed (it could not be carried
    on), cancelled, interrupted (its process is gone and did not end it).
    `traceback` is that of the user's code where it ended the run as a whole; `retried_by` are later runs for its sake.
    """

    id: int
    name: str
    state: str
    begun: float
    ended: float | None
    record: RunRecord | None
    status: RunStatus
    traceback: str
    retried_by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StreamReport:
    """How one output of a run stands now. `state` is one of committed, failed, incomplete, gone, elsewhere."""

    name: str
    state: str
    rows: int
    rows_kept: int
    tasks: int
    tasks_kept: int


def job_report(database: Database, job_id: int) -> JobReport:
    """Return what is known of a run. Raises ScannerException where there was none of that number."""
    catalog = database.catalog.state()
    job = catalog.jobs.get(job_id)
    if job is None:
        last = f"; the last one was {max(catalog.jobs)}" if catalog.jobs else ": no job was ever run"
        raise ScannerException(f"there is no job {job_id} in {database.objects.where}{last}")
    record, end = read_record(database.objects, job_id), read_end(database.objects, job_id)
    status = status_from(record, end, read_failures(database.objects, job_id))
    state = job.outcome or ("interrupted" if record and is_alive(record.origin) is False else "running")
    state = "incomplete" if state == "finished" and status.jobs_failed else state
    status.cancelled = state == "cancelled"
    if end is None:
        _complete(status, state, record, database, catalog)
    traceback = str(end["traceback"]) if end is not None else ""
    retried_by = tuple(j.id for j in catalog.jobs.values() if j.name == f"{RETRY_OF}{job_id}")
    return JobReport(job_id, job.name, state, job.created, job.ended, record, status, traceback, retried_by)


def streams(database: Database, report: JobReport) -> list[StreamReport]:
    """Return how each output of a run stands at this moment, in the order of its streams."""
    catalog = database.catalog.state()
    failed = {failure.job for failure in report.status.failures}
    each = report.record.streams if report.record is not None else ()
    return [_stream(database, catalog, stream, failed=number in failed) for number, stream in enumerate(each)]


def is_made(catalog: State, made: OutputTable, job_id: int, *, overwrite: bool) -> bool:
    """Whether a table a run was to make is there: made by it, or by a later run under its name."""
    table = catalog.tables.get(made.table)
    if table is not None:
        return table.committed
    named = catalog.table(made.name)
    if named is None or not named.committed:
        return False
    return not overwrite or (named.job_id is not None and named.job_id > job_id)


def jobs_of(catalog: State, last: int) -> list[JobRecord]:
    """Return the records of the last runs, the newest first."""
    return [catalog.jobs[job_id] for job_id in sorted(catalog.jobs, reverse=True)[:last]]


def _complete(status: RunStatus, state: str, record: RunRecord | None, database: Database, catalog: State) -> None:
    """Add what can be counted of a run that did not write its numbers, because it still runs or was killed."""
    stands = [_stream(database, catalog, stream, failed=False) for stream in (record.streams if record else ())]
    status.jobs_done = sum(stream.state == "committed" for stream in stands)
    status.tasks_done = sum(stream.tasks_kept for stream in stands)
    status.rows_done = sum(stream.rows_kept for stream in stands)
    status.finished = state != "running"
    if status.finished:
        where = f" (process {record.origin.pid} on {record.origin.host})" if record is not None else ""
        status.result = Result(success=False, msg=f"the process that ran it{where} is gone, and did not end it")


def _stream(database: Database, catalog: State, stream: StreamRecord, *, failed: bool) -> StreamReport:
    if not stream.made:
        state = "failed" if failed else "elsewhere"
        return StreamReport(stream.name, state, stream.rows, 0, stream.tasks, 0)
    tables = [_table(catalog, made) for made in stream.made]
    if all(table is not None and table.committed for table in tables):
        return StreamReport(stream.name, "committed", stream.rows, stream.rows, stream.tasks, stream.tasks)
    state = "failed" if failed else "incomplete" if any(tables) else "gone"
    kept = dict(_kept(database, tables, stream.made))
    return StreamReport(stream.name, state, stream.rows, sum(kept.values()), stream.tasks, len(kept))


def _table(catalog: State, made: OutputTable) -> TableRecord | None:
    """The table a run was to make; if it is gone, what has its name now."""
    return catalog.tables.get(made.table) or catalog.table(made.name)


def _kept(
    database: Database, tables: Sequence[TableRecord | None], made: Sequence[OutputTable]
) -> Iterator[tuple[int, int]]:
    """(first row, rows) of the tasks whose part is stored for every sink."""
    found = []
    for table, each in zip(tables, made, strict=True):
        if table is None:
            return
        chunks, _ = find_chunks(database.objects, layout.column_folder(table.key, each.column))
        found.append({(ref.start, ref.rows) for ref in chunks})
    yield from set.intersection(*found) if found else ()
