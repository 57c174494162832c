"""Processes of this machine: their identity, memory and descendants, how they are killed, and how they are daemonized.

A process is identified by its pid, its start time (in ticks since the boot) and the boot together. Pids alone are
reused sooner or later.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from puddle.server.clouds.base import StepFailed
from puddle.server.clouds.local.files import lock_for_life

MARK = "PUDDLE_MACHINE"
"""The environment variable that all processes of a machine carry: the machine's folder."""

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, told apart from later ones with the same pid."""

    pid: int = 0
    ticks: int = 0
    boot: str = ""

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.pid > 0 and self.boot == boot_id() and self.ticks == _ticks(self.pid)

    def send(self, what: signal.Signals) -> None:
        """Send it a signal; nothing where it has ended. No other process can receive it."""
        with held(self.pid) as handle:
            if handle is not None and self.alive():  # looked at while we hold it: from here on the id is its own
                _signal(handle, what)


NO_PROCESS = ProcessIdentity()


@contextmanager
def held(pid: int) -> Iterator[int | None]:
    """Have a handle of the process that has an id now; None where there is none (any more)."""
    try:
        handle = os.pidfd_open(pid) if pid > 0 else None
    except OSError as error:
        # The second is what Linux before 6.15 says of the first process of a session that goes on without it.
        if error.errno not in {errno.ESRCH, errno.EINVAL}:
            raise
        handle = None
    try:
        yield handle
    finally:
        if handle is not None:
            os.close(handle)


def _signal(handle: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, what)


def this_process() -> ProcessIdentity:
    """Return the identity of this process."""
    return ProcessIdentity(os.getpid(), _ticks(os.getpid()) or 0, boot_id())


def boot_id() -> str:
    """Return the id of the current boot."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _ticks(pid: int) -> int | None:
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def descendants(pid: int) -> Iterator[int]:
    """Yield the children of a process, and theirs."""
    waiting = [pid]
    while waiting:
        found = _children(waiting.pop())
        yield from found
        waiting += found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in (_PROC / str(pid) / "task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def resident(pid: int) -> int:
    """Return how many bytes of memory a process holds, those it shares included; 0 where it has ended."""
    try:
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def kill_marked(folder: Path) -> None:
    """Kill the processes that a dead supervisor of this machine has left behind, found by `MARK`."""
    mark = f"{MARK}={folder}".encode()
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            _kill_if_marked(entry, mark)


def _kill_if_marked(entry: Path, mark: bytes) -> None:
    with held(int(entry.name)) as handle:
        if handle is not None and mark in _environment(entry):  # read while we hold it, as `ProcessIdentity.send` does
            _signal(handle, signal.SIGKILL)


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []  # it has ended, or is not ours


def adopt_orphans() -> None:
    """Become the subreaper of our descendants, so that no orphan escapes."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Be killed when our parent ends, however it ends."""
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _prctl(what: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(what, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


# Daemons, which outlive the process that launches them.


def launch(module: str, folder: Path) -> None:
    """Run a module of this package as a daemon; return when it is ready.

    It gets no environment but the path. Raises StepFailed where it does not start.
    """
    root = Path(__file__).parents[4]
    name = module.rpartition(".")[2]
    try:
        done = _run(module, folder, root)
    except (OSError, subprocess.SubprocessError) as error:
        raise StepFailed("UNREACHABLE", f"the {name} of {folder} could not be started: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise StepFailed("UNREACHABLE", f"the {name} of {folder} did not start: {said or 'see its console'}")


def _run(module: str, folder: Path, root: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-S", "-s", "-P", "-m", module, str(folder)],
        env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONPATH": str(root)},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )


def daemonize(folder: Path, console: str) -> int:
    """Go on as a daemon, the only one for `folder`; return the pipe to pass to `say_ready`.

    The launching process waits until then, or until we exit. Where another daemon has the folder, exit with success.
    """
    os.umask(0o077)
    if not lock_for_life(folder / "run.lock"):
        sys.exit(0)
    waiting, telling = os.pipe()
    if os.fork():
        os.close(telling)
        os._exit(0 if os.read(waiting, 1) else 1)
    os.close(waiting)
    os.setsid()
    _point(0, os.open(os.devnull, os.O_RDONLY))
    _point(1, os.open(folder / console, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600))
    os.dup2(1, 2)
    return telling


def _point(standard: int, at: int) -> None:
    os.dup2(at, standard)
    os.close(at)


def say_ready(telling: int) -> None:
    """Let the launching process go on."""
    with suppress(BrokenPipeError):
        os.write(telling, b"1")
    os.close(telling)
