"""`Client.summarize` and `Client.has_gpu`: the tables as text, and whether this machine has a GPU."""

from __future__ import annotations

import shutil
import subprocess

from scannerpy._store.catalog import State, TableRecord

_TITLES = ("ID", "NAME", "# ROWS", "COLUMNS", "COMMITTED")


def summary(state: State) -> str:
    """One line per visible table, in order of creation; one sentence for an empty database."""
    tables = sorted((table for table in state.tables.values() if not table.hidden), key=lambda table: table.id)
    if not tables:
        return "The database has no tables."
    lines = [_TITLES, *(_line(table) for table in tables)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_TITLES))]
    text = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([text[0], "-+-".join("-" * width for width in widths), *text[1:]])


def _line(table: TableRecord) -> tuple[str, ...]:
    columns = ", ".join(column.name for column in table.columns)
    return (str(table.id), table.name, str(table.rows), columns, "true" if table.committed else "false")


def has_gpu() -> bool:
    """Whether `nvidia-smi` is there and runs."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    return subprocess.run([tool], capture_output=True, check=False, timeout=20).returncode == 0
