"""The command `scanner`: what programs do with Scanner, and what a database holds, from a terminal.

Each command is a file of `_cli`. What is heavy is imported by the command that needs it, so that ``scanner --help`` is
quick. Errors Scanner raises on purpose are printed as one sentence, without a traceback, and exit with 1.
"""

from __future__ import annotations

import sys

import typer

from scannerpy._cli import demo, doctor, explain, ingest, ls, retry, run, show, trace, verify
from scannerpy.errors import ScannerException

app = typer.Typer(
    name="scanner",
    help="Exact, sparse, parallel video analysis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(ingest.ingest)
app.command(name="ls")(ls.list_tables)
app.command()(show.show)
app.command(context_settings=explain.SETTINGS)(explain.explain)
app.command(context_settings=run.SETTINGS)(run.run)
app.command()(retry.retry)
app.command()(trace.trace)
app.command()(verify.verify)


def main() -> None:
    """Run the command line; the entry point of the `scanner` script."""
    try:
        app()
    except ScannerException as error:
        typer.echo(f"scanner: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
