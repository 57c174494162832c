"""Days and times as one says them on the command line, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

HELP = "UTC: 2026-11-01, 2026-11-01T12:30, today, yesterday, or 7d for seven days ago"
_BACK = {"h": "hours", "d": "days", "w": "weeks"}


def moment(said: str) -> datetime:
    """Return what was meant. Raises BadParameter."""
    return parse(said.strip().lower(), datetime.now(UTC))


def parse(said: str, now: datetime) -> datetime:
    """Return the same at a given time. Raises BadParameter."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    words = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if said in words:
        return words[said]
    if back := re.fullmatch("([0-9]{1,4})([hdw])", said):
        return now - timedelta(**{_BACK[back[2]]: int(back[1])})
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        raise typer.BadParameter(f"{said!r} is no time; {HELP}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def seconds(time: datetime | None) -> int:
    """Return unix seconds; 0 for no time."""
    return int(time.timestamp()) if time else 0
