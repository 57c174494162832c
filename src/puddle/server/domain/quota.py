"""Quotas: what users, groups and the whole installation may have at once, and spend in a month.

Pure: the caller reads the usage in the same transaction in which it writes the wish, so that two wishes cannot both
take the last place. Only more of something is ever refused: whoever is over a limit that was lowered may stop, and go
on with what runs (the reconciler ends it where the budget is used up).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from fractions import Fraction

from puddle.server.domain.cost import HOUR, MICROS
from puddle.server.domain.people import Limits
from puddle.server.domain.states import Refusal

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What somebody has: systems (terminated ones do not count), how many of them hold compute units, and how many.

    `spent` since the month began, in millionths × seconds as in `cost`; of a group: by all its members.
    """

    systems: int = 0
    running: int = 0
    cu: int = 0
    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a wish takes in addition. `amount`: what it will cost at the very least, in millionths × seconds.

    An hour at its price is a good `amount` for a system that is to run, the minutes added for an extension.
    """

    systems: int = 0
    running: int = 0
    cu: int = 0
    amount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody whose limits count for a wish. `whose`: "you", "ada", "group research"."""

    whose: str
    used: Usage
    limits: Limits


def check(wanted: Wanted, holders: Iterable[Holder]) -> Refusal | None:
    """Return why `holders` together may not have that, or None: of all limits in the way, the one with least left."""
    short = [one for holder in holders for one in _shortages(wanted, holder)]
    return min(short, key=lambda one: one.left).refusal if short else None


def check_pool(consumed: int, wanted: int, pool: int, sentence: str = "") -> Refusal | None:
    """Return why the installation has not so many compute units left, or None. `pool` 0: it has no limit.

    `sentence` is what administrators want their users to read then.
    """
    if not pool or not wanted or consumed + wanted <= pool:
        return None
    left = max(0, pool - consumed)
    told = sentence or "the installation has too few compute units left; stop a system, or try again later"
    return Refusal("out_of_cu", f"{told} ({left} of {pool} compute units are left, this needs {wanted})")


def used_up(spent: int, limits: Limits) -> bool:
    """Return whether a budget is spent (in millionths × seconds): what runs on it has to stop."""
    return bool(limits.budget_micros) and spent >= limits.budget_micros * HOUR


def month_start(now: int) -> int:
    """Return when the calendar month (UTC) of `now` began; both in unix seconds."""
    first = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int(first.timestamp())


@dataclass(frozen=True, slots=True)
class _Short:
    """A limit in the way, and which part of it is left."""

    left: Fraction
    refusal: Refusal


def _shortages(wanted: Wanted, holder: Holder) -> Iterator[_Short]:
    used, limits = holder.used, holder.limits
    have = f"{holder.whose} {'have' if holder.whose == 'you' else 'has'}"
    if _over(used.systems, wanted.systems, limits.systems):
        sentence = f"{have} {used.systems} of {limits.systems} systems; terminate one first"
        yield _short(used.systems, limits.systems, "quota", sentence)
    if _over(used.running, wanted.running, limits.running):
        sentence = f"{have} {used.running} of {limits.running} running systems; stop one first"
        yield _short(used.running, limits.running, "quota", sentence)
    if _over(used.cu, wanted.cu, limits.cu):
        left = f"{have} {max(0, limits.cu - used.cu)} of {limits.cu} compute units left, and this needs {wanted.cu}"
        stop = "stop a system first, or " if wanted.cu <= limits.cu else ""
        yield _short(used.cu, limits.cu, "quota", f"{left}; {stop}take a smaller instance type")
    if _unaffordable(used, wanted, limits):
        yield _short(used.spent, limits.budget_micros * HOUR, "budget", _poor(have, used, wanted, limits))


def _over(used: int, wanted: int, limit: int) -> bool:
    return limit > 0 and wanted > 0 and used + wanted > limit


def _unaffordable(used: Usage, wanted: Wanted, limits: Limits) -> bool:
    """Whether it costs something, and a budget has not that much left. To run at all needs something left."""
    costs = max(wanted.amount, 1 if wanted.running > 0 else 0)
    return _over(used.spent, costs, limits.budget_micros * HOUR)


def _poor(have: str, used: Usage, wanted: Wanted, limits: Limits) -> str:
    budget = limits.budget_micros * HOUR
    left = _shown(max(0, budget - used.spent), ROUND_DOWN)
    needs = f", and this needs {_shown(wanted.amount, ROUND_UP)} at least" if wanted.amount else ""
    return f"{have} {left} of {_shown(budget, ROUND_DOWN)} left this month{needs}; ask an administrator for more"


def _short(used: int, limit: int, reason: str, sentence: str) -> _Short:
    return _Short(Fraction(max(0, limit - used), limit), Refusal(reason, sentence))


def _shown(amount: int, rounding: str) -> str:
    return str((Decimal(amount) / (MICROS * HOUR)).quantize(_CENT, rounding))
