"""The error of a failed op: op and line, rows, reason, and the user's own stack frames."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from types import TracebackType

from scannerpy.errors import KernelError, ScannerException

_OURS = "scannerpy._kernels"


class InvalidValue(Exception):  # internal: `kernel_error` makes a KernelError of it
    """A value that an op was given or returned does not fit the column; raised where the rows are not known yet.

    The text completes the sentence "op … returned …".
    """


def kernel_error(label: str, doing: str, rows: Sequence[int], error: BaseException) -> KernelError:
    """Describe `error`, raised while op `label` was `doing` something ("" for executing) with `rows`."""
    place = f" at {spell_rows(rows)}" if len(rows) else ""
    if isinstance(error, InvalidValue):
        cause = error.__cause__
        reason = f"{error}" + (f": {_one_line(cause)}" if cause is not None else "")
        text = "" if cause is None or isinstance(cause, ScannerException) else _users_frames(cause)
        head = f"{label}{place} {reason}"
    else:
        text = _users_frames(error)
        head = f"{label} failed{doing and f' in {doing}'}{place}: {_one_line(error)}"
    message = f"{head}\n{text}" if text else head
    return KernelError(message, op=label, rows=tuple(int(row) for row in rows), traceback=text)


def _one_line(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip() if not str(error) else _named(error)


def _named(error: BaseException) -> str:
    return str(error) if isinstance(error, ScannerException) else f"{type(error).__name__}: {error}"


def _users_frames(error: BaseException) -> str:
    frames: TracebackType | None = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals.get("__name__", "").startswith(_OURS):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames)).rstrip()


def spell_rows(rows: Sequence[int]) -> str:
    """``row 7``, ``rows 7–15`` or ``rows 7, 9, 30``; a long list is cut in its middle."""
    numbers = [int(row) for row in rows]
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"rows {numbers[0]}–{numbers[-1]}"
    shown = numbers if len(numbers) <= 8 else [*numbers[:4], "…", *numbers[-3:]]
    return f"rows {', '.join(map(str, shown))}"
