"""The records of tables and jobs in the catalog, and their JSON form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ColumnRecord:
    """A column: its name, whether it holds frames, and the registered name of its values' type ("" for plain bytes)."""

    name: str
    is_video: bool
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """The file an ingested table came from, as it was then. `content` is a digest of its bytes."""

    path: str
    size: int
    mtime_ns: int
    content: str
    inplace: bool


@dataclass(frozen=True, slots=True)
class TableRecord:
    """One table. Its bytes count from the moment it is `committed`.

    A `hidden` table waits to replace the visible one of its name and is found by id only; its commit does both at once.
    `key` names the folder its chunks stand in (`layout`), `manifest` is what `manifest.read_manifest` takes.
    """

    id: int
    name: str
    columns: tuple[ColumnRecord, ...]
    rows: int
    committed: bool
    job_id: int | None
    key: str
    manifest: str
    source: SourceRecord | None
    created: float
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One call of `run`. `outcome` is "" while it runs, then a word of the engine's (``finished``, ``failed``, …)."""

    id: int
    name: str
    created: float
    ended: float | None = None
    outcome: str = ""


def table_to_json(table: TableRecord) -> list[Any]:
    """A compact list: there may be a million of them."""
    source = table.source
    return [
        table.id,
        table.name,
        [[column.name, column.is_video, column.type_name] for column in table.columns],
        table.rows,
        table.committed,
        table.job_id,
        table.key,
        table.manifest,
        source and [source.path, source.size, source.mtime_ns, source.content, source.inplace],
        table.created,
        table.hidden,
    ]


def table_from_json(fields: list[Any]) -> TableRecord:
    """The inverse of `table_to_json`."""
    table_id, name, columns, rows, committed, job_id, key, manifest, source, created, hidden = fields
    return TableRecord(
        table_id,
        name,
        tuple([ColumnRecord(*column) for column in columns]),
        rows,
        committed,
        job_id,
        key,
        manifest,
        SourceRecord(*source) if source else None,
        created,
        hidden,
    )


def job_to_json(job: JobRecord) -> list[Any]:
    """A compact list."""
    return [job.id, job.name, job.created, job.ended, job.outcome]
