"""A slate each worker keeps up to date: what each stage is at, and how far running tasks have come.

In a worker process it lies in memory shared with the parent, so it can be read after the process has died: that is how
a crash is blamed on the right task, op and rows without sending a message per step. Words are written one by one and
may be torn at the moment of death; the reader only ever shows or counts them.
"""

from __future__ import annotations

from dataclasses import dataclass

from scannerpy._engine.states import TaskId

STAGES = ("load", "evaluate", "save")
_WIDTH = 6
WORDS = _WIDTH * len(STAGES) + 1
"""How many 64-bit words a board takes."""


@dataclass(frozen=True, slots=True)
class At:
    """What a stage is at: rows [first, last] of vertex number `vertex`."""

    stage: str
    task: TaskId
    vertex: int
    rows: tuple[int, int]


class Board:
    """Views of the words. One writer per stage."""

    def __init__(self, words: memoryview[int] | None = None) -> None:
        self._words: list[int] | memoryview[int] = [0] * WORDS if words is None else words

    def enter(self, stage: int, task: TaskId, vertex: int, first: int, last: int) -> None:
        """Stage number `stage` turns to these rows of a vertex."""
        words, base = self._words, stage * _WIDTH
        words[base + 1] = task.job
        words[base + 2] = task.number
        words[base + 3] = vertex
        words[base + 4] = first
        words[base + 5] = last
        words[base] = 1

    def leave(self, stage: int) -> None:
        """The stage waits."""
        self._words[stage * _WIDTH] = 0

    def add_rows(self, rows: int) -> None:
        """Rows of a running task are through; a negative number takes back what a task that ended had added."""
        self._words[WORDS - 1] += rows

    def clear(self) -> None:
        """Forget everything, before a new run."""
        for i in range(WORDS):
            self._words[i] = 0

    @property
    def rows_running(self) -> int:
        """Rows that are through, of tasks that have not ended."""
        return self._words[WORDS - 1]

    def busy(self) -> list[At]:
        """The stages at work, the likeliest to kill a worker first: evaluate, load, save."""
        return [at for stage in (1, 0, 2) if (at := self._at(stage)) is not None]

    def _at(self, stage: int) -> At | None:
        busy, job, number, vertex, first, last = list(self._words[stage * _WIDTH : (stage + 1) * _WIDTH])
        return At(STAGES[stage], TaskId(job, number), vertex, (first, last)) if busy else None
