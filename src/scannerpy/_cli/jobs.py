"""The facts that commands print about a run: its streams, its failures, the seconds of its stages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scannerpy._cli import page

if TYPE_CHECKING:
    from scannerpy._client.reports import JobReport, StreamReport
    from scannerpy._engine.failures import Failure
    from scannerpy.client import Client

SHOWN = 20
"""So many streams and failures are listed; the rest is counted. JSON has them all."""


def job_facts(client: Client, job_id: int) -> dict[str, Any]:
    """All that is known of a run, for a machine."""
    from scannerpy._client.reports import job_report, streams

    report = job_report(client._database, job_id)
    status, record = report.status, report.record
    return {
        "job": report.id,
        "name": report.name,
        "state": report.state,
        "message": status.result.msg,
        "begun": report.begun,
        "ended": report.ended,
        "program": record.origin.script if record else "",
        "command": list(record.origin.command) if record else [],
        "tasks": {"done": status.tasks_done, "total": status.total_tasks},
        "rows": {"done": status.rows_done, "total": status.total_rows},
        "streams": [
            {"name": s.name, "state": s.state, "rows": s.rows, "rows_kept": s.rows_kept}
            for s in streams(client._database, report)
        ],
        "failures": [
            {
                "stream": f.stream, "rows": f.rows, "op": f.op, "reason": f.reason, "traceback": f.traceback,
                "rows_kept": f.rows_kept,
            }
            for f in status.failures
        ],
        "retried_by": list(report.retried_by),
        "stages": stage_seconds(client, job_id),
    }  # fmt: skip


def print_job(client: Client, job_id: int, *, traceback: bool) -> None:
    """Print a page about a run."""
    from scannerpy._client.reports import job_report, streams

    report = job_report(client._database, job_id)
    page.say(f"Job {report.id}: {_headline(report)}")
    page.facts(_facts(report))
    print_streams(streams(client._database, report))
    stages = stage_seconds(client, job_id)
    if stages:
        page.say("\nSeconds, over all workers")
        page.facts([(name, f"{value:.3f}") for name, value in stages.items()])
    print_failures(list(report.status.failures), traceback=traceback, ending=report.traceback)
    _next_step(report)


def print_outcome(client: Client, job_id: int) -> None:
    """Print what a run has just made, and what it could not."""
    from scannerpy._client.reports import job_report, streams

    report = job_report(client._database, job_id)
    page.say(f"Job {report.id}: {_headline(report)}")
    print_streams(streams(client._database, report))
    print_failures(list(report.status.failures), traceback=True, ending=report.traceback)
    _next_step(report)


def print_streams(streams: Sequence[StreamReport]) -> None:
    """Print the outputs of a run as a table; those that are not complete first where there are many."""
    if not streams:
        return
    shown = streams if len(streams) <= SHOWN else sorted(streams, key=lambda s: s.state == "committed")[:SHOWN]
    page.say()
    rows = [(f"{s.rows:,}", "all" if s.state == "committed" else f"{s.rows_kept:,}", s.state, s.name) for s in shown]
    page.table(("rows", "kept", "state", "stream"), rows, numbers=("rows", "kept"))
    if len(shown) < len(streams):
        page.say(f"… and {page.plural(len(streams) - len(shown), 'more stream')}")


def print_failures(failures: Sequence[Failure], *, traceback: bool, ending: str = "") -> None:
    """Print what went wrong, stream by stream, and each different traceback once."""
    if failures:
        page.say("\nFailures")
        rows = [(f.stream, _row(f), _reason(f)) for f in failures[:SHOWN]]
        page.table(("stream", "row", "what happened"), rows)
    if len(failures) > SHOWN:
        page.say(f"… and {len(failures) - SHOWN:,} more")
    texts = dict.fromkeys(text.rstrip() for text in [ending, *(f.traceback for f in failures)] if text)
    for text in texts if traceback else ():
        page.say(f"\n{text}")
    if texts and not traceback:
        page.say("\n--traceback shows where in the code.")


def stage_seconds(client: Client, job_id: int) -> dict[str, float]:
    """Seconds of work per kind and op, summed over all workers; nothing for a run without a profile."""
    from scannerpy.errors import ScannerException

    try:
        statistics = client.get_profile(job_id).statistics()
    except ScannerException:  # it still runs, or was killed
        return {}
    kinds = [kind for kind in ("load", "eval", "save") if kind in statistics]
    timed = ((kind, name, told) for kind in kinds for name, told in statistics[kind].items())
    return {
        f"{kind} {name}": float(told) for kind, name, told in timed if isinstance(told, str)
    }  # numbers are counters


def _headline(report: JobReport) -> str:
    status = report.status
    took = "" if report.ended is None else f" in {page.seconds(report.ended - report.begun)}"
    failed = f", {page.plural(status.jobs_failed, 'stream')} failed" if status.jobs_failed else ""
    total = page.plural(status.total_jobs, "stream")
    return f"{report.state}{took}: {status.jobs_done:,} of {total} complete{failed}"


def _facts(report: JobReport) -> list[tuple[str, object]]:
    status, record = report.status, report.record
    pairs: list[tuple[str, object]] = [("begun", page.moment(report.begun))]
    if record is not None:
        where = f"process {record.origin.pid} on {record.origin.host}"
        pairs += [("program", record.origin.script or "a notebook or an interpreter"), ("run by", where)]
    pairs += [
        ("tasks", f"{status.tasks_done:,} of {status.total_tasks:,} done"),
        ("rows", f"{status.rows_done:,} of {status.total_rows:,} done"),
    ]
    if status.failed_workers:
        pairs.append(("workers", f"{status.failed_workers:,} lost"))
    if record is not None and record.retries is not None:
        pairs.append(("retries", f"job {record.retries}"))
    if report.retried_by:
        pairs.append(("retried by", ", ".join(f"job {number}" for number in report.retried_by)))
    if status.result.msg:
        pairs.append(("why", status.result.msg.splitlines()[0]))
    return pairs


def _next_step(report: JobReport) -> None:
    """Say how what is missing is computed, where something is."""
    missing = report.status.total_jobs - report.status.jobs_done
    if report.state == "running" or not missing or report.retried_by:
        return
    page.say(f"\n`scanner retry {report.id}` computes what is missing.")
    script = report.record.origin.script if report.record else ""
    if script:
        page.say(f"If the code has to be mended first: `scanner run --only-missing {_short(script)}`.")


def _short(path: str) -> str:
    """A path as one would type it here."""
    return os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else path


def _row(failure: Failure) -> str:
    if failure.rows is None:
        return "–"
    first, last = failure.rows
    return f"{first:,}" if first == last else f"{first:,}–{last:,}"


def _reason(failure: Failure) -> str:
    lines = failure.reason.strip().splitlines() or ["(no reason given)"]
    known = not failure.op or failure.op in lines[0]
    return lines[0] if known else f"{failure.op}: {lines[0]}"
