"""A running machine: the supervisor that makes its disk, keeps its service running and reports its status.

    python -m puddle.server.clouds.local.machine FOLDER

It does what the spec in its folder says, which it reads twice a second, and at once on SIGHUP; SIGTERM stops it. It
outlives the server. One thread, and few imports: there is one of these for every machine.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from puddle.server.clouds.local.limits import ControlGroup, find_own_group, share_cpus
from puddle.server.clouds.local.processes import adopt_orphans, daemonize, kill_marked, say_ready, this_process
from puddle.server.clouds.local.service import CONSOLE, ServiceRunner
from puddle.server.clouds.local.spec import ENDED, GONE, MAKING, RUNNING, UP, Spec, Status, beat
from puddle.server.clouds.local.trees import copy_tree, throw_away

TICK = 0.5


class NoLongerWanted(Exception):
    """The machine is to go down."""


class Supervisor:
    """One run of a machine, from its start until it is stopped."""

    def __init__(self, folder: Path, spec: Spec) -> None:
        self._folder = folder
        self._spec = spec
        self._status = Status(who=this_process(), phase=MAKING, since=time.time(), token=spec.token)
        self._signals = Signals()
        self._runner: ServiceRunner | None = None
        self._group: ControlGroup | None = None
        self._beaten = 0.0

    def run(self, ready: Callable[[], None]) -> None:
        """Bring the machine up, supervise it, and take it down. `ready` is called once it is on its way up."""
        self._report(MAKING)
        ready()
        with suppress(NoLongerWanted):
            self._come_up()
            while True:
                self._tick()
                self._signals.wait(TICK)
        self._go_down()

    # up

    def _come_up(self) -> None:
        kill_marked(self._folder)
        self._group = ControlGroup.make(find_own_group(), self._spec)
        if self._group is None:
            share_cpus(self._spec)
        try:
            self._make_disk()
        except (OSError, RecursionError) as error:
            self._report(MAKING, failure=f"its disk could not be made: {error}")
            self._wait_until_unwanted()
        self._serve()

    def _make_disk(self) -> None:
        disk, part = self._folder / "disk", self._folder / "disk.part"
        if disk.is_dir():
            return
        throw_away(part, self._trash())  # a copy that was cut short
        if self._spec.source_snapshot_id:
            source = self._root() / "snapshots" / self._spec.source_snapshot_id / "disk"
            copy_tree(source, part, self._still_wanted, self._spec.disk_gb << 30)
        else:
            part.mkdir(mode=0o700)
        part.rename(disk)

    def _serve(self) -> None:
        self._runner = ServiceRunner(self._folder, self._spec, self._group, time.monotonic)
        self._report(RUNNING)

    def _wait_until_unwanted(self) -> None:
        while True:
            self._still_wanted()
            self._signals.wait(TICK)

    # while it runs

    def _tick(self) -> None:
        self._still_wanted()
        self._reboot_if_asked()
        if self._runner is not None:
            self._runner.turn()
            if self._runner.trouble != self._status.failure:
                self._report(RUNNING, failure=self._runner.trouble)

    def _still_wanted(self) -> None:
        """Write a heartbeat. Raises NoLongerWanted where the machine is to go down."""
        now = time.monotonic()
        if now < self._beaten + TICK and not self._signals.taken():
            return
        self._beaten = now
        spec = Spec.read(self._folder)
        if spec is None or spec.wish != UP or self._signals.to_end:
            raise NoLongerWanted
        self._spec = spec
        beat(self._folder)

    def _reboot_if_asked(self) -> None:
        if self._spec.token == self._status.token:
            return
        self._report(MAKING)
        if self._runner is not None:
            self._runner.end()
        self._status = replace(self._status, token=self._spec.token)
        self._serve()

    # down

    def _go_down(self) -> None:
        if self._runner is not None:
            self._runner.end()
        if self._group is not None:
            self._group.remove()
        self._report(ENDED)
        spec = Spec.read(self._folder)
        if spec is not None and spec.wish == GONE:
            throw_away(self._folder, self._trash())

    def _report(self, phase: str, failure: str = "") -> None:
        since = self._status.since if phase == self._status.phase else time.time()
        self._status = replace(self._status, phase=phase, since=since, failure=failure)
        with suppress(FileNotFoundError):  # the folder was removed under us, which ends us
            self._status.write(self._folder)

    def _root(self) -> Path:
        return self._folder.parents[1]

    def _trash(self) -> Path:
        return self._root() / "trash"


class Signals:
    """Signals that wake the supervisor, and what they ask for."""

    def __init__(self) -> None:
        self._woken, waker = os.pipe()
        for end in (self._woken, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        self.to_end = False
        self._hint = False
        for what in (signal.SIGHUP, signal.SIGCHLD):
            signal.signal(what, self._hinted)
        for what in (signal.SIGTERM, signal.SIGINT):
            signal.signal(what, self._end)

    def wait(self, seconds: float) -> None:
        """Wait for a signal, at most so long."""
        if select.select([self._woken], [], [], seconds)[0]:
            os.read(self._woken, 4096)

    def taken(self) -> bool:
        """Whether a signal came since this was asked last."""
        hint, self._hint = self._hint or self.to_end, False
        return hint

    def _hinted(self, *_signal: object) -> None:
        self._hint = True

    def _end(self, *_signal: object) -> None:
        self.to_end = True


def main(folder: Path) -> None:
    """Supervise the machine in `folder`, unless another supervisor does."""
    telling = daemonize(folder, CONSOLE)
    adopt_orphans()
    spec = Spec.read(folder)
    if spec is not None:
        Supervisor(folder, spec).run(lambda: say_ready(telling))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
