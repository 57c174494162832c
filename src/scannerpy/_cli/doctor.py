"""`scanner doctor`: one page of facts about this machine, and the mend beside each that is not as it should be."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from scannerpy._cli import page
from scannerpy._cli.options import Database, Json


def doctor(
    tidy: Annotated[
        bool, typer.Option("--tidy", help="First remove what killed programs left in the database.")
    ] = False,
    db: Database = None,
    json: Json = False,
) -> None:
    """Check that this machine has what Scanner needs, and say how to mend what is missing."""
    from scannerpy import _doctor

    if tidy:
        page.note(_doctor.tidy(db))
    findings = _doctor.examine(db)
    if json:
        page.as_json([asdict(finding) for finding in findings])
    else:
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            page.say(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what:<{width}}  {finding.detail}")
            if finding.mend:
                page.say(f"      {'':<{width}}  → {finding.mend}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
