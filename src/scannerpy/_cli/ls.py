"""`scanner ls`: the tables of a database, or its runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scannerpy._cli import page
from scannerpy._cli.options import Database, Json, open_client

if TYPE_CHECKING:
    from scannerpy.client import Client

LAST = 20


def list_tables(
    jobs: Annotated[bool, typer.Option("--jobs", help="List the last runs instead.")] = False,
    db: Database = None,
    json: Json = False,
) -> None:
    """List the tables of a database, or its last runs."""
    with open_client(db) as client:
        (_jobs if jobs else _tables)(client, json)


def _tables(client: Client, json: bool) -> None:
    records = client._database.catalog.state().tables.values()
    tables = [
        {
            "id": record.id,
            "name": record.name,
            "rows": record.rows if record.committed else None,
            "columns": [column.name for column in record.columns],
            "committed": record.committed,
            "job": record.job_id,
        }
        for record in sorted(records, key=lambda record: record.id)
        if not record.hidden
    ]
    if json:
        page.as_json(tables)
    elif not tables:
        page.say("The database has no tables.")
    else:
        page.table(
            ("id", "name", "rows", "columns", "state", "made by"), [_line(t) for t in tables], numbers=("id", "rows")
        )


def _line(table: dict[str, Any]) -> tuple[object, ...]:
    rows = "–" if table["rows"] is None else f"{table['rows']:,}"
    made_by = "ingest" if table["job"] is None else f"job {table['job']}"
    state = "committed" if table["committed"] else "incomplete"
    return table["id"], table["name"], rows, ", ".join(table["columns"]), state, made_by


def _jobs(client: Client, json: bool) -> None:
    from scannerpy._client.reports import job_report, jobs_of

    database = client._database
    reports = [job_report(database, job.id) for job in jobs_of(database.catalog.state(), LAST)]
    if json:
        page.as_json([
            {
                "id": r.id, "state": r.state, "begun": r.begun, "ended": r.ended, "streams": r.status.total_jobs,
                "failed": r.status.jobs_failed, "rows": r.status.total_rows,
                "program": r.record.origin.script if r.record else "",
            }
            for r in reports
        ])  # fmt: skip
    elif not reports:
        page.say("No job was ever run in this database.")
    else:
        rows = [
            (
                r.id, r.state, page.moment(r.begun), "–" if r.ended is None else page.seconds(r.ended - r.begun),
                f"{r.status.total_jobs:,}", f"{r.status.jobs_failed:,}", _program(r),
            )
            for r in reports
        ]  # fmt: skip
        page.table(
            ("id", "state", "begun", "took", "streams", "failed", "program"), rows, numbers=("id", "streams", "failed")
        )


def _program(report: Any) -> str:
    name = Path(report.record.origin.script).name if report.record else ""
    return f"{name or '–'}{f' ({report.name})' if report.name.startswith('retry') else ''}"
