"""`scanner retry`: only what failed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from scannerpy._cli import page
from scannerpy._cli.jobs import job_facts, print_outcome
from scannerpy._cli.options import Database, Json, job_number, open_client


def retry(
    job: Annotated[str, typer.Argument(help="The number of a run, or the name of a stream it made.", metavar="JOB")],
    as_it_was: Annotated[
        bool, typer.Option("--as-it-was", help="Even if the program has changed since: run the code of then.")
    ] = False,
    task_timeout: Annotated[
        float | None, typer.Option("--task-timeout", help="Seconds a task may take; that of the run by default.")
    ] = None,
    db: Database = None,
    json: Json = False,
) -> None:
    """Compute what is missing of a run: streams that failed or were cut off. What is finished is not done again."""
    from scannerpy._client.reports import job_report

    with open_client(None if db is None else db.absolute()) as client:
        number = job_number(client, job)
        record = job_report(client._database, number).record
        if record is not None and Path(record.origin.folder).is_dir():
            os.chdir(record.origin.folder)  # relative paths in the arguments of ops are relative to it
        made = client.retry_job(number, as_it_was=as_it_was, task_timeout=task_timeout)
        if made is None:
            if json:
                page.as_json({"retried": number, "job": None})
            else:
                page.say(f"Nothing is missing of job {number}.")
            return
        if json:
            page.as_json({"retried": number, **job_facts(client, made)})
        else:
            page.say(f"Job {made} retried job {number}:\n")
            print_outcome(client, made)
        failed = client.job_status(made).jobs_failed
    if failed:
        raise typer.Exit(1)
