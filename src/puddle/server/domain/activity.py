"""Why a system is on, and when it will stop: the sentences its owner reads."""

from __future__ import annotations

from datetime import UTC, datetime

from puddle.server.domain.records import NEVER, System
from puddle.server.domain.states import Status
from puddle.server.domain.wording import counted

ENDED = "PRODUCT_ENDED"
"""The reason of a started system whose program has ended."""


def why_on(system: System, now: int) -> tuple[str, ...]:
    """Return why a started system is on and when it will stop; nothing of one that is not started."""
    if system.status is not Status.STARTED:
        return ()
    return tuple(sentence for sentence in (_use(system, now), _extension(system, now), _end(system, now)) if sentence)


def _use(system: System, now: int) -> str:
    if system.reason == ENDED:
        return "its product has ended, so nobody can use it"
    if system.missed_probes:
        tries = counted(system.missed_probes, "time")
        return f"it could not be asked whether it is used (tried {tries}), which counts as use"
    if system.busy:
        told = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in system.signals)
        return f"it is at work now ({told})" if told else "it is at work now"
    if system.last_activity <= system.started:
        return f"nobody has used it since it became ready, {_span(max(0, now - system.started))} ago"
    return f"it was last used {_span(max(0, now - system.last_activity))} ago"


def _extension(system: System, now: int) -> str:
    return f"it is kept on until {_clock(system.extended)}" if system.extended > now else ""


def _end(system: System, now: int) -> str:
    if system.idle_minutes == NEVER:
        return "it is never stopped for idleness"
    if system.missed_probes:
        return "it is not stopped while that is so"
    if system.busy:
        return f"it is stopped when it was not used for {counted(system.idle_minutes, 'minute')} after that"
    left = system.idle_deadline() - now
    unless = "it comes back and is used" if system.reason == ENDED else "it is used"
    if left <= 0:
        return "it is stopped as soon as it is not in use"
    return f"unless {unless}, it is stopped in {_span(left)}, at {_clock(system.idle_deadline())}"


def _span(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _clock(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")
