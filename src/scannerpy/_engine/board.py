"""The status board of a worker: which task, op and rows each stage is working on, and how many rows are saved.

In a worker process it lies in memory shared with the parent, so it can be read after the process has died: that is how
a crash is attributed to the right task, op and rows without a message per step. Its 64-bit words are written one by
one, so what the parent reads may be torn; it is only ever shown or counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from scannerpy._engine.states import TaskId

STAGES = ("load", "evaluate", "save")
_WIDTH = 6
WORDS = _WIDTH * len(STAGES) + 1
"""How many 64-bit words a board takes."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What a stage is working on: rows [first, last] of vertex number `vertex`."""

    stage: str
    task: TaskId
    vertex: int
    rows: tuple[int, int]


class StatusBoard:
    """A view of the shared words. One writer per stage."""

    def __init__(self, words: memoryview[int] | None = None) -> None:
        self._words: list[int] | memoryview[int] = [0] * WORDS if words is None else words

    def enter(self, stage: int, task: TaskId, vertex: int, first: int, last: int) -> None:
        """Stage number `stage` begins these rows of a vertex."""
        words, base = self._words, stage * _WIDTH
        words[base + 1] = task.job
        words[base + 2] = task.number
        words[base + 3] = vertex
        words[base + 4] = first
        words[base + 5] = last
        words[base] = 1

    def leave(self, stage: int) -> None:
        """The stage is idle."""
        self._words[stage * _WIDTH] = 0

    def add_rows(self, rows: int) -> None:
        """Count rows that a running task has saved; a negative number takes them back when the task ends."""
        self._words[WORDS - 1] += rows

    def clear(self) -> None:
        """Forget everything, before a new run."""
        for i in range(WORDS):
            self._words[i] = 0

    @property
    def rows_running(self) -> int:
        """Rows saved by tasks that have not ended."""
        return self._words[WORDS - 1]

    def busy(self) -> list[Activity]:
        """The stages at work, the likeliest to have crashed first: evaluate, load, save."""
        return [at for stage in (1, 0, 2) if (at := self._at(stage)) is not None]

    def _at(self, stage: int) -> Activity | None:
        busy, job, number, vertex, first, last = list(self._words[stage * _WIDTH : (stage + 1) * _WIDTH])
        return Activity(STAGES[stage], TaskId(job, number), vertex, (first, last)) if busy else None
