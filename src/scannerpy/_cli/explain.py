"""`scanner explain`: the plans of a program's runs, without running them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scannerpy._cli import page
from scannerpy._cli.options import PROGRAM, Database, Json, use_database
from scannerpy.errors import NotCommitted, ScannerException

SETTINGS = PROGRAM


def explain(
    context: typer.Context,
    program: Annotated[Path, typer.Argument(help="A Python program; what follows is passed on to it.", metavar="FILE")],
    db: Database = None,
    json: Json = False,
) -> None:
    """Execute a program, but print the plan of each of its runs instead of carrying it out."""
    from scannerpy._cli.program import execute, place_of
    from scannerpy.client import RunRequest, around_runs

    plans: list[Any] = []

    def instead(request: RunRequest, _: Any) -> None:
        explanation = request.client.explain(request.outputs, request.perf_params)
        plans.append(explanation)
        if not json:
            page.say(f"{'' if len(plans) == 1 else chr(10)}Run {len(plans)} of {program.name}\n\n{explanation}")

    use_database(db)
    status = 0
    with around_runs(instead):
        try:
            status = execute(program, context.args, quiet=json)
        except ScannerException as error:
            if not plans or not _wants_results(error):
                raise
            page.note(
                f"\n{place_of(error, program)} needs what an earlier run makes ({error}). Nothing was run, so what "
                "comes after is not explained."
            )
    if json:
        page.as_json([_plan(explanation) for explanation in plans])
    if not plans and not status:
        raise ScannerException(f"{program} ended without calling Client.run, so there is nothing to explain")
    if status:
        raise typer.Exit(status)


def _wants_results(error: ScannerException) -> bool:
    """Whether a program fails because its runs were not carried out: a stream is not there, or a job."""
    return isinstance(error, NotCommitted) or type(error) is ScannerException


def _plan(explanation: Any) -> dict[str, Any]:
    return {
        "drawing": explanation.drawing,
        "work_packet_size": explanation.work_packet_size,
        "io_packet_size": explanation.io_packet_size,
        "rows": explanation.rows,
        "tasks": explanation.tasks,
        "peak_bytes": explanation.peak_bytes,
        "frames_decoded": explanation.decode.frames if explanation.decode is not None else None,
        "jobs": [
            {"stream": job.stream, "rows": job.rows, "tasks": job.tasks, "ops": [_op(op) for op in job.ops]}
            for job in explanation.jobs
        ],
    }


def _op(op: Any) -> dict[str, Any]:
    return {"op": op.label, "rows": op.rows, "warmup": op.warmup}
