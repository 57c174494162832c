"""The memory cap of a worker: bounds of its queues, and how many rows a step may have.

A quarter of the cap may wait between load and evaluate, a quarter between evaluate and save, and the rest is for what
the three stages hold in hand: one *step* each. So a step gets an eighth. How many rows that is depends on how large
elements are: readers tell or are measured, and what ops add on top is guessed at first and then learned from the
largest step seen. Only a single row (with the window or state it needs) larger than that cannot be made to fit.
"""

from __future__ import annotations

import numpy as np

from scannerpy._words.elements import Element

DEFAULT_CAP = 256 << 20
SMALLEST_CAP = 1 << 20
BEST_STEP = 32 << 20
"""Larger steps than this gain nothing: what one stage leaves in the caches the next one finds there only if small."""


class Memory:
    """The bounds of one worker, and what it has learned about the graph at hand."""

    def __init__(self, cap: int = DEFAULT_CAP, growth: float = 1.0) -> None:
        cap = max(cap, SMALLEST_CAP)
        self.queue_bound = cap // 4
        self.step_bound = min(cap // 8, BEST_STEP)
        self._growth = growth

    def step_rows(self, work_packet_size: int, source_bytes_per_row: float) -> int:
        """How many sink rows a step should move, given the source bytes each of them needs."""
        per_row = source_bytes_per_row * self._growth
        if per_row <= 0:
            return work_packet_size
        return max(1, min(work_packet_size, int(self.step_bound / per_row)))

    def learn(self, source_bytes: int, held_bytes: int) -> None:
        """A step that took `source_bytes` from its sources held `held_bytes` at its fullest."""
        if source_bytes > 0:
            self._growth = max(1.0, held_bytes / source_bytes)


def size_of(element: Element | None) -> int:
    """The bytes an element holds in memory."""
    if isinstance(element, np.ndarray):
        return element.nbytes
    return len(element) if isinstance(element, bytes) else 0


def size_of_all(elements: list[Element]) -> int:
    """The bytes many elements of one column hold: exact for blobs; frames of one column are taken to be equal."""
    first = next((e for e in elements if isinstance(e, np.ndarray)), None)
    if first is not None:
        return first.nbytes * len(elements)
    return sum(map(size_of, elements))
