"""Days and times as one says them on the command line, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

HELP = "UTC: 2026-11-01, 2026-11-01T12:30, today, yesterday, or 7d for seven days ago"
_BACK = {"h": "hours", "d": "days", "w": "weeks"}
_MINUTES = {"": 1, "m": 1, "h": 60, "d": 24 * 60}


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


def minutes_of(said: str | int) -> int:
    """Return minutes, said as 90, 90m, 2h or 1d. Raises BadParameter."""
    found = re.fullmatch("([0-9]{1,7})(m|h|d|)", str(said).strip().lower())
    if found is None or not int(found[1]):
        raise typer.BadParameter(f"it is a number of minutes, or a span such as 2h; not {said!r}")
    return int(found[1]) * _MINUTES[found[2]]


def idle_minutes(said: str | int) -> int:
    """Return minutes, or -1 for "never". Raises BadParameter."""
    if str(said).strip().lower() in {"never", "-1"}:
        return -1
    try:
        return minutes_of(said)
    except typer.BadParameter:
        raise typer.BadParameter(f'it is a number of minutes, a span such as 2h, or "never"; not {said!r}') from None


def seconds(time: datetime | None) -> int:
    """Return unix seconds; 0 for no time."""
    return int(time.timestamp()) if time else 0
