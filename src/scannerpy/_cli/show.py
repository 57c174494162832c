"""`scanner show`: one stream, or one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scannerpy._cli import page
from scannerpy._cli.options import Database, Json, open_client
from scannerpy.errors import ScannerException

if TYPE_CHECKING:
    from scannerpy.client import Client
    from scannerpy.table import Table


def show(
    name: Annotated[str, typer.Argument(help="A stream's name, or the number of a run.", metavar="NAME|JOB")],
    rows: Annotated[int, typer.Option("--rows", help="How many rows of a stream to print.", min=0)] = 5,
    traceback: Annotated[bool, typer.Option("--traceback", help="With a run: where in the code it failed.")] = False,
    job: Annotated[bool, typer.Option("--job", help="Take a number for a run even if a stream is called so.")] = False,
    db: Database = None,
    json: Json = False,
) -> None:
    """Show a stream (columns, size, codec, first rows) or a run (streams, failures, seconds per stage)."""
    from scannerpy._cli.jobs import job_facts, print_job

    with open_client(db) as client:
        if name.isdigit() and (job or not client.has_table(name)):
            if json:
                page.as_json(job_facts(client, int(name)))
            else:
                print_job(client, int(name), traceback=traceback)
            return
        table = client.table(name)
        if not table.exists():
            raise ScannerException(
                f"there is no stream called {name!r}; `scanner ls` lists them, `scanner ls --jobs` runs"
            )
        if json:
            page.as_json(_table_facts(client, table))
        else:
            _print_table(client, table, rows)


def _table_facts(client: Client, table: Table) -> dict[str, Any]:
    from scannerpy._cli.columns import column_facts

    record = table._known()
    source = record.source
    return {
        "name": record.name,
        "id": record.id,
        "committed": record.committed,
        "rows": record.rows if record.committed else None,
        "created": record.created,
        "job": record.job_id,
        "source": None if source is None else {"path": source.path, "size": source.size, "in_place": source.inplace},
        "columns": [column_facts(client, record, column) for column in record.columns],
    }


def _print_table(client: Client, table: Table, rows: int) -> None:
    facts = _table_facts(client, table)
    state = page.plural(facts["rows"], "row") if facts["committed"] else "not committed"
    page.say(f"{facts['name']}: table {facts['id']}, {state}")
    page.facts(_whence(client, facts))
    for column in facts["columns"]:
        page.say(f"\n{column['name']}")
        page.facts(_described(column))
        if facts["committed"] and column["kind"] != "row numbers":
            _print_elements(table.column(column["name"]), min(rows, facts["rows"]))
    if not facts["committed"] and facts["job"] is not None:
        page.say(f"\n`scanner show {facts['job']}` says what became of the run that makes it.")


def _whence(client: Client, facts: dict[str, Any]) -> list[tuple[str, object]]:
    source = facts["source"]
    pairs: list[tuple[str, object]] = [("made", page.moment(facts["created"]))]
    if source is not None:
        how = "read in place" if source["in_place"] else "copied"
        return [*pairs, ("from", f"{source['path']} ({page.size(source['size'])}, {how})")]
    if facts["job"] is None:
        return [*pairs, ("by", "new_table")]
    from scannerpy._client.reports import job_report

    record = job_report(client._database, facts["job"]).record
    program = f", {record.origin.script}" if record is not None and record.origin.script else ""
    return [*pairs, ("by", f"job {facts['job']}{program}")]


def _described(column: dict[str, Any]) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = [
        ("holds", column["kind"] + (f" of type {column['type']}" if column["type"] else ""))
    ]
    if "size" in column:
        pairs.append(("on disk", f"{page.size(column['size'])} in {page.plural(column['chunks'], 'chunk')}"))
    if "codec" in column:
        pairs += [
            ("video", f"{column['codec']}, {column['width']} × {column['height']}, {column['fps']:.6g} fps"),
            ("lasts", page.seconds(column["duration"])),
            ("keyframes", f"{column['keyframes']:,}"),
        ]
    return pairs


def _print_elements(column: Any, count: int) -> None:
    import scannerpy.ops  # noqa: F401  # registers the types that stored streams may have

    for row, element in enumerate(column.load(rows=list(range(count)))):
        page.say(f"  {row:>6}  {_brief(element)}")


def _brief(element: Any) -> str:
    """Describe a value in one line: arrays by shape and type, everything else by its own short form."""
    if hasattr(element, "shape") and element.size > 16:
        return f"{element.dtype} array of {' × '.join(map(str, element.shape))}"
    text = " ".join(repr(element).split())
    return text if len(text) <= 100 else f"{text[:97]}…"
