"""A system as a caller may see it: the record, and what is computed from it when it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import structlog

from puddle.server.auth.secrets import PASSWORD, SecretUnreadable
from puddle.server.backend import Backend
from puddle.server.domain import activity, cost
from puddle.server.domain.catalog import InstanceType
from puddle.server.domain.people import Caller
from puddle.server.domain.records import Snapshot, System
from puddle.server.domain.rules import CloudPrices
from puddle.server.domain.states import MAY_BE_FAILED, Status, Wish, refusal
from puddle.server.errors import Precondition
from puddle.server.store import Transaction
from puddle.server.store.systems import Seen

_log = structlog.get_logger(__name__)
_UNREADABLE = (
    "the password cannot be decrypted, since the server has not the master key it was encrypted with; an administrator "
    "puts that key back into the server's file of master keys, below the others, and restarts the server"
)


@dataclass(frozen=True, slots=True)
class Action:
    """What could be asked of a system, and why not where it is refused."""

    name: str
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class SystemView:
    """A system as somebody may see it at a moment; what follows from that is found when it is asked for.

    `mine`: it is the viewer's own. `admin`: they are an administrator. Costs are in millionths × seconds (see
    `domain.cost`).
    """

    seen: Seen
    snapshots: tuple[Snapshot, ...]
    mine: bool
    admin: bool
    now: int
    backend: Backend

    @property
    def system(self) -> System:
        """The record."""
        return self.seen.system

    @property
    def owner_name(self) -> str:
        """The name of its owner."""
        return self.seen.owner_name

    @property
    def instance_type(self) -> InstanceType:
        """The size of its machine."""
        return self.seen.instance_type

    @property
    def auth_type(self) -> str:
        """How people log in to its product."""
        product = self.backend.products.get(self.system.product)
        return product.auth_type if product else ""

    @property
    def password(self) -> str:
        """The product's password in clear; empty for others than the owner, and where it cannot be read."""
        if not self.mine:
            return ""
        try:
            return password(self.backend, self.system)
        except Precondition:
            return ""

    @property
    def current_cost(self) -> int:
        """What the open session has run up so far."""
        return current_cost(self.system, self.now)

    @property
    def previous_cost(self) -> int:
        """What all earlier sessions cost."""
        return self.system.spent

    @property
    def disk_cost(self) -> int:
        """What its disk has cost while its machine was down. Asks the database."""
        return self.backend.store.disk_cost(self.system.id, self.now)

    @property
    def disk_price(self) -> int:
        """What its disk costs an hour, in millionths: nothing while its machine is up, or there is none."""
        prices = self.backend.rules.prices.get(self.system.cloud, CloudPrices())
        return self.system.disk_gb * prices.disk_gb_micros if self.system.has_idle_disk() else 0

    @property
    def idle_deadline(self) -> int:
        """When it is stopped if nobody uses it until then; 0: never."""
        return self.system.idle_deadline()

    @property
    def can_fail(self) -> bool:
        """Whether the viewer may give it up now."""
        return self.admin and self.system.status in MAY_BE_FAILED

    @property
    def actions(self) -> tuple[Action, ...]:
        """What the viewer could ask of it."""
        product = self.backend.products.get(self.system.product)
        restartable = bool(product and product.restartable)
        it = self.system
        return _actions(it.status, it.provisioned, restartable, bool(it.machine_id), self.admin)

    @property
    def why(self) -> tuple[str, ...]:
        """Why it is on, and when it will stop."""
        return activity.why_on(self.system, self.now)


def views(backend: Backend, tx: Transaction, caller: Caller, seen: Iterable[Seen]) -> list[SystemView]:
    """Return systems as `caller` may see them."""
    all_seen = list(seen)
    return viewed(backend, caller, all_seen, snapshots_of(tx, [each.system.id for each in all_seen]))


def viewed(
    backend: Backend, caller: Caller, seen: Iterable[Seen], snapshots: Mapping[str, tuple[Snapshot, ...]]
) -> list[SystemView]:
    """Return the same, with the snapshots of each by its id."""
    now, me, admin = backend.now(), caller.user.id, caller.admin
    return [
        SystemView(each, snapshots.get(each.system.id, ()), each.system.owner_id == me, admin, now, backend)
        for each in seen
    ]


def snapshots_of(tx: Transaction, system_ids: Sequence[str]) -> Mapping[str, tuple[Snapshot, ...]]:
    """Return the snapshots of systems, the oldest first."""
    found: dict[str, tuple[Snapshot, ...]] = {}
    for snapshot in tx.snapshots.of_systems(system_ids):
        found[snapshot.system_id] = (*found.get(snapshot.system_id, ()), snapshot)
    return found


def password(backend: Backend, system: System) -> str:
    """Return the product's password in clear; empty where there is none (any more).

    Raises Precondition where it cannot be read, since its master key was lost, say; the log then says which one.
    """
    try:
        return backend.keyring.decrypt(system.secret, PASSWORD, system.id) if system.secret else ""
    except SecretUnreadable as why:
        _log.warning("a password cannot be read", system_id=system.id, why=str(why))
        raise Precondition(_UNREADABLE, "secret_unreadable") from None


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
