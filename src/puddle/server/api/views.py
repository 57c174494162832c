"""A system as people see it: the record, and all that follows from it at this moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from puddle.server.auth.secrets import PASSWORD
from puddle.server.backend import Backend
from puddle.server.domain import activity, cost
from puddle.server.domain.catalog import InstanceType
from puddle.server.domain.people import Caller
from puddle.server.domain.records import Snapshot, System
from puddle.server.domain.states import MAY_BE_FAILED, Status, Wish, refusal
from puddle.server.store import Transaction
from puddle.server.store.systems import Seen


@dataclass(frozen=True, slots=True)
class Action:
    """What could be asked of a system, and why not where it is refused."""

    name: str
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemView:
    """A system as `caller` may see it. Costs are in millionths × seconds (see `domain.cost`).

    `password` is filled in for the owner alone.
    """

    system: System
    owner_name: str
    instance_type: InstanceType
    snapshots: tuple[Snapshot, ...]
    auth_type: str
    password: str
    current_cost: int
    previous_cost: int
    idle_deadline: int
    can_fail: bool
    actions: tuple[Action, ...]
    why: tuple[str, ...]


def views(backend: Backend, tx: Transaction, caller: Caller, seen: Iterable[Seen]) -> list[SystemView]:
    """Return systems as `caller` may see them."""
    all_seen = list(seen)
    snapshots: dict[str, list[Snapshot]] = {}
    for snapshot in tx.snapshots.of_systems([each.system.id for each in all_seen]):
        snapshots.setdefault(snapshot.system_id, []).append(snapshot)
    now = backend.now()
    return [_view(backend, caller, each, tuple(snapshots.get(each.system.id, ())), now) for each in all_seen]


def _view(backend: Backend, caller: Caller, seen: Seen, snapshots: tuple[Snapshot, ...], now: int) -> SystemView:
    system = seen.system
    product = backend.products.get(system.product)
    owner = caller.user.id == system.owner_id
    return SystemView(
        system=system,
        owner_name=seen.owner_name,
        instance_type=seen.instance_type,
        snapshots=snapshots,
        auth_type=product.auth_type if product else "",
        password=password(backend, system) if owner else "",
        current_cost=current_cost(system, now),
        previous_cost=system.spent,
        idle_deadline=system.idle_deadline(),
        can_fail=caller.admin and system.status in MAY_BE_FAILED,
        actions=_actions(
            system.status,
            system.provisioned,
            bool(product and product.restartable),
            bool(system.machine_id),
            caller.admin,
        ),
        why=activity.why_on(system, now),
    )


def password(backend: Backend, system: System) -> str:
    """Return the product's password in clear; empty where there is none (any more)."""
    return backend.keyring.decrypt(system.secret, PASSWORD, system.id) if system.secret else ""


def current_cost(system: System, now: int) -> int:
    """Return what the open session has run up so far."""
    if not system.session_id:
        return 0
    return cost.Span(system.session_price_micros, system.session_started, max(now, system.session_started)).amount


@cache
def _actions(status: Status, provisioned: bool, restartable: bool, machine: bool, admin: bool) -> tuple[Action, ...]:
    actions = []
    for wish in Wish:
        if wish is Wish.FAIL and not admin:
            continue
        refused = refusal(status, wish, provisioned=provisioned, restartable=restartable, machine=machine)
        actions.append(Action(wish.value, refused is None, refused.sentence if refused else ""))
    return tuple(actions)


def allowed(actions: Iterable[Action]) -> list[str]:
    """Return the names of what may be asked."""
    return [action.name for action in actions if action.allowed]
