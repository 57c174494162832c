"""The outputs of a run: their names, whether they exist, creating their tables, and committing them.

Two kinds of outputs. *Tables* (the sinks ``Column`` and ``FrameColumn``) are made here: uncommitted when a run begins,
hidden where they are to replace a committed table, committed job by job. All others belong to a storage backend, which
is only asked whether they exist.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scannerpy._client.caching import Status
from scannerpy._client.database import Database
from scannerpy._engine.states import TaskId
from scannerpy._graph.graph import Graph, JobArgs, Vertex
from scannerpy._plan.parents import parents
from scannerpy._plan.plan import Plan
from scannerpy._plan.reuse import finished
from scannerpy._plan.task import JobPlan
from scannerpy._store import layout
from scannerpy._store.catalog import (
    ColumnRecord,
    Commit,
    CommitTables,
    DeleteTables,
    Event,
    JobRecord,
    NewJob,
    State,
    TableRecord,
    numbered,
)
from scannerpy._store.chunk import ChunkRef, find_chunks
from scannerpy._store.chunk_format import read_end
from scannerpy._store.manifest import write_manifest
from scannerpy._store.objects import ObjectMissing, Objects
from scannerpy._store.origins import Rows, has_origins, write_origins
from scannerpy.common import log
from scannerpy.errors import CorruptObject, GraphError, StreamExists, VideoError

TABLE_SINKS = frozenset({"Column", "FrameColumn"})
"""The sinks that make tables of this database."""


@dataclass(frozen=True, slots=True)
class TableOutput:
    """A table that sink number `sink` (in the order of ``graph.sinks``) makes in job `job`."""

    job: int
    sink: int
    name: str
    column: ColumnRecord


def table_outputs(graph: Graph, jobs: Sequence[JobArgs]) -> list[TableOutput]:
    """Return the tables a run makes, job by job. Raises GraphError for a name given twice."""
    outputs = [
        TableOutput(j, k, *_named(vertex, output_args(args, vertex)))
        for j, args in enumerate(jobs)
        for k, vertex in enumerate(graph.sinks)
        if vertex.name in TABLE_SINKS
    ]
    seen: dict[str, TableOutput] = {}
    for output in outputs:
        other = seen.setdefault(output.name, output)
        if other is not output:
            raise GraphError(
                f"two outputs are named {output.name!r} (streams {other.job} and {output.job} of "
                f"{graph.sinks[output.sink].label}): give every output a name of its own"
            )
    return outputs


def output_args(args: JobArgs, vertex: Vertex) -> Mapping[str, Any]:
    """Return what a job says about one of its sinks."""
    given = args[vertex.number]
    return given if isinstance(given, Mapping) else {}


def _named(vertex: Vertex, args: Mapping[str, Any]) -> tuple[str, ColumnRecord]:
    edge = vertex.inputs[0]
    return args["table_name"], ColumnRecord(args["column_name"], edge.is_video, edge.type_name)


def table_status(record: TableRecord | None) -> Status:
    """Return how far a table is."""
    if record is None:
        return Status.MISSING
    return Status.COMMITTED if record.committed else Status.PARTIAL


@dataclass(frozen=True, slots=True)
class Destination:
    """Where one output's chunks go: the table's id and the key of its folder.

    `hidden`: a complete table of that name stays until this one is complete.
    """

    table: int
    key: str
    column: str
    is_video: bool
    resumed: bool
    hidden: bool = False

    @property
    def prefix(self) -> str:
        """The folder of the column's chunks."""
        return layout.column_folder(self.key, self.column)


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run that stands in the catalog: its id, and the destination of every table output, by (job, sink)."""

    job_id: int
    destinations: Mapping[tuple[int, int], Destination]


def start_run(
    database: Database, outputs: Sequence[TableOutput], keys: Sequence[str], *, overwrite: bool, name: str = ""
) -> StartedRun:
    """Enter a run and its output tables into the catalog, in one entry. ``keys[i]`` belongs to ``outputs[i]``.

    An uncommitted table of the same name and key is the rest of the same run and is taken up; of another key, it is
    replaced. A committed one stays readable under `overwrite`, and is a StreamExists otherwise (it appeared since the
    outputs were looked at).
    """
    started: list[StartedRun] = []

    def decide(state: State) -> Sequence[Event]:
        partial = {(table.name, table.key): table for table in state.tables.values() if not table.committed}
        events: list[Event] = []
        drafts: list[TableRecord] = []
        destinations: dict[tuple[int, int], Destination] = {}
        for output, key in zip(outputs, keys, strict=True):
            at = state.table(output.name)
            if at is not None and at.committed and not overwrite:
                raise StreamExists(f"table {output.name!r} was made by another client just now; nothing was run")
            found = partial.get((output.name, key))
            hidden = at is not None and at.committed
            if found is None:
                if at is not None and not hidden:
                    events.append(DeleteTables((at.id,)))
                table_id = state.next_table_id + len(drafts)
                drafts.append(_draft(output, key, state.next_job_id, hidden=hidden, now=time.time()))
            else:
                table_id = found.id
            destinations[output.job, output.sink] = Destination(
                table_id,
                key,
                output.column.name,
                is_video=output.column.is_video,
                resumed=found is not None,
                hidden=hidden,
            )
        started[:] = [StartedRun(state.next_job_id, destinations)]
        job = JobRecord(state.next_job_id, name or f"run {state.next_job_id}", time.time())
        return [*events, numbered(state, drafts), NewJob(job)] if drafts else [*events, NewJob(job)]

    database.change(decide)
    return started[0]


def _draft(output: TableOutput, key: str, job_id: int, *, hidden: bool, now: float) -> TableRecord:
    return TableRecord(
        id=0, name=output.name, columns=(output.column,), rows=0, committed=False, job_id=job_id, key=key,
        manifest="", source=None, created=now, hidden=hidden,
    )  # fmt: skip


def store_origins(database: Database, plan: Plan, started: StartedRun) -> None:
    """Store which input rows the rows of the run's tables are made from, where that is not the row itself.

    They are kept under the job that the tables name: for a table that is taken up, that is the interrupted run's, which
    may have ended before it came to this.
    """
    maps: dict[int, dict[int, Rows]] = {}
    state = database.catalog.state()
    for (job, sink), destination in started.destinations.items():
        rows = parents(plan.graph, plan.jobs[job], plan.graph.sinks[sink])
        table = state.tables.get(destination.table)
        if rows is not None and table is not None and table.job_id is not None:
            maps.setdefault(table.job_id, {})[destination.table] = rows
    for job_id, of_job in maps.items():
        if job_id == started.job_id or not has_origins(database.objects, job_id):
            write_origins(database.objects, job_id, of_job)


def finished_tasks(database: Database, plan: Plan, started: StartedRun) -> dict[int, dict[int, tuple[ChunkRef, ...]]]:
    """Return ``{job: {task: chunk of each sink}}`` for the tasks that an earlier, interrupted run finished."""
    found = {
        (job, sink, task): ref
        for (job, sink), destination in started.destinations.items()
        if destination.resumed
        for task, ref in _stored_tasks(database.objects, plan.jobs[job], destination)
    }
    return finished(plan, found)


def stored_results(
    database: Database, plan: Plan, started: StartedRun, tasks: Sequence[TaskId]
) -> dict[TaskId, tuple[ChunkRef, ...]]:
    """Return, of `tasks`, those all of whose chunks are there: the worker that had them died before it could say so."""
    sinks = range(len(plan.graph.sinks))
    found: dict[TaskId, tuple[ChunkRef, ...]] = {}
    for task in tasks:
        destinations = [started.destinations.get((task.job, sink)) for sink in sinks]
        chunks = [
            _stored_chunk(database.objects, plan.jobs[task.job], destination, task.number)
            for destination in destinations
        ]
        whole = tuple(chunk for chunk in chunks if chunk is not None)
        if len(whole) == len(chunks):
            found[task] = whole
    return found


def _stored_chunk(objects: Objects, job: JobPlan, destination: Destination | None, number: int) -> ChunkRef | None:
    if destination is None:  # a storage backend's: only its writer knows what it has
        return None
    try:
        ref = read_end(objects, layout.chunk_path(destination.key, destination.column, number)).ref
    except (ObjectMissing, CorruptObject):
        return None
    task = job.tasks[number]
    return ref if (ref.start, ref.end) == (task.start, task.end) else None


def _stored_tasks(objects: Objects, job: JobPlan, destination: Destination) -> Iterator[tuple[int, ChunkRef]]:
    numbers = {int(start): number for number, start in enumerate(job.tasks.starts())}
    for ref in _sound_chunks(objects, destination.prefix):
        number = numbers.get(ref.start)
        if number is not None and job.tasks[number].end == ref.end:
            yield number, ref


def _sound_chunks(objects: Objects, prefix: str) -> list[ChunkRef]:
    """Return the chunks in a folder, after removing damaged ones so that their tasks can be done again."""
    sound, damaged = find_chunks(objects, prefix)
    for error in damaged:
        log.warning("A task is done again: %s", error)
    if damaged:
        objects.delete(sorted({path for path, _ in objects.list(prefix)} - {ref.path for ref in sound}))
    return sound


@dataclass(frozen=True, slots=True)
class CompleteTable:
    """A table all of whose tasks are done: how many rows it has, and its chunks in order."""

    job: int
    destination: Destination
    rows: int
    refs: Sequence[ChunkRef]


def commit(database: Database, done: Sequence[CompleteTable]) -> dict[int, str]:
    """Make tables count, all in one entry. One already committed or deleted is left.

    Returns the jobs whose chunks do not fit together, with the reason; none of their tables is committed.
    """
    refused = {table.job: reason for table in done if (reason := _mismatch(database.objects, table)) is not None}
    commits = [
        Commit(
            t.destination.table,
            t.rows,
            write_manifest(database.objects, t.destination.key, {t.destination.column: list(t.refs)}),
        )
        for t in done
        if t.job not in refused
    ]

    def decide(state: State) -> Sequence[Event]:
        waiting = [c for c in commits if (table := state.tables.get(c.id)) is not None and not table.committed]
        return [CommitTables(tuple(waiting))] if waiting else []

    database.change(decide)
    return refused


def _mismatch(objects: Objects, table: CompleteTable) -> str | None:
    """Why chunks that were each made well are no column together: their frames differ in size or kind."""
    if not table.destination.is_video or len(table.refs) < 2:
        return None
    from scannerpy._video.column import check_alike

    try:
        check_alike(objects, table.refs)
    except VideoError as error:
        return str(error)
    return None
