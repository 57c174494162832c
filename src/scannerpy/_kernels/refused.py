"""How the parts of the kernel host tell it that a value is wrong, before it knows which rows are at hand."""

from __future__ import annotations


class Refused(Exception):  # named for what happened; never leaves the package
    """A value that an op was given or returned is not what the column holds; the text completes "… returned"."""
