"""Failures of a run, as users see them: one `Failure` per job that was given up, and a report of all of them."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from scannerpy._html import progress
from scannerpy._html.markup import page, sentence
from scannerpy._html.progress import Lost


@dataclass(frozen=True, slots=True)
class TaskError:
    """Why one attempt at a task failed, as a worker tells it. Plain strings, so that it always travels.

    `rows` are the rows of the stream an op or reader was at (inclusive, None where unknown), `op` the label of the
    vertex, `stage` one of load, evaluate, save, setup, worker.
    """

    stage: str
    op: str
    rows: tuple[int, int] | None
    kind: str
    reason: str
    traceback: str

    def __str__(self) -> str:
        if self.op and self.op in self.reason:
            return self.reason
        return f"{_at(self.op, self.rows)}{self.kind}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that was given up.

    stream: the name of its output. rows: the rows (inclusive) that were being computed, where known. rows_kept: how
    many rows of the stream are stored by tasks that finished; a later run goes on from them. rows_lost: the others.
    """

    stream: str
    job: int
    rows: tuple[int, int] | None
    op: str
    reason: str
    traceback: str
    rows_kept: int
    rows_lost: int = 0
    story: str = ""

    def __str__(self) -> str:
        known = self.op and self.op in self.reason
        return f"{self.stream}: {'' if known else _at(self.op, self.rows)}{self.reason}"


class FailureReport(Sequence[Failure]):
    """All failures of a run. Printing it gives a table, then each different traceback once."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        self._failures = tuple(failures)

    @overload
    def __getitem__(self, index: int) -> Failure: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Failure, ...]: ...
    def __getitem__(self, index: int | slice) -> Failure | tuple[Failure, ...]:
        return self._failures[index]

    def __len__(self) -> int:
        return len(self._failures)

    def __iter__(self) -> Iterator[Failure]:
        return iter(self._failures)

    def __repr__(self) -> str:
        return f"FailureReport({len(self)} failures)"

    def __str__(self) -> str:
        if not self._failures:
            return "no failures"
        head = f"{len(self)} stream{'s' * (len(self) != 1)} failed and stay uncommitted:"
        return "\n".join([head, *_table(self._failures), *_tracebacks(self._failures)])

    def _repr_html_(self) -> str:
        return page(progress.failures(lost(self._failures)) if self._failures else sentence("no failures"))


def lost(failures: Sequence[Failure]) -> list[Lost]:
    """Return failures as a page shows them."""
    return [Lost(f.stream, _at(f.op, f.rows).removesuffix(": ") or "–", f.reason, f.traceback) for f in failures]


def error_from(stage: str, op: str, rows: tuple[int, int] | None, error: BaseException) -> TaskError:
    """Describe an exception. Errors that carry their own rows and op (KernelError) are believed over the caller."""
    op = getattr(error, "op", "") or op
    own_rows = getattr(error, "rows", None)
    if isinstance(own_rows, (tuple, list)) and own_rows:
        rows = (int(min(own_rows)), int(max(own_rows)))
    text = getattr(error, "traceback", None)
    if not isinstance(text, str):
        text = "".join(traceback.format_exception(error))
    reason = str(error).removesuffix(text).strip() or "(no message)"
    return TaskError(stage, op, rows, type(error).__name__, reason, text)


def _at(op: str, rows: tuple[int, int] | None) -> str:
    where = ", ".join(part for part in (op and f"op {op}", rows and _rows(rows)) if part)
    return f"{where}: " if where else ""


def _rows(rows: tuple[int, int]) -> str:
    return f"row {rows[0]}" if rows[0] == rows[1] else f"rows {rows[0]}–{rows[1]}"


def _table(failures: Sequence[Failure]) -> list[str]:
    titles = ("stream", "rows", "op", "reason", "rows kept")
    cells = [
        (f.stream, _rows(f.rows) if f.rows else "–", f.op or "–", _one_line(f.reason), str(f.rows_kept))
        for f in failures
    ]
    widths = [max(len(row[i]) for row in [titles, *cells]) for i in range(len(titles))]
    return ["  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in [titles, *cells]]


def _one_line(reason: str, limit: int = 100) -> str:
    lines = reason.strip().splitlines() or [""]
    line = lines[0]
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _tracebacks(failures: Sequence[Failure]) -> Iterator[str]:
    seen: dict[str, list[str]] = {}
    for failure in failures:
        if failure.traceback:
            seen.setdefault(failure.traceback.rstrip(), []).append(failure.stream)
    for text, streams in seen.items():
        names = ", ".join(streams[:3]) + (f" and {len(streams) - 3} more" if len(streams) > 3 else "")
        yield f"\n{names}:\n{text}"
