"""Whose something unfinished is, told by its name: so that what the dead left is cleared away, and nothing else.

A name carries an `owner()`: a word for this machine since it was started (or this container, if we are in one), and the
process. Of a process of this machine anybody can tell whether it lives. Of any other nothing is known; what it left is
taken for abandoned once it was not touched for `STRANGE_SECONDS`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import socket
import time
from functools import lru_cache
from pathlib import Path

STRANGE_SECONDS = 7 * 24 * 3600
_OWNER = re.compile(r"m([0-9a-f]{12})p([0-9]+)b([0-9]*)")


def owner() -> str:
    """The word for this process: letters and digits."""
    pid = os.getpid()
    return f"m{_machine()}p{pid}b{born(pid)}"


def lives(name: str) -> bool | None:
    """Whether the owner that stands in a name lives; None where that cannot be told."""
    found = _OWNER.search(name)
    if found is None or found[1] != _machine():
        return None
    return process_lives(int(found[2]), found[3])


def is_abandoned(name: str, touched: float) -> bool:
    """Whether nobody works any more on what has this name and was last changed at `touched`."""
    alive = lives(name)
    return not alive if alive is not None else touched < time.time() - STRANGE_SECONDS


def process_lives(pid: int, since: str) -> bool:
    """Whether the process of this machine that had `pid` when it was `born` still lives."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return born(pid) == since


def born(pid: int) -> str:
    """When a process was started, as the kernel counts; "" where it does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def sweep(folder: Path, pattern: str) -> int:
    """Remove what is abandoned of the files and folders that match `pattern`; how many went. Raises nothing."""
    gone = 0
    with contextlib.suppress(OSError):  # no such folder
        for path in list(folder.glob(pattern)):
            with contextlib.suppress(OSError):  # another process sweeps too, or it is another user's
                if is_abandoned(path.name, path.lstat().st_mtime):
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
                    gone += 1
    return gone


@lru_cache(maxsize=1)
def _machine() -> str:
    """A word for this machine since it was started, or this container: wherever process numbers mean the same."""
    parts = [socket.gethostname(), _line("/proc/sys/kernel/random/boot_id")]
    with contextlib.suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=6).hexdigest()


def _line(file: str) -> str:
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except OSError:
        return ""
