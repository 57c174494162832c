"""`scanner ingest`: video files into tables."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scannerpy._cli import page
from scannerpy._cli.options import Database, Json, open_client
from scannerpy.errors import ScannerException

if TYPE_CHECKING:
    from scannerpy.client import Client

VIDEOS = frozenset({
    ".264", ".265", ".3gp", ".asf", ".avi", ".flv", ".gif", ".h264", ".hevc", ".ivf", ".m2ts", ".m4v", ".mj2", ".mkv",
    ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".obu", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m",
})  # fmt: skip
"""What is taken for a video in a folder. A file named by itself is always tried."""
SHOWN = 20


class NameFrom(StrEnum):
    """What a table is called after."""

    stem = "stem"
    name = "name"
    path = "path"


def ingest(
    paths: Annotated[
        list[str], typer.Argument(help="Video files, folders (and all below), quoted patterns.", metavar="PATHS...")
    ],
    inplace: Annotated[
        bool, typer.Option("--inplace", help="Leave the files where they are, and read them there at every run.")
    ] = False,
    name_from: Annotated[
        NameFrom,
        typer.Option("--name-from", help="Name tables after a file's stem (film), name (film.mp4) or path as given."),
    ] = NameFrom.stem,
    force: Annotated[bool, typer.Option("--force", help="Replace tables of that name whose file has changed.")] = False,
    file_timeout: Annotated[
        float | None,
        typer.Option(
            "--file-timeout",
            help="Give a file up when nothing more could be read of it for so many seconds; 0: never. Else 60, or what "
            "the configuration says.",
            show_default=False,
        ),
    ] = None,
    db: Database = None,
    json: Json = False,
) -> None:
    """Make a table of each video. Exits with 1 if a file failed, with 2 if all did."""
    videos = _named(_files(paths), name_from)
    with open_client(db, make=True) as client:
        _check_new(client, [name for name, _ in videos], force=force)
        names, failures = client._ingest.attempt(
            videos, inplace=inplace, force=force, show_progress=True, file_timeout=file_timeout
        )
        tables = [_facts(client, name) for name in (names if json else names[:SHOWN])]
    if json:
        failed = [{"path": path, "reason": reason} for path, reason in failures]
        page.as_json({"tables": tables, "failures": failed})
    else:
        _print(tables, len(names), failures)
    if failures:
        raise typer.Exit(1 if names else 2)


def _files(paths: Sequence[str]) -> list[str]:
    files: dict[str, None] = {}
    for given in paths:
        found = list(_matching(given))
        if not found:
            raise ScannerException(f"{given} is no file and no folder with videos in it, and matches nothing")
        files.update(dict.fromkeys(found))
    return list(files)


def _matching(given: str) -> Iterator[str]:
    """The files one argument means."""
    path = Path(given)
    if path.is_dir():
        yield from sorted(str(file) for file in path.rglob("*") if file.suffix.lower() in VIDEOS and file.is_file())
    elif path.exists() or not glob.has_magic(given):
        yield given
    else:
        for match in sorted(glob.glob(given, recursive=True)):  # noqa: PTH207  # Path.glob takes no absolute pattern
            yield from _matching(match)


def _named(files: Sequence[str], name_from: NameFrom) -> list[tuple[str, str]]:
    """Pair each file with its table's name. Raises ScannerException where two would have the same."""
    owners: dict[str, str] = {}
    for file in files:
        path = Path(file)
        name = {NameFrom.stem: path.stem, NameFrom.name: path.name, NameFrom.path: str(path)}[name_from]
        other = owners.setdefault(name, file)
        if other != file:
            wider = "path" if path.name == Path(other).name else "name"
            raise ScannerException(f"{other} and {file} would both become table {name!r}: use --name-from {wider}")
    return list(owners.items())


def _check_new(client: Client, names: Sequence[str], *, force: bool) -> None:
    known = client._database.catalog.state().names
    taken = [name for name in names if name in known]
    if taken and not force:
        more = f" (and {len(taken) - 1:,} more)" if len(taken) > 1 else ""
        raise ScannerException(
            f"table {taken[0]!r} exists already{more}: --force reads again what has changed and leaves the others"
        )


def _facts(client: Client, name: str) -> dict[str, Any]:
    from scannerpy._cli.columns import column_facts

    record = client.table(name)._known()
    column = next(column for column in record.columns if column.is_video)
    return {
        "name": name,
        "rows": record.rows,
        **{k: v for k, v in column_facts(client, record, column).items() if k != "name"},
    }


def _print(tables: Sequence[dict[str, Any]], made: int, failures: Sequence[tuple[str, str]]) -> None:
    if tables:
        rows = [
            (
                f"{t['rows']:,}", t["codec"], f"{t['width']}×{t['height']}", f"{t['fps']:.5g}",
                page.seconds(t["duration"]), f"{t['keyframes']:,}",
                "in place" if t["in_place"] else page.size(t["size"]), t["name"],
            )
            for t in tables
        ]  # fmt: skip
        headings = ("rows", "codec", "size", "fps", "lasts", "keys", "stored", "table")
        page.table(headings, rows, numbers=("rows", "size", "fps", "lasts", "keys", "stored"))
    if made > len(tables):
        page.say(f"… and {page.plural(made - len(tables), 'more table')}")
    for path, reason in failures:
        page.note(reason if path in reason else f"{path}: {reason}")
    total = page.plural(made + len(failures), "video")
    failed = f", {len(failures):,} could not be read" if failures else ""
    page.say(f"\n{made:,} of {total} ingested{failed}")
