"""Files that are whole or not there, locks between processes, and folders that nobody leads us out of."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

MAX_TAIL = 256 << 10
MAX_READ = 16 << 20
"""No larger file of a machine is read into the server."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Put a document in the place of the one that is there, at once, for our user only."""
    with folder_below(path.parent, ()) as folder:
        write_in(folder, path.name, json.dumps(value).encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """Return a document, or None where there is none (any more)."""
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found


@contextmanager
def folder_below(root: Path, parts: tuple[str, ...], *, make: bool = False) -> Iterator[int]:
    """Have a folder open, reached without following a link (an OSError), made where `make`."""
    here = os.open(root, _FOLDER)
    try:
        for part in parts:
            below = _step(here, part, make=make)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def _step(here: int, part: str, *, make: bool) -> int:
    if make:
        with suppress(FileExistsError):
            os.mkdir(part, 0o700, dir_fd=here)
    return os.open(part, _FOLDER, dir_fd=here)


def write_in(folder: int, name: str, content: bytes) -> None:
    """Put a file into an open folder, whole or not at all, and on the disk."""
    part = f".{name[:200]}.{os.getpid()}-{threading.get_ident()}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(part, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        _forget(folder, part)
        raise
    os.fsync(folder)


def _forget(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def read_in(folder: int, name: str) -> bytes:
    """Return a plain file of an open folder. Raises OSError where it is anything else, or larger than `MAX_READ`."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(handle, "rb") as file:
        _plain(handle, name)
        content = file.read(MAX_READ + 1)
    if len(content) > MAX_READ:
        raise OSError(f"{name} is larger than {MAX_READ >> 20} MiB")
    return content


def _plain(handle: int, name: str) -> os.stat_result:
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{name} is not a plain file")
    return found


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Have a lock, which the system takes from us if we die; wait for it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def lock_for_life(path: Path) -> bool:
    """Take a lock until this process ends; False where somebody has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    return True


def tail(path: Path, lines: int) -> str:
    """Return the last lines of a file, of its last `MAX_TAIL` bytes; empty where there is none.

    Raises OSError where it is a link, or anything else that is no plain file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    with os.fdopen(handle, "rb") as file:
        file.seek(max(0, _plain(handle, path.name).st_size - MAX_TAIL))
        text = file.read(MAX_TAIL).decode(errors="replace")
    return "".join(text.splitlines(keepends=True)[-lines:]) if lines > 0 else ""
