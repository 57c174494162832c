"""`scanner run`: a user's program, and what came of its runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scannerpy._cli import page
from scannerpy._cli.options import PROGRAM, Database, Json, use_database
from scannerpy.errors import ScannerException

if TYPE_CHECKING:
    from collections.abc import Callable

    from scannerpy.client import Client

SETTINGS = PROGRAM
INTERRUPTED = 130


def run(
    context: typer.Context,
    program: Annotated[Path, typer.Argument(help="A Python program; what follows is passed on to it.", metavar="FILE")],
    only_missing: Annotated[
        bool, typer.Option("--only-missing", help="Keep outputs that exist, where the program would be refused.")
    ] = False,
    db: Database = None,
    json: Json = False,
) -> None:
    """Execute a program as `python FILE` does, with progress bars; then print what was made and what failed."""
    from scannerpy._cli.program import execute, place_of
    from scannerpy.client import RunRequest, around_runs
    from scannerpy.common import CacheMode

    jobs: list[tuple[Client, int]] = []

    def watch(request: RunRequest, proceed: Callable[[RunRequest], int | None]) -> int | None:
        mode = CacheMode.Ignore if only_missing and request.cache_mode is CacheMode.Error else request.cache_mode
        before = request.client._runs.last()
        try:
            return proceed(replace(request, cache_mode=mode, show_progress=True))
        finally:
            last = request.client._runs.last()
            if last is not None and last != before:
                jobs.append((request.client, last))

    use_database(db)
    trouble: BaseException | None = None
    status = 0
    with around_runs(watch):
        try:
            status = execute(program, context.args, quiet=json)
        except (ScannerException, KeyboardInterrupt) as error:
            trouble, status = error, INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    _report(jobs, json=json)
    if not jobs and not status:
        page.note("\nNothing was computed: all that was asked for exists, or the program asked for nothing.")
    if isinstance(trouble, ScannerException):
        raise ScannerException(f"{place_of(trouble, program)}: {trouble}") from trouble
    if trouble is not None:
        page.note("\nscanner: interrupted; what is finished is kept")
    failed = any(client.job_status(job).jobs_failed for client, job in jobs)
    if status or failed:
        raise typer.Exit(status or 1)


def _report(jobs: list[tuple[Client, int]], *, json: bool) -> None:
    from scannerpy._cli.jobs import job_facts, print_outcome

    if json:
        page.as_json([job_facts(client, job) for client, job in jobs])
        return
    for client, job in jobs:
        page.say()
        print_outcome(client, job)
