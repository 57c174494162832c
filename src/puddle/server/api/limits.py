"""Enforcing quotas: read and decided in the transaction that writes the wish.

`Transaction.lock("limits")` makes such transactions follow one another, so that two cannot both take the last place.
"""

from __future__ import annotations

from dataclasses import replace

from puddle.server.domain import quota
from puddle.server.domain.people import User
from puddle.server.domain.quota import Holder, Usage, Wanted
from puddle.server.domain.rules import Rules
from puddle.server.errors import Exceeded
from puddle.server.store import Transaction


def reserve(tx: Transaction, rules: Rules, owner: User, wanted: Wanted, now: int) -> None:
    """Check that `owner` may have `wanted` in addition. Raises Exceeded, which says what is left."""
    tx.lock("limits")
    consumed = tx.systems.consumed()
    refusal = quota.check_pool(consumed, wanted.cu, rules.cu_pool, rules.out_of_cu)
    refusal = refusal or quota.check(wanted, holders(tx, owner, now))
    if refusal:
        raise Exceeded(refusal.sentence, refusal.reason)


def allow_size(tx: Transaction, rules: Rules, owner: User, wanted: Wanted, now: int) -> None:
    """Check that a stopped system may become so large. Raises Exceeded where it could never be started.

    Nothing is reserved, which is for the start. `wanted`: what the size takes where it is more than before, else 0.
    """
    tx.lock("limits")
    refusal = quota.check_pool(0, wanted.cu, rules.cu_pool, rules.out_of_cu)
    alone = [replace(holder, used=Usage(spent=holder.used.spent)) for holder in holders(tx, owner, now)]
    refusal = refusal or quota.check(wanted, alone)
    if refusal:
        raise Exceeded(refusal.sentence, refusal.reason)


def holders(tx: Transaction, owner: User, now: int) -> list[Holder]:
    """Return those whose limits count for an owner, with what they have: the owner, and the groups they are in."""
    found = [Holder(whose="you", used=usage(tx, [owner.id], now), limits=owner.limits)]
    for name in owner.groups:
        group = tx.groups.get(name)
        if group is not None:
            members = tx.users.ids_in(name)
            found.append(Holder(whose=f"group {name}", used=usage(tx, members, now), limits=group.limits))
    return found


def usages(tx: Transaction, owner_ids: list[str], now: int) -> dict[str, Usage]:
    """Return what each of these owners has, and spent since the month began (UTC)."""
    held = tx.systems.held_by_each(owner_ids)
    spent = tx.sessions.spent_by_each(owner_ids, quota.month_start(now), now)
    return {it: _usage(held.get(it, (0, 0, 0)), spent[it]) for it in owner_ids}


def usage(tx: Transaction, owner_ids: list[str], now: int) -> Usage:
    """Return what these owners have together, and spent since the month began (UTC)."""
    return _usage(tx.systems.held_by(owner_ids), tx.sessions.spent(owner_ids, quota.month_start(now), now))


def _usage(held: tuple[int, int, int], spent: int) -> Usage:
    systems, running, units = held
    return Usage(systems=systems, running=running, cu=units, spent=spent)
