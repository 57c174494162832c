"""Folders as a whole: copied, measured, removed; links in them are copied or removed, never followed."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from puddle.server.clouds.local.files import folder_below

_CLONE = 0x40049409  # FICLONE: file systems that can share the blocks of a copy do
_CHUNK = 1 << 20


def copy_tree(source: Path, target: Path, beat: Callable[[], None]) -> None:
    """Copy what is in a folder into a new one, and wait until it is on the disk.

    `beat` is called again and again meanwhile, and may raise. Sockets and the like are left out; what is removed while
    we copy is left out too.
    """
    target.mkdir(mode=0o700)
    with folder_below(source, ()) as here, folder_below(target, ()) as there:
        _copy_folder(here, there, beat)


def _copy_folder(here: int, there: int, beat: Callable[[], None]) -> None:
    with os.scandir(here) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        beat()
        with suppress(FileNotFoundError):
            _copy_entry(here, there, name, beat)
    os.fsync(there)


def _copy_entry(here: int, there: int, name: str, beat: Callable[[], None]) -> None:
    mode = os.stat(name, dir_fd=here, follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(name, dir_fd=here), name, dir_fd=there)
    elif stat.S_ISDIR(mode):
        _copy_below(here, there, name, beat)
    elif stat.S_ISREG(mode):
        _copy_file(here, there, name, mode & 0o700 | 0o600, beat)


def _copy_below(here: int, there: int, name: str, beat: Callable[[], None]) -> None:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    below = os.open(name, flags, dir_fd=here)
    try:
        os.mkdir(name, 0o700, dir_fd=there)
        copy = os.open(name, flags, dir_fd=there)
        try:
            _copy_folder(below, copy, beat)
        finally:
            os.close(copy)
    finally:
        os.close(below)


def _copy_file(here: int, there: int, name: str, mode: int, beat: Callable[[], None]) -> None:
    reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
    with os.fdopen(reading, "rb", buffering=0) as source:
        writing = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=there)
        with os.fdopen(writing, "wb") as target:
            if not _cloned(reading, writing):
                while chunk := source.read(_CHUNK):
                    target.write(chunk)
                    beat()
            target.flush()
            os.fsync(writing)


def _cloned(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, _CLONE, source)
    except OSError:
        return False
    return True


def used(folder: Path) -> int:
    """Return how many bytes of the disk are used by what is in a folder."""
    total = 0
    with suppress(FileNotFoundError, PermissionError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    total += used(Path(entry.path))
    return total


def throw_away(folder: Path, trash: Path) -> None:
    """Remove a folder: at once out of sight, then bit by bit. Nothing where it is not there."""
    put_away(folder, trash)
    empty(trash)


def put_away(folder: Path, trash: Path) -> None:
    """Move a folder into the trash. Raises OSError where it is a link; what a link in it leads to stays."""
    if folder.is_symlink():
        raise OSError(f"{folder} is a link")
    with suppress(FileNotFoundError):
        folder.rename(trash / f"{folder.name}.{os.getpid()}.{time.monotonic_ns()}")


def empty(trash: Path) -> None:
    """Remove what is in the trash, also what others left there when they were killed."""
    for path in trash.iterdir():
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            continue  # somebody else removes it too
        except PermissionError:
            _open_up(path)
            shutil.rmtree(path, ignore_errors=True)


def _open_up(folder: Path) -> None:
    folder.chmod(0o700)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _open_up(Path(entry.path))
