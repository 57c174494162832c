"""The command `scanner`: a demo, a look at the machine, and at what a database holds. Nothing here computes.

Each command is a few lines over the public API; what is heavy is imported by the command that needs it, so that
``scanner --help`` is quick. Errors Scanner raises on purpose are printed as one sentence, without a traceback.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from scannerpy.errors import ScannerException

app = typer.Typer(
    name="scanner",
    help="Exact, sparse, parallel video analysis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Database = Annotated[
    Path | None, typer.Option("--db", help="The database's folder; the one of ~/.scanner/config.toml by default.")
]


@app.command()
def demo(
    video: Annotated[Path | None, typer.Argument(help="A video of your own.")] = None,
    out: Annotated[Path, typer.Option(help="Where the results go.")] = Path("out"),
) -> None:
    """Analyse a real clip: histograms, shots, a montage, an annotated mp4, optical flow."""
    from rich.console import Console

    from scannerpy._demo.clip import find_clips
    from scannerpy._demo.program import run_demo

    run_demo(find_clips(video), out, Console(width=None if sys.stdout.isatty() else 120))


@app.command()
def doctor() -> None:
    """Check that this machine has what Scanner needs, and say what is missing."""
    from scannerpy._doctor import examine

    findings = examine()
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what:<12}{finding.detail}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command(name="ls")
def list_tables(db: Database = None) -> None:
    """List the tables of a database."""
    with _client(db) as client:
        typer.echo(client.summarize())


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A stream's or table's name.")],
    rows: Annotated[int, typer.Option(help="How many rows to print.")] = 5,
    db: Database = None,
) -> None:
    """Show a stream: its columns, its size, its first rows."""
    with _client(db) as client:
        table = client.table(name)
        if not table.exists():
            raise ScannerException(f"there is no table called {name!r}; `scanner ls` lists them")
        state = f"{table.num_rows():,} rows" if table.committed() else "not committed"
        typer.echo(f"{name}: table {table.id()}, {state}")
        for column in table.column_names():
            typer.echo(f"\n{column}")
            if table.committed():
                _print_elements(table.column(column), min(rows, table.num_rows()))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def explain(
    context: typer.Context, program: Annotated[Path, typer.Argument(help="A Python program that uses Scanner.")]
) -> None:
    """Run a program up to its first `Client.run`, and print what that would do instead of doing it."""
    import runpy

    from scannerpy.client import Client

    def explain_instead(self: Client, outputs: Any, perf_params: Any = None, *_: Any, **__: Any) -> None:
        typer.echo(str(self.explain(outputs, perf_params)))
        raise typer.Exit

    sys.argv = [str(program), *context.args]
    sys.path.insert(0, str(program.parent))
    run, Client.run = Client.run, explain_instead  # type: ignore[method-assign]  # for this program only
    try:
        runpy.run_path(str(program), run_name="__main__")
    finally:
        Client.run = run  # type: ignore[method-assign]
    raise ScannerException(f"{program} ended without calling Client.run, so there is nothing to explain")


def _client(db: Path | None) -> Any:
    from scannerpy.client import Client
    from scannerpy.config import Config

    if db is not None and not db.is_dir():
        raise ScannerException(f"there is no database at {db}: give the folder a program stored its results in")
    return Client(config=Config(db_path=str(db) if db else None))


def _print_elements(column: Any, count: int) -> None:
    import scannerpy.ops  # noqa: F401  # registers the types that stored streams may have

    for row, element in enumerate(column.load(rows=list(range(count)))):
        typer.echo(f"  {row:>6}  {_brief(element)}")


def _brief(element: Any) -> str:
    """Describe a value in one line: arrays by shape and type, everything else by its own short form."""
    if hasattr(element, "shape") and element.size > 16:
        return f"{element.dtype} array of {' × '.join(map(str, element.shape))}"
    text = " ".join(repr(element).split())
    return text if len(text) <= 100 else f"{text[:97]}…"


def main() -> None:
    """Run the command line; the entry point of the `scanner` script."""
    try:
        app()
    except ScannerException as error:
        typer.echo(f"scanner: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
