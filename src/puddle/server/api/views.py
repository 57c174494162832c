"""A system as people see it: the record, and all that follows from it at this moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from puddle.server.auth.secrets import PASSWORD, Keyring
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
    """A system as `caller` may see it at `now`. Costs are in millionths × seconds (see `domain.cost`).

    `own`: the caller is its owner, and nobody else sees its password. What takes time is only worked out when asked.
    """

    system: System
    owner_name: str
    instance_type: InstanceType
    snapshots: tuple[Snapshot, ...]
    auth_type: str
    own: bool
    can_fail: bool
    actions: tuple[Action, ...]
    now: int
    keyring: Keyring

    @property
    def password(self) -> str:
        """The product's password; empty for others than the owner."""
        return password(self.keyring, self.system) if self.own else ""

    @property
    def current_cost(self) -> int:
        """What the open session has run up so far."""
        return current_cost(self.system, self.now)

    @property
    def previous_cost(self) -> int:
        """What all earlier sessions cost."""
        return self.system.spent

    @property
    def idle_deadline(self) -> int:
        """When it is stopped unless it is used; 0: never."""
        return self.system.idle_deadline()

    @property
    def why(self) -> tuple[str, ...]:
        """Why it is on, and when it will stop."""
        return activity.why_on(self.system, self.now)


def views(backend: Backend, tx: Transaction, caller: Caller, seen: Iterable[Seen]) -> list[SystemView]:
    """Return systems as `caller` may see them."""
    all_seen = list(seen)
    copied = [each.system.id for each in all_seen if each.system.snapshots_taken]
    snapshots: dict[str, list[Snapshot]] = {}
    for snapshot in tx.snapshots.of_systems(copied) if copied else ():
        snapshots.setdefault(snapshot.system_id, []).append(snapshot)
    now = backend.now()
    return [_view(backend, caller, each, tuple(snapshots.get(each.system.id, ())), now) for each in all_seen]


def _view(backend: Backend, caller: Caller, seen: Seen, snapshots: tuple[Snapshot, ...], now: int) -> SystemView:
    system = seen.system
    product = backend.products.get(system.product)
    return SystemView(
        system=system,
        owner_name=seen.owner_name,
        instance_type=seen.instance_type,
        snapshots=snapshots,
        auth_type=product.auth_type if product else "",
        own=caller.user.id == system.owner_id,
        can_fail=caller.admin and system.status in MAY_BE_FAILED,
        actions=_actions(
            system.status,
            system.provisioned,
            bool(product and product.restartable),
            bool(system.machine_id),
            caller.admin,
        ),
        now=now,
        keyring=backend.keyring,
    )


def password(keyring: Keyring, system: System) -> str:
    """Return the product's password in clear; empty where there is none (any more)."""
    return keyring.decrypt(system.secret, PASSWORD, system.id) if system.secret else ""


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
