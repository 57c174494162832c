"""Reading many files at once, none of which may hold up the others: who is stuck on one is left or ended.

A few daemon threads take files from one queue. Each has a heartbeat (`_words.heartbeat`) while its file is read, and
whoever waits for the answers monitors them. A thread that was silent for too long is given up: its file gets the answer
that says so, and a fresh thread takes its place.

A thread that is stuck in a system call or inside FFmpeg cannot be ended, so it is left: it ends by itself with its next
beat, if that ever comes, or else with the program. What is read in another process (`readers`) ends with that.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from scannerpy._words.heartbeat import Counters, GivenUp, Heartbeat, Monitor

if TYPE_CHECKING:
    from scannerpy._video.ingest import Ingested
    from scannerpy.errors import IngestError

    Answer = Ingested | IngestError

LOOK_SECONDS = 1.0
"""How often heartbeats are looked at while no answer comes in."""
LEAVE_SECONDS = 5.0
"""How long threads that are told to leave are waited for: they do so at their next beat."""

File = tuple[str, bool]
"""A path, and whether it is to be read in place."""


class FileReader(Protocol):
    """Reads the files of one thread, one after the other. `counters` are those of the heartbeat that beats."""

    heartbeat: Heartbeat

    @property
    def counters(self) -> Counters:
        """Looked at from another thread."""

    def read(self, file: File) -> Answer:
        """Read a file. Raises GivenUp where nobody waits for it any more."""

    def end(self) -> None:
        """End what can be ended; called from another thread."""


@dataclass(frozen=True, slots=True)
class Raised:
    """What reading a file raised, to be raised again by whoever waits for its answer."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class _Queues:
    """What threads take from and put to. Numbers are never used again, so that a late answer is known for one."""

    files: queue.SimpleQueue[tuple[int, File] | None]
    answers: queue.SimpleQueue[tuple[int, Answer | Raised]]


class _WatchedThread:
    """A thread, and the file it is at."""

    def __init__(self, reader: FileReader, queues: _Queues, now: float) -> None:
        self.reader = reader
        self.at: tuple[int, File] | None = None
        self._given_up_at: int | None = None
        self._queues = queues
        self._counters = reader.counters
        self._monitor = Monitor(self._counters, now)
        self.thread = threading.Thread(target=self._go, name="scanner-ingest", daemon=True)
        self.thread.start()

    def silent(self, now: float) -> float:
        """How long its file has given no sign of life."""
        if self._counters is not self.reader.counters:  # another process reads from now on
            self._counters = self.reader.counters
            self._monitor = Monitor(self._counters, now)
        return self._monitor.silent(now)

    def give_up(self, number: int | None = None) -> None:
        """Nobody waits for the file of that number any more; is it at another by now, that is handed back."""
        self._given_up_at = number
        self.reader.heartbeat.given_up = True
        self.reader.end()

    def _go(self) -> None:
        while (at := self._queues.files.get()) is not None:
            self.at = at
            answer: Answer | Raised
            try:
                answer = self.reader.read(at[1])
            except GivenUp:
                return self._hand_back(at)
            except BaseException as error:  # noqa: BLE001  # raised where answers are taken
                answer = Raised(error)
            if self.reader.heartbeat.given_up:
                return self._hand_back(at)
            self.at = None
            self._queues.answers.put((at[0], answer))
        return None

    def _hand_back(self, at: tuple[int, File]) -> None:
        if at[0] != self._given_up_at:
            self._queues.files.put(at)


class WatchedThreads:
    """Threads that read files. A context manager: leaving it ends them."""

    def __init__(
        self,
        new_reader: Callable[[], FileReader],
        count: int,
        limit: float,
        stuck: Callable[[str], Answer],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit`: seconds without a sign of life after which ``stuck(path)`` is a file's answer; 0: none."""
        self._new_reader = new_reader
        self._count = count
        self._limit = limit
        self._stuck = stuck
        self._now = now
        self._threads: list[_WatchedThread] = []
        self._queues = _Queues(queue.SimpleQueue(), queue.SimpleQueue())
        self._given = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(queue.Empty):
            while True:
                self._queues.files.get_nowait()
        for each in self._threads:  # those too that seem idle: they may just have taken a file
            self._queues.files.put(None)
            each.give_up()
        deadline = time.monotonic() + LEAVE_SECONDS
        for each in self._threads:
            each.thread.join(max(0.0, deadline - time.monotonic()))

    def each(self, files: Sequence[File]) -> Iterator[Answer]:
        """Yield the answer for each file, in order; raise at once what reading any of them raised."""
        numbers = range(self._given, self._given + len(files))
        self._given = numbers.stop
        for task in zip(numbers, files, strict=True):
            self._queues.files.put(task)
        while len(self._threads) < min(self._count, len(files)):
            self._threads.append(self._fresh())
        found: dict[int, Answer] = {}
        for number in numbers:
            while number not in found:
                self._wait(found)
            yield found[number]

    def _fresh(self) -> _WatchedThread:
        return _WatchedThread(self._new_reader(), self._queues, self._now())

    def _wait(self, found: dict[int, Answer]) -> None:
        with suppress(queue.Empty):
            number, answer = self._queues.answers.get(timeout=LOOK_SECONDS if self._limit else None)
            if isinstance(answer, Raised):
                raise answer.error
            found.setdefault(number, answer)  # what was given up may have come to its end all the same
        now = self._now()
        for place, each in enumerate(self._threads if self._limit else ()):
            if each.silent(now) > self._limit and (at := each.at) is not None:
                number, (path, _) = at
                each.give_up(number)
                self._threads[place] = self._fresh()
                found.setdefault(number, self._stuck(path))
