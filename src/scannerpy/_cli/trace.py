"""`scanner trace`: where the time of a run went."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scannerpy._cli import page
from scannerpy._cli.options import Database, Json, job_number, open_client


def trace(
    job: Annotated[str, typer.Argument(help="The number of a run, or the name of a stream it made.", metavar="JOB")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The file, ending in .trace or .tar.gz; job-N.trace by default."),
    ] = None,
    db: Database = None,
    json: Json = False,
) -> None:
    """Write what every worker did when as a Chrome trace, to be opened at https://ui.perfetto.dev."""
    with open_client(db) as client:
        number = job_number(client, job)
        profile = client.get_profile(number)
        path = profile.write_trace(str(out or f"job-{number}.trace"))
        begun, ended = profile.total_time_interval()
        statistics, bottleneck = profile.statistics(), profile.bottleneck()
    if json:
        seconds = (ended - begun) / 1e9
        page.as_json(
            {"job": number, "trace": path, "seconds": seconds, "bottleneck": bottleneck, "statistics": statistics}
        )
        return
    page.say(f"{path}: job {number}, {page.seconds((ended - begun) / 1e9)}; open it at https://ui.perfetto.dev")
    page.say(bottleneck)
