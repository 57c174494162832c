"""Object paths of the database; no other module builds them.

A `key` names everything one job or one ingested file stored. Tables of the same key share it (the same video under two
names), and when the last of them is deleted the folder can go (`release`).

A key says what is stored (`bare`) and, behind a dot, by whom (`made_by`): so nobody else writes into the same folder.
Who wants what is there already takes the key of a table, and enters a table of that key only while the catalog still
has one. A deletion that comes before that entry makes the work begin anew, under another key; one that comes after it
sees the table and leaves the folder. So what a table refers to is never removed, whoever races.
"""

from __future__ import annotations

import hashlib
import secrets
from urllib.parse import quote

from scannerpy._store.objects import Objects
from scannerpy._store.state import State
from scannerpy._words.owner import owner

LONGEST_NAME = 100


def made_by(content: str, token: str) -> str:
    """The key under which the maker with this `new_token` stores what is named `content`."""
    return f"{content}.{token}"


def bare(key: str) -> str:
    """What is stored under a key, whoever made it."""
    return key.partition(".")[0]


def new_token() -> str:
    """A name for who is about to store something: nobody else has it, and it tells whether its owner lives."""
    return f"{owner()}x{secrets.token_hex(4)}"


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
