"""Options that several commands share: ``--db`` and ``--json``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scannerpy.errors import ScannerException

if TYPE_CHECKING:
    from scannerpy.client import Client

DATABASE_VARIABLE = "SCANNER_DB_PATH"

Database = Annotated[
    Path | None,
    typer.Option("--db", help="The database's folder, rather than that of ~/.scanner/config.toml.", metavar="FOLDER"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a machine to read.")]
PROGRAM = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
"""For commands that take a program: what follows it is the program's own."""


def open_client(db: Path | None, *, make: bool = False) -> Client:
    """Return a client of a database. One that is not there is an error, unless it is to be made."""
    from scannerpy.client import Client
    from scannerpy.config import Config

    config = Config(db_path=None if db is None else str(db))
    on_disk = config.storage_config.get("type") == "posix"
    if on_disk and not make and not (Path(config.db_path) / "scanner.json").is_file():
        raise ScannerException(
            f"there is no database at {config.db_path}: give the folder a program stored its results in with --db, or "
            "make one with `scanner ingest`"
        )
    return Client(config=config)


def use_database(db: Path | None) -> None:
    """Have programs that do not name a database themselves use this one."""
    if db is not None:
        os.environ[DATABASE_VARIABLE] = str(db.absolute())


def job_number(client: Client, job: str) -> int:
    """Return the number of a run, given itself or the name of a stream it made."""
    if job.isdigit():
        return int(job)
    return client._job_of(job)
