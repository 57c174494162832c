"""Folders as a whole: copied, measured, removed; links in them are copied or removed, never followed.

What is in them was put there by strangers' programs: a file that is nearly all hole, or has a thousand names, costs no
more in the copy than it did, and nothing here gets lost in folders that lie thousands deep.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from puddle.server.clouds.local.files import folder_below

_CLONE = 0x40049409  # FICLONE: file systems that can share the blocks of a copy do
_CHUNK = 1 << 20
_BLOCK = 512

Spend = Callable[[int], None]


def copy_tree(source: Path, target: Path, beat: Callable[[], None], most: int) -> None:
    """Copy what is in a folder into a new one, and wait until it is on the disk. Raises OSError.

    `beat` is called again and again meanwhile, and may raise. More than `most` bytes are not written. Sockets and the
    like are left out; what is removed while we copy is left out too.
    """
    spend = _purse(beat, most)
    if used(source) > most:  # which costs nothing yet; while we copy it may still grow
        spend(most + 1)
    target.mkdir(mode=0o700)
    with folder_below(source, ()) as here, folder_below(target, ()) as there:
        _copy_folder(here, there, spend)


def _purse(beat: Callable[[], None], most: int) -> Spend:
    left = most

    def spend(size: int) -> None:
        nonlocal left
        beat()
        left -= size
        if left < 0:
            raise OSError(errno.EDQUOT, f"more lies on it than its {most >> 30} GiB")

    return spend


def _copy_folder(here: int, there: int, spend: Spend) -> None:
    with os.scandir(here) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        spend(0)
        with suppress(FileNotFoundError):
            _copy_entry(here, there, name, spend)
    os.fsync(there)


def _copy_entry(here: int, there: int, name: str, spend: Spend) -> None:
    mode = os.stat(name, dir_fd=here, follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(name, dir_fd=here), name, dir_fd=there)
    elif stat.S_ISDIR(mode):
        _copy_below(here, there, name, spend)
    elif stat.S_ISREG(mode):
        _copy_file(here, there, name, mode & 0o700 | 0o600, spend)


def _copy_below(here: int, there: int, name: str, spend: Spend) -> None:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    below = os.open(name, flags, dir_fd=here)
    try:
        os.mkdir(name, 0o700, dir_fd=there)
        copy = os.open(name, flags, dir_fd=there)
        try:
            _copy_folder(below, copy, spend)
        finally:
            os.close(copy)
    finally:
        os.close(below)


def _copy_file(here: int, there: int, name: str, mode: int, spend: Spend) -> None:
    reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
    try:
        found = os.fstat(reading)
        spend(found.st_blocks * _BLOCK)
        writing = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=there)
        try:
            if not _cloned(reading, writing):
                _copy_data(reading, writing, found.st_size, spend)
            os.fsync(writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _copy_data(reading: int, writing: int, size: int, spend: Spend) -> None:
    """Copy as much of a file as there was when we came to it; its holes stay holes."""
    os.ftruncate(writing, size)
    for start, end in _stretches(reading, size):
        while start < end and (chunk := os.pread(reading, min(_CHUNK, end - start), start)):
            start += os.pwrite(writing, chunk, start)  # noqa: PLW2901 -- we go along the stretch
            spend(0)


def _stretches(handle: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield where there is data in a file."""
    at = 0
    while at < size:
        try:
            start = os.lseek(handle, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # there is only a hole left
                raise
            return
        at = min(size, os.lseek(handle, start, os.SEEK_HOLE))
        yield start, at


def _cloned(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, _CLONE, source)
    except OSError:
        return False
    return True


def used(folder: Path) -> int:
    """Return how many bytes of the disk are used by what is in a folder. Raises OSError where a path is too long."""
    total, waiting = 0, [folder]
    while waiting:
        with suppress(FileNotFoundError, PermissionError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    total += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
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
        _moved(folder, trash, folder.name)


def _moved(folder: Path, trash: Path, name: str) -> Path:
    return folder.rename(trash / f"{name}.{os.getpid()}.{time.monotonic_ns()}")


def empty(trash: Path) -> None:
    """Remove what is in the trash, also what others left there when they were killed.

    What cannot be removed (it is being written to, or is not ours) stays for the next time, and in nobody's way.
    """
    for path in list(trash.iterdir()):
        with suppress(OSError):
            _clear(path, trash)


def _clear(folder: Path, trash: Path) -> None:
    """Remove a folder. Those in it are moved up into the trash before their turn comes, so none is too deep."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        with suppress(FileNotFoundError):  # somebody else removes it too
            waiting += _emptied(here, trash)
            here.rmdir()


def _emptied(folder: Path, trash: Path) -> list[Path]:
    """Remove the files of a folder, and move its folders into the trash; return what they are called there."""
    folder.chmod(0o700)
    with os.scandir(folder) as entries:
        found = list(entries)
    moved = []
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            Path(entry.path).chmod(0o700)  # or else it could not be moved
            moved.append(_moved(Path(entry.path), trash, "part"))
        else:
            Path(entry.path).unlink()
    return moved
