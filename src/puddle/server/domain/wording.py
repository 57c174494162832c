"""Pluralization."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """Return "1 minute", "2 minutes"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
