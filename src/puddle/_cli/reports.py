"""`puddle reports`: what was used, by whom, and what it cost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from puddle._cli.login import authorizer, cloud
from puddle._cli.showing import AsJson, show_all, show_json, when
from puddle.client import ReportsClient
from puddle.client.proto.v2 import report_service_pb2 as pb

app = typer.Typer(help="Reports of use.", no_args_is_help=True)
_DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]


def _client() -> ReportsClient:
    return ReportsClient(cloud(""), authorizer=authorizer())


def _status(report: pb.Report) -> str:
    return pb.ReportStatus.Name(report.status).removeprefix("REPORT_STATUS_").lower()


@app.command()
def create(
    start: Annotated[datetime, typer.Argument(formats=_DAYS, help="From when on (UTC).")],
    end: Annotated[datetime, typer.Argument(formats=_DAYS, help="Until when (UTC).")],
    everybody: Annotated[bool, typer.Option("--all", help="Everybody's use; for administrators.")] = False,
    js: AsJson = False,
) -> None:
    """Report what was used in a span of time, as CSV."""
    client = _client()
    made = client.create(_seconds(start), _seconds(end), everybody)
    _print(client, made.id, js=js)


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
        "TOTAL": lambda it: it.total_decimal,
    }
    show_all(_client().list(), columns, lambda it: it, js=js)


def _print(client: ReportsClient, report_id: str, *, js: bool) -> None:
    if js:
        from puddle._cli.showing import as_dict

        show_json([as_dict(entry) for entry in client.entries(report_id)])
    else:
        typer.echo(client.download(report_id), nl=False)


def _seconds(time: datetime) -> int:
    return int(time.replace(tzinfo=UTC).timestamp())
