"""Which rows the demo looks at: pure arithmetic on shots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shot:
    """Rows [start, end) between two cuts; numbered from 1."""

    number: int
    start: int
    end: int

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.end - self.start


def shots_between(boundaries: Sequence[int], rows: int) -> list[Shot]:
    """Return the shots of a clip of `rows` rows that is cut before each of `boundaries`."""
    edges = [0, *boundaries, rows]
    return [Shot(i + 1, edges[i], edges[i + 1]) for i in range(len(edges) - 1)]


def key_rows(shots: Sequence[Shot], count: int) -> list[int]:
    """Choose at most `count` rows that show a clip best: every shot at least once where that is possible, long shots
    more often, evenly within each. Ascending, without duplicates.
    """
    if len(shots) >= count:
        chosen = [shots[(2 * i + 1) * len(shots) // (2 * count)] for i in range(count)]
        return [shot.start + shot.rows // 2 for shot in chosen]
    shares = [1] * len(shots)
    for _ in range(count - len(shots)):
        longest = max(range(len(shots)), key=lambda i: shots[i].rows / shares[i])
        shares[longest] += 1
    rows = {
        shot.start + (2 * i + 1) * shot.rows // (2 * share)
        for shot, share in zip(shots, shares, strict=True)
        for i in range(share)
    }
    return sorted(rows)


def middle(shots: Sequence[Shot], rows: int) -> tuple[int, int]:
    """Return the range of at most `rows` rows in the middle of the longest shot."""
    longest = max(shots, key=lambda shot: shot.rows)
    spare = max(0, longest.rows - rows)
    return longest.start + spare // 2, longest.start + spare // 2 + min(rows, longest.rows)
