"""On which terms a decision is made: sizes and prices of the system's instance type, the rules, and the budget left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog

from puddle.server.domain.catalog import InstanceType
from puddle.server.domain.people import Limits
from puddle.server.domain.quota import month_start, used_up
from puddle.server.domain.records import System
from puddle.server.domain.rules import Rules
from puddle.server.domain.states import Status
from puddle.server.reconcile.decision import Terms
from puddle.server.store import Transaction

_log = structlog.get_logger(__name__)
_ASKED_EVERY = 10
"""Seconds for which the answer about a budget holds."""


def terms_of(system: System, types: Mapping[str, InstanceType], rules: Rules, *, budget_left: bool) -> Terms:
    """Return the terms of a system. Where its type was removed, which the API refuses, it costs nothing."""
    kind, target = types.get(system.instance_type_id), types.get(system.target_type_id)
    if kind is None and system.status is not Status.TERMINATED:
        _log.error("instance_type_missing", system_id=system.id, instance_type_id=system.instance_type_id)
    return Terms(
        price_micros=kind.price_micros if kind else 0,
        cloud_type=kind.cloud_name if kind else "",
        cu=kind.cu if kind else 1,
        target_cloud_type=target.cloud_name if target else "",
        budget_left=budget_left,
        patience_initializing=rules.patience_initializing_s,
        patience=rules.patience_s,
        soon=rules.soon_s,
        probe_every=rules.probe_every_s,
        look_every=rules.look_every_s,
        idle_warning=rules.idle_warning_s,
    )


class Budgets:
    """Whether owners have something left of their budgets, and of those of their groups; asked every few seconds."""

    def __init__(self) -> None:
        self._asked = -_ASKED_EVERY
        self._users: dict[str, bool] = {}
        self._groups: dict[str, bool] = {}

    def left(self, tx: Transaction, owner_id: str, now: int) -> bool:
        """Return whether what this owner has may go on running. Where there is no budget there is always some left."""
        if not 0 <= now - self._asked < _ASKED_EVERY:
            self._asked, self._users, self._groups = now, {}, {}
        return _once(self._users, owner_id, lambda: self._user(tx, owner_id, now))

    def _user(self, tx: Transaction, owner_id: str, now: int) -> bool:
        user = tx.users.get(owner_id)
        if user is None:
            return True
        if _used_up(tx, user.limits, [owner_id], now):
            return False
        return all(self._group_once(tx, name, now) for name in user.groups)

    def _group_once(self, tx: Transaction, name: str, now: int) -> bool:
        return _once(self._groups, name, lambda: self._group(tx, name, now))

    @staticmethod
    def _group(tx: Transaction, name: str, now: int) -> bool:
        group = tx.groups.get(name)
        if group is None or not group.limits.budget_micros:
            return True
        return not _used_up(tx, group.limits, tx.users.ids_in(name), now)


def _used_up(tx: Transaction, limits: Limits, owner_ids: Sequence[str], now: int) -> bool:
    if not limits.budget_micros:
        return False  # as `used_up` says, but without asking the database
    return used_up(tx.sessions.spent(owner_ids, month_start(now), now), limits)


def _once(known: dict[str, bool], key: str, ask: Callable[[], bool]) -> bool:
    if key not in known:
        known[key] = ask()
    return known[key]
