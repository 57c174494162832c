"""`puddle reports`: what was used, by whom, and what it cost."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from puddle._cli.login import authorizer, cloud
from puddle._cli.showing import AsJson, as_dict, money, show_all, show_json, when
from puddle._cli.times import HELP, moment, seconds
from puddle.client import ReportsClient
from puddle.client.proto.v2 import report_service_pb2 as pb

app = typer.Typer(help="Reports of use.", no_args_is_help=True)


def _client() -> ReportsClient:
    return ReportsClient(cloud(""), authorizer=authorizer())


def _status(report: pb.Report) -> str:
    return pb.ReportStatus.Name(report.status).removeprefix("REPORT_STATUS_").lower()


@app.command()
def create(
    start: Annotated[datetime, typer.Argument(parser=moment, metavar="start", help=f"From when on ({HELP}).")],
    end: Annotated[
        datetime | None, typer.Argument(parser=moment, metavar="end", help="Until when; now by default.")
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Everybody's use; for administrators.")] = False,
    js: AsJson = False,
) -> None:
    """Report what was used in a span of time, as CSV."""
    client = _client()
    made = client.create(seconds(start), seconds(end or moment("now")), everybody)
    _print(client, made.id, js=js)
    if not js:
        typer.echo(f"Total: {money(made.total_decimal)}. `puddle reports show {made.id}` shows it again.", err=True)


@app.command()
def show(report: Annotated[str, typer.Argument(help="The report, by its id.")], js: AsJson = False) -> None:
    """Show a report's entries, as CSV."""
    _print(_client(), report, js=js)


@app.command("ls")
def list_reports(js: AsJson = False) -> None:
    """List your reports, the newest first."""
    columns = {
        "ID": lambda it: it.id,
        "STATUS": _status,
        "FROM": lambda it: when(it.start),
        "UNTIL": lambda it: when(it.end),
        "TOTAL": lambda it: money(it.total_decimal),
    }
    none = "You have no reports; `puddle reports create 2026-11-01` makes one, of what was used since."
    show_all(_client().list(), columns, lambda it: it, js=js, none=none)


def _print(client: ReportsClient, report_id: str, *, js: bool) -> None:
    if js:
        show_json([as_dict(entry) for entry in client.entries(report_id)])
    else:
        typer.echo(client.download(report_id), nl=False)
