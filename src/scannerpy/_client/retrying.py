"""`Client.retry_job`: computes what is missing of an earlier run, and stores what a later retry needs.

A retry is the same run once more, for the streams that are not there: the same graph, arguments and packet sizes, from
the recipe. Its keys are computed from code and inputs as they are now, so finished tasks are used exactly where they
hold what would be computed now. The program's own code is that of the recipe; modules are imported as they are now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from scannerpy._client import recipes
from scannerpy._client.caching import Status, jobs_to_run
from scannerpy._client.database import Database
from scannerpy._client.history import (
    Origin,
    OutputTable,
    RunRecord,
    RunRecorder,
    StreamRecord,
    digest_of,
    read_record,
    this_process,
)
from scannerpy._client.outputs import StartedRun
from scannerpy._client.preparing import PreparedRun, prepare_again
from scannerpy._client.recipes import Recipe
from scannerpy._client.reports import JobReport, is_made, job_report
from scannerpy._store.catalog import State
from scannerpy.common import CacheMode, log
from scannerpy.errors import ScannerException

if TYPE_CHECKING:
    from scannerpy._client.running import RunOptions


def record_run(
    database: Database, recorder: RunRecorder, prepared: PreparedRun, started: StartedRun, options: RunOptions
) -> None:
    """Keep what a run is, so that it can be shown and retried later."""
    sources, sinks = recipes.storages(prepared.graph)
    recipe = Recipe(
        prepared.graph, prepared.asked, prepared.params, prepared.labels, options.task_timeout,
        options.checkpoint_frequency, sources, sinks,
    )  # fmt: skip
    reason = recipes.store(database.notes, started.job_id, recipe)
    plan = prepared.plan
    recorder.begin(
        RunRecord(
            streams=tuple(_streams(prepared, started)),
            overwrite=prepared.overwrite,
            work_packet_size=plan.work_packet_size,
            io_packet_size=plan.io_packet_size,
            origin=_origin(database, options.retries),
            retries=options.retries,
            no_recipe=reason,
        )
    )


def prepare_retry(database: Database, job_id: int, *, as_it_was: bool) -> tuple[PreparedRun, Recipe] | None:
    """Return a run of what is missing of job `job_id`; None where nothing is. Raises ScannerException."""
    report = job_report(database, job_id)
    record = _retryable(report)
    state = database.catalog.state()
    needed = _needed(report, record, state)
    if not needed:
        return None
    if not as_it_was:
        _check_script(job_id, record)
    recipe = recipes.load(database.objects, job_id)
    prepared = prepare_again(database, recipe, needed, overwrite=record.overwrite)
    recomputed = _recomputed(prepared, [record.streams[j] for j in needed], state)
    if recomputed:
        log.warning(
            "nothing of %s is used again, because its code or its inputs are not what they were for job %d",
            recomputed[0] if len(recomputed) == 1 else f"{len(recomputed)} streams", job_id,
        )  # fmt: skip
    return prepared, recipe


def _origin(database: Database, retries: int | None) -> Origin:
    """Describe this process and the program it works for: where it retries a run, that is the run's."""
    here = this_process()
    first = None if retries is None else read_record(database.objects, retries)
    if first is None:
        return here
    was = first.origin
    return replace(here, folder=was.folder, command=was.command, script=was.script, digest=was.digest)


def _streams(prepared: PreparedRun, started: StartedRun) -> list[StreamRecord]:
    made: list[list[OutputTable]] = [[] for _ in prepared.labels]
    for output in prepared.outputs:
        destination = started.destinations[output.job, output.sink]
        made[output.job].append(OutputTable(destination.table, output.name, output.column.name))
    return [
        StreamRecord(label, job.rows, len(job.tasks), tuple(tables))
        for label, job, tables in zip(prepared.labels, prepared.plan.jobs, made, strict=True)
    ]


def _retryable(report: JobReport) -> RunRecord:
    record = report.record
    if record is None:
        raise ScannerException(f"job {report.id} left no record, so it cannot be retried: run its program again")
    if report.state == "running" and is_local(record):
        raise ScannerException(
            f"job {report.id} still runs, in process {record.origin.pid}: wait until it has ended, then retry it"
        )
    if record.no_recipe:
        raise ScannerException(
            f"job {report.id} cannot be retried without its program, because {record.no_recipe}. Run the program again "
            "with cache_mode=CacheMode.Ignore: what exists is kept"
        )
    return record


def is_local(record: RunRecord) -> bool:
    """Whether a run was started on this machine, so that we know whether it still goes on."""
    return record.origin.host == this_process().host


def _needed(report: JobReport, record: RunRecord, state: State) -> tuple[int, ...]:
    """The numbers of the streams that are not there."""
    failed = {failure.job for failure in report.status.failures}
    all_known = report.state in {"finished", "incomplete"}

    def statuses(number: int, stream: StreamRecord) -> list[Status]:
        if not stream.made:  # only its storage knows whether it is complete; writing it again does no harm
            return [Status.COMMITTED if all_known and number not in failed else Status.MISSING]
        made = [is_made(state, each, report.id, overwrite=record.overwrite) for each in stream.made]
        return [Status.COMMITTED if there else Status.MISSING for there in made]

    each = [statuses(number, stream) for number, stream in enumerate(record.streams)]
    return jobs_to_run(CacheMode.Ignore, each, lambda job, sink: f"stream {record.streams[job].made[sink].name!r}")


def _check_script(job_id: int, record: RunRecord) -> None:
    origin = record.origin
    if origin.script and digest_of(origin.script) != origin.digest:
        raise ScannerException(
            f"{origin.script} has changed since job {job_id} ran it. `scanner run --only-missing {origin.script}` "
            f"computes what failed with the new code; `scanner retry {job_id} --as-it-was` with that of job {job_id}"
        )


def _recomputed(prepared: PreparedRun, needed: Sequence[StreamRecord], state: State) -> list[str]:
    """The streams of which something is stored that cannot be used any more."""
    keys: dict[int, set[str]] = {}
    for output, key in zip(prepared.outputs, prepared.keys, strict=True):
        keys.setdefault(output.job, set()).add(key)
    return [
        stream.name
        for number, stream in enumerate(needed)
        if any((at := state.tables.get(each.table)) is not None and at.key not in keys[number] for each in stream.made)
    ]
