"""Keeps the service of one machine running: the product's program. Runs in the machine's supervisor.

What is to run is read from service.json, how it stands is written to serving.json. A program that ends is started
again after 2, 4, 8… seconds, at most a minute; one that was ended because it used too much is not, until it is asked
for anew.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from puddle.server.clouds.local.files import read_json, write_json
from puddle.server.clouds.local.limits import ControlGroup, Watch
from puddle.server.clouds.local.processes import MARK, descendants, die_with_parent
from puddle.server.clouds.local.spec import Spec

SERVICE, SERVING, CONSOLE = "service.json", "serving.json", "console.log"
FIRST_WAIT, LONGEST_WAIT = 2.0, 60.0
_CONSOLE_MAX, _CONSOLE_KEPT = 16 << 20, 1 << 20


class ServiceRunner:
    """One machine's service. `clock`: monotonic seconds. `trouble`: the limit it exceeded, or empty."""

    def __init__(self, folder: Path, spec: Spec, group: ControlGroup | None, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._spec = spec
        self._group = group
        self._clock = clock
        self._watch = Watch(folder / "disk", spec, group, clock)
        self._order: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._wait = FIRST_WAIT
        self._due: float | None = None
        self.trouble = ""
        (folder / SERVING).unlink(missing_ok=True)

    def turn(self) -> None:
        """Do what is due: start, stop, reap, and enforce limits."""
        self.reap()
        self._apply_order()
        if self._process is None and self._due is not None and self._clock() >= self._due:
            self._start()
        if self._process is not None:
            self._hold_to_limits()
        self._keep_console_small()

    def end(self) -> None:
        """End all processes of the machine: SIGTERM, and SIGKILL after the grace period."""
        self._due = None
        self._signal_all(signal.SIGTERM)
        deadline = self._clock() + self._spec.grace
        while self._left() and self._clock() < deadline:
            _nap()
        while self._left():
            self._signal_all(signal.SIGKILL)
            _nap()

    # what is asked for

    def _apply_order(self) -> None:
        order = read_json(self._folder / SERVICE)
        if order is None or order["asked"] == self._order.get("asked"):
            return
        same = self._process is not None and order["token"] == self._order["token"]
        self._order = order
        if same:
            self._report(None)
            return
        if self._process is not None:
            self.end()
        self.trouble, self._wait, self._due = "", FIRST_WAIT, self._clock()

    def _start(self) -> None:
        self._due = None
        self.trouble = self._watch.disk()
        if self.trouble:
            self._log(self.trouble)
            return self._report(None, running=False)
        command = [self._expanded(word) for word in self._order["command"]]
        self._log(f"starting {Path(command[0]).name}")
        self._started = self._clock()
        try:
            self._process = self._spawn(command)
        except (OSError, subprocess.SubprocessError) as error:
            self._log(f"it cannot be started: {error}")
            return self._ended(127)
        return self._report(None)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self._folder / CONSOLE).open("ab") as console:
            return subprocess.Popen(
                command,
                cwd=self._folder / "disk",
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                umask=0o077,
                process_group=0,
                preexec_fn=self._in_child,  # noqa: PLW1509 - this process has one thread
            )

    def _in_child(self) -> None:
        die_with_parent()
        if self._group is not None:
            self._group.enter()

    def _environment(self) -> dict[str, str]:
        given = {name: self._expanded(value) for name, value in self._order["environment"].items()}
        base = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._folder / "disk"), "LANG": "C.UTF-8"}
        return {**base, **given, MARK: str(self._folder)}

    def _expanded(self, word: str) -> str:
        image = self._folder.parents[1] / "images" / self._spec.image_id / "files"
        return word.replace("{disk}", str(self._folder / "disk")).replace("{image}", str(image))

    # what becomes of it

    def reap(self) -> None:
        """Reap what has ended: the program, and orphans it left to us."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if self._process is not None and pid == self._process.pid:
                    self._process.returncode = os.waitstatus_to_exitcode(status)
                    self._ended(self._process.returncode)

    def _ended(self, exit_code: int) -> None:
        self._process = None
        self._log(f"it ended with {exit_code}")
        self._report(exit_code, running=False)
        if self._clock() - self._started > LONGEST_WAIT:
            self._wait = FIRST_WAIT
        self._due = self._clock() + self._wait
        self._wait = min(LONGEST_WAIT, 2 * self._wait)

    def _hold_to_limits(self) -> None:
        trouble = self._watch.trouble()
        if trouble:
            self._log(f"it is ended: {trouble}")
            self.trouble = trouble
            self.end()
            self._due = None

    def _left(self) -> bool:
        self.reap()
        self._due = None
        return next(descendants(os.getpid()), None) is not None

    def _signal_all(self, what: signal.Signals) -> None:
        for pid in list(descendants(os.getpid())):
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    # what is told

    def _report(self, exit_code: int | None, *, running: bool = True) -> None:
        said = {"token": self._order["token"], "asked": self._order["asked"], "running": running}
        with suppress(FileNotFoundError):  # the machine's folder was removed under us: we end with the next look
            write_json(self._folder / SERVING, {**said, "exit_code": exit_code})

    def _log(self, line: str) -> None:
        os.write(1, f"puddle: {line}\n".encode())

    def _keep_console_small(self) -> None:
        if os.fstat(1).st_size > _CONSOLE_MAX:
            with (self._folder / CONSOLE).open("rb+") as console:
                console.seek(-_CONSOLE_KEPT, os.SEEK_END)
                (self._folder / f"{CONSOLE}.1").write_bytes(console.read())
                console.truncate(0)


def _nap() -> None:
    time.sleep(0.02)
