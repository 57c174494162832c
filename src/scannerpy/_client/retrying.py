"""Doing again what failed of an earlier run, perhaps of another process, and what has to be kept for that.

A retry is the same run once more, for the streams that are not there: the same graph, arguments and cut, from the
recipe. Its keys are made anew from code and inputs, so finished tasks are used exactly where they are what would be
computed now. The code of the program itself is that of the recipe, what it imports is imported as it is now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from scannerpy._client import recipes
from scannerpy._client.caching import Status, jobs_to_run
from scannerpy._client.database import Database
from scannerpy._client.history import (
    Chronicle,
    Made,
    Origin,
    RunRecord,
    StreamRecord,
    digest_of,
    read_record,
    this_process,
)
from scannerpy._client.outputs import Begun
from scannerpy._client.preparing import Prepared, prepare_again
from scannerpy._client.recipes import Recipe
from scannerpy._client.reports import JobReport, is_made, look
from scannerpy._store.catalog import State
from scannerpy._store.layout import bare
from scannerpy.common import CacheMode, log
from scannerpy.errors import ScannerException

if TYPE_CHECKING:
    from scannerpy._client.running import Dials


def write_down(database: Database, chronicle: Chronicle, prepared: Prepared, begun: Begun, dials: Dials) -> None:
    """Keep what a run is, so that it can be shown and retried later."""
    sources, sinks = recipes.storages(prepared.graph)
    recipe = Recipe(
        prepared.graph, prepared.asked, prepared.params, prepared.labels, dials.task_timeout,
        dials.checkpoint_frequency, sources, sinks,
    )  # fmt: skip
    reason = recipes.store(database.notes, begun.job_id, recipe)
    plan = prepared.plan
    chronicle.begin(
        RunRecord(
            streams=tuple(_streams(prepared, begun)),
            overwrite=prepared.overwrite,
            work_packet_size=plan.work_packet_size,
            io_packet_size=plan.io_packet_size,
            origin=_origin(database, dials.retries),
            retries=dials.retries,
            no_recipe=reason,
        )
    )


def prepare_retry(database: Database, job_id: int, *, as_it_was: bool) -> tuple[Prepared, Recipe] | None:
    """Return a run of what is missing of job `job_id`; None where nothing is. Raises ScannerException."""
    report = look(database, job_id)
    record = _retryable(report)
    state = database.catalog.state()
    needed = _needed(report, record, state)
    if not needed:
        return None
    if not as_it_was:
        _check_script(job_id, record)
    recipe = recipes.load(database.objects, job_id)
    prepared = prepare_again(database, recipe, needed, overwrite=record.overwrite)
    anew = _anew(prepared, [record.streams[j] for j in needed], state)
    if anew:
        log.warning(
            "nothing of %s is used again, because its code or its inputs are not what they were for job %d",
            anew[0] if len(anew) == 1 else f"{len(anew)} streams", job_id,
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


def _streams(prepared: Prepared, begun: Begun) -> list[StreamRecord]:
    made: list[list[Made]] = [[] for _ in prepared.labels]
    for output in prepared.outputs:
        place = begun.places[output.job, output.sink]
        made[output.job].append(Made(place.table, output.name, output.column.name))
    return [
        StreamRecord(label, job.rows, len(job.tasks), tuple(tables))
        for label, job, tables in zip(prepared.labels, prepared.plan.jobs, made, strict=True)
    ]


def _retryable(report: JobReport) -> RunRecord:
    record = report.record
    if record is None:
        raise ScannerException(f"job {report.id} left no record, so it cannot be retried: run its program again")
    if report.word == "running" and is_here(record):
        raise ScannerException(
            f"job {report.id} still runs, in process {record.origin.pid}: wait until it has ended, then retry it"
        )
    if record.no_recipe:
        raise ScannerException(
            f"job {report.id} cannot be retried without its program, because {record.no_recipe}. Run the program again "
            "with cache_mode=CacheMode.Ignore: what exists is kept"
        )
    return record


def is_here(record: RunRecord) -> bool:
    """Whether a run was begun on this machine, so that we know whether it still goes on."""
    return record.origin.host == this_process().host


def _needed(report: JobReport, record: RunRecord, state: State) -> tuple[int, ...]:
    """The numbers of the streams that are not there."""
    failed = {failure.job for failure in report.status.failures}
    all_known = report.word in {"finished", "incomplete"}

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


def _anew(prepared: Prepared, needed: Sequence[StreamRecord], state: State) -> list[str]:
    """The streams of which something is stored that cannot be used any more."""
    keys: dict[int, set[str]] = {}
    for output, key in zip(prepared.outputs, prepared.keys, strict=True):
        keys.setdefault(output.job, set()).add(key)
    stored = {table.id: bare(table.key) for table in state.tables.values()}
    return [
        stream.name
        for number, stream in enumerate(needed)
        if any(stored.get(each.table, "") not in {"", *keys[number]} for each in stream.made)
    ]
