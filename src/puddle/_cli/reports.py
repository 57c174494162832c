"""`puddle reports`: what was used, by whom, and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer

from puddle._cli.login import authorizer, cloud
from puddle._cli.showing import AsJson, Columns, as_dict, money, show_all, show_json, when
from puddle._cli.times import HELP, moment, seconds
from puddle.client import ReportsClient
from puddle.client.proto.v2 import report_service_pb2 as pb
from puddle.server.domain.cost import decimal

By = Annotated[
    str, typer.Option(help="Only sums: by owner, system, kind, product, cloud, or the label of a tag. Not as CSV.")
]

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
    by: By = "",
    js: AsJson = False,
) -> None:
    """Report what was used in a span of time, as CSV."""
    client = _client()
    made = client.create(seconds(start), seconds(end or moment("now")), everybody)
    _print(client, made.id, by, js=js)
    if not js:
        typer.echo(f"Total: {money(made.total_decimal)}. `puddle reports show {made.id}` shows it again.", err=True)


@app.command()
def show(
    report: Annotated[str, typer.Argument(help="The report, by its id.")], by: By = "", js: AsJson = False
) -> None:
    """Show a report's entries, as CSV."""
    _print(_client(), report, by, js=js)


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


def _print(client: ReportsClient, report_id: str, by: str, *, js: bool) -> None:
    if by:
        _print_sums(list(client.entries(report_id)), by, js=js)
    elif js:
        show_json([as_dict(entry) for entry in client.entries(report_id)])
    else:
        typer.echo(client.download(report_id), nl=False)


def _print_sums(entries: Sequence[pb.ReportEntry], by: str, *, js: bool) -> None:
    """Print what each owner, system, … has run up, the dearest first; the sums are exact, and only shown rounded."""
    key = _key(entries, by)
    sums: Counter[str] = Counter()
    for entry in entries:
        sums[key(entry)] += entry.amount
    if js:
        told = ((name, f"{decimal(amount):f}", amount) for name, amount in sums.most_common())
        show_json([{by: name, "cost_decimal": cost, "amount": amount} for name, cost, amount in told])
        return
    columns: Columns[tuple[str, int]] = {by.upper(): lambda it: it[0], "COST": lambda it: money(f"{decimal(it[1]):f}")}
    show_all(sums.most_common(), columns, lambda _: pb.Report(), js=False, none="Nothing was used.")


def _key(entries: Sequence[pb.ReportEntry], by: str) -> Callable[[pb.ReportEntry], str]:
    if by in _BY:
        return _BY[by]
    labels = sorted({tag.label for entry in entries for tag in entry.tags})
    if entries and by not in labels:
        known = ", ".join([*_BY, *labels])
        raise typer.BadParameter(f"sums are by one of {known}; not by {by!r}", param_hint="--by")
    return lambda entry: next((tag.value for tag in entry.tags if tag.label == by), "") or "none"


_BY: Mapping[str, Callable[[pb.ReportEntry], str]] = {
    "owner": lambda entry: entry.owner_name or "nobody",
    "system": lambda entry: f"{entry.owner_name}/{entry.system_name}" if entry.system_name else "none",
    "kind": lambda entry: entry.kind,
    "product": lambda entry: entry.product or "none",
    "cloud": lambda entry: entry.cloud or "none",
}
"""What can be summed up; beside it the labels of tags."""
