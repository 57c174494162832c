"""Object paths of the database; no other module builds them.

A `key` names everything one job or one ingested file stored. Tables of the same key share it (the same video under two
names), and when the last of them is deleted the folder can go (`release`).
"""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from scannerpy._store.objects import Objects
from scannerpy._store.state import State

LONGEST_NAME = 100


def key_folder(key: str) -> str:
    """All that was stored under a key."""
    return f"data/{key}"


def column_folder(key: str, column: str) -> str:
    """The chunks of one column: list it to find the finished tasks."""
    name = quote(column, safe="", errors="surrogatepass")
    if len(name) > LONGEST_NAME:
        name = hashlib.blake2b(column.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{key_folder(key)}/c-{name}"


def chunk_path(key: str, column: str, task: int) -> str:
    """The chunk of task number `task` of a column."""
    return f"{column_folder(key, column)}/{task:08d}"


def job_folder(job_id: int) -> str:
    """What a run leaves besides tables: its trace, its failure report."""
    return f"jobs/{job_id:08d}"


def release(objects: Objects, before: State, after: State) -> int:
    """Delete the data of tables that were in `before` and whose keys no table of `after` has; how many objects went.

    Call after the deletion is in the log. A reader of these tables gets ObjectMissing.
    """
    kept = {table.key for table in after.tables.values()}
    gone = {table.key for table in before.tables.values()} - kept - {""}
    paths = [path for key in sorted(gone) for path, _ in objects.list(key_folder(key))]
    objects.delete(paths)
    return len(paths)
