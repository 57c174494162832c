"""A running machine: the supervisor that makes its disk, keeps its program running and tells how it stands.

    python -m puddle.server.clouds.local.machine FOLDER

It takes its orders from the card in its folder, which it looks at twice a second, and at once on SIGHUP; SIGTERM lets
it end. It outlives the server. One thread, and few imports: there is one of these for every machine.
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

from puddle.server.clouds.local import papers
from puddle.server.clouds.local.keeper import CONSOLE, Keeper
from puddle.server.clouds.local.limits import ControlGroup, find_own_group, share_cpus
from puddle.server.clouds.local.papers import ENDED, GONE, MAKING, RUNNING, UP, Card, State
from puddle.server.clouds.local.processes import adopt_orphans, end_marked, get_loose, me, say_ready
from puddle.server.clouds.local.trees import copy_tree, throw_away

TICK = 0.5


class OtherOrders(Exception):
    """The machine is not to come up any more."""


class Supervisor:
    """One run of a machine, from its start until it is stopped."""

    def __init__(self, folder: Path, card: Card) -> None:
        self._folder = folder
        self._card = card
        self._state = State(who=me(), phase=MAKING, since=time.time(), token=card.token)
        self._signals = Signals()
        self._keeper: Keeper | None = None
        self._group: ControlGroup | None = None
        self._beaten = 0.0

    def run(self, ready: Callable[[], None]) -> None:
        """Live."""
        self._tell(MAKING)
        ready()
        with suppress(OtherOrders):
            self._come_up()
            while True:
                self._look()
                self._signals.wait(TICK)
        self._go_down()

    # up

    def _come_up(self) -> None:
        end_marked(self._folder)
        self._group = ControlGroup.make(find_own_group(), self._card)
        if self._group is None:
            share_cpus(self._card)
        try:
            self._make_disk()
        except (OSError, RecursionError) as error:
            self._tell(MAKING, failure=f"its disk could not be made: {error}")
            self._wait_for_other_orders()
        self._serve()

    def _make_disk(self) -> None:
        disk, part = self._folder / "disk", self._folder / "disk.part"
        if disk.is_dir():
            return
        throw_away(part, self._trash())  # a copy that was cut short
        if self._card.source_snapshot_id:
            source = self._root() / "snapshots" / self._card.source_snapshot_id / "disk"
            copy_tree(source, part, self._still_wanted, self._card.disk_gb << 30)
        else:
            part.mkdir(mode=0o700)
        part.rename(disk)

    def _serve(self) -> None:
        self._keeper = Keeper(self._folder, self._card, self._group, time.monotonic)
        self._tell(RUNNING)

    def _wait_for_other_orders(self) -> None:
        while True:
            self._still_wanted()
            self._signals.wait(TICK)

    # at each look

    def _look(self) -> None:
        self._still_wanted()
        self._reboot_if_asked()
        if self._keeper is not None:
            self._keeper.turn()
            if self._keeper.trouble != self._state.failure:
                self._tell(RUNNING, failure=self._keeper.trouble)

    def _still_wanted(self) -> None:
        """Leave a sign of life. Raises OtherOrders where the machine is to go down."""
        now = time.monotonic()
        if now < self._beaten + TICK and not self._signals.taken():
            return
        self._beaten = now
        card = Card.read(self._folder)
        if card is None or card.wish != UP or self._signals.to_end:
            raise OtherOrders
        self._card = card
        papers.beat(self._folder)

    def _reboot_if_asked(self) -> None:
        if self._card.token == self._state.token:
            return
        self._tell(MAKING)
        if self._keeper is not None:
            self._keeper.end()
        self._state = replace(self._state, token=self._card.token)
        self._serve()

    # down

    def _go_down(self) -> None:
        if self._keeper is not None:
            self._keeper.end()
        if self._group is not None:
            self._group.remove()
        self._tell(ENDED)
        card = Card.read(self._folder)
        if card is not None and card.wish == GONE:
            throw_away(self._folder, self._trash())

    def _tell(self, phase: str, failure: str = "") -> None:
        since = self._state.since if phase == self._state.phase else time.time()
        self._state = replace(self._state, phase=phase, since=since, failure=failure)
        with suppress(FileNotFoundError):  # the folder was removed under us, which ends us
            self._state.write(self._folder)

    def _root(self) -> Path:
        return self._folder.parents[1]

    def _trash(self) -> Path:
        return self._root() / "trash"


class Signals:
    """Signals that wake us, and what they ask for."""

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
    """Supervise the machine in `folder`, unless somebody does."""
    telling = get_loose(folder, CONSOLE)
    adopt_orphans()
    card = Card.read(folder)
    if card is not None:
        Supervisor(folder, card).run(lambda: say_ready(telling))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
