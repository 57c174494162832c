"""Sanitizing what machines print, so that it cannot control the terminal of who reads it."""

from __future__ import annotations

import re

MAX_LINES = 2000
USUAL_LINES = 200
_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_ENDS = re.compile(r"\r\n?")
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_MARK = "\N{REPLACEMENT CHARACTER}"


def readable(text: str) -> str:
    """Return a text without colours, and with a mark for each control character and each half of a character.

    A line that was printed over itself (a progress bar, say) becomes several.
    """
    return _UNFIT.sub(_MARK, _ENDS.sub("\n", _COLOURS.sub("", text)))


def last_lines(text: str, lines: int) -> str:
    """Return the last lines of a text, ends included."""
    return "".join(text.splitlines(keepends=True)[-lines:])
