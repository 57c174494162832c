"""Changes to the desired state of an existing system (wishes): checked by the state machine, written, not yet done.

The reconciler does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from puddle.server.api.base import UseCases, found, new_id, record
from puddle.server.api.creating import checked_config, usable_type
from puddle.server.api.limits import allow_size, reserve
from puddle.server.api.views import SystemView, views
from puddle.server.domain import permissions, validation
from puddle.server.domain.catalog import InstanceType
from puddle.server.domain.cost import HOUR
from puddle.server.domain.people import Caller, User
from puddle.server.domain.quota import Wanted
from puddle.server.domain.records import Snapshot, System
from puddle.server.domain.rules import CloudPrices
from puddle.server.domain.states import Config, Product, Refusal, Status, Vm, Wish, after, in_transition, refusal
from puddle.server.errors import Invalid, Precondition
from puddle.server.store import Transaction

Change = Callable[[Transaction, System], System]
_TRIES = 5


def _as_it_is(_tx: Transaction, system: System) -> System:
    return system


class _Changed(Exception):
    """Somebody else has written the row since it was read."""


class Wishes(UseCases):
    """What owners and administrators ask of a system. `generation`: only if it is still that one; 0: in any case."""

    def start(
        self, caller: Caller, system_id: str, generation: int = 0, reason: str = "", idle_minutes: int = 0
    ) -> SystemView:
        """Start a stopped system, or one that has failed since it was first ready.

        `idle_minutes`: another idle interval to go with it; 0 leaves the one it has.
        """

        def begin(tx: Transaction, system: System) -> System:
            chosen = self._idle("idle_timeout_interval", idle_minutes, system.idle_minutes)
            return replace(self._start(tx, system), idle_minutes=chosen)

        return self._wish(caller, system_id, Wish.START, begin, generation, reason)

    def stop(self, caller: Caller, system_id: str, generation: int = 0, reason: str = "") -> SystemView:
        """Stop a started system; its disk stays."""
        return self._wish(caller, system_id, Wish.STOP, _as_it_is, generation, reason)

    def reboot(self, caller: Caller, system_id: str, generation: int = 0, reason: str = "") -> SystemView:
        """Reboot a started system's machine."""
        return self._wish(caller, system_id, Wish.REBOOT, _waiting_for_vm, generation, reason)

    def restart(self, caller: Caller, system_id: str, generation: int = 0, reason: str = "") -> SystemView:
        """Restart the product and not its machine."""
        return self._wish(caller, system_id, Wish.RESTART, _waiting_for_product, generation, reason)

    def terminate(self, caller: Caller, system_id: str, generation: int = 0, reason: str = "") -> SystemView:
        """Remove a system for good; snapshots stay."""
        return self._wish(caller, system_id, Wish.TERMINATE, _as_it_is, generation, reason)

    def fail(self, caller: Caller, system_id: str, generation: int = 0, reason: str = "") -> SystemView:
        """Mark a system that hangs as failed."""

        def give_up(_tx: Transaction, system: System) -> System:
            why = f"{caller.user.name} gave it up: {reason or 'no reason given'}"
            return replace(system, reason="GIVEN_UP", detail=why, target_type_id="", target_disk_gb=0)

        return self._wish(caller, system_id, Wish.FAIL, give_up, generation, reason)

    def scale(self, caller: Caller, system_id: str, type_id: str = "", disk_gb: int = 0) -> SystemView:
        """Give a stopped system another type, a larger disk, or both. The new price counts from the next start."""

        def resize(tx: Transaction, system: System) -> System:
            tx.lock("limits")  # nor is the type removed meanwhile
            has = found(tx.instance_types.get(system.instance_type_id), "instance type", system.instance_type_id)
            owner = found(tx.users.get(system.owner_id), "user", system.owner_id)
            stays = type_id in {"", has.id}  # also one that is offered no more
            size = has if stays else usable_type(tx, owner, type_id, system.cloud, _called(owner, caller))
            disk = validation.disk_gb(disk_gb or system.disk_gb, self._rules.disk_max_gb, system.disk_gb)
            if (size.id, disk) == (has.id, system.disk_gb):
                raise Invalid("instance_type_id", "differs from what the system has, or disk_size_gb is larger")
            allow_size(tx, self._rules, owner, self._more(system, has, size, disk), self._now())
            return replace(system, target_type_id=size.id, target_disk_gb=disk)

        return self._wish(caller, system_id, Wish.SCALE, resize)

    def _more(self, system: System, has: InstanceType, size: InstanceType, disk_gb: int) -> Wanted:
        """Return what a size takes where it is more than the one before: compute units, and money for an hour."""
        prices = self._rules.prices.get(system.cloud, CloudPrices())
        grown = (disk_gb - system.disk_gb) * prices.disk_gb_micros
        dearer = size.price_micros if size.price_micros > has.price_micros else 0
        return Wanted(cu=size.cu if size.cu > has.cu else 0, amount=(grown + dearer) * HOUR)

    def update_config(self, caller: Caller, system_id: str, config: str, *, restart: bool = False) -> SystemView:
        """Take a configuration, which counts from the next start of the product; `restart` starts it at once.

        That is one wish: where it is taken, so are both, and where it is refused, neither.
        """

        def meant(system: System) -> Wish:
            if not restart or system.status is not Status.STARTED:
                return Wish.CONFIGURE
            return Wish.RESTART if self._backend.products[system.product].restartable else Wish.REBOOT

        def configure(tx: Transaction, system: System) -> System:
            text, wish = checked_config(self._backend.products[system.product], config), meant(system)
            later = wish is Wish.CONFIGURE and system.status is Status.STARTED
            fresh = Config.UPLOADING if later else Config.UPLOADED
            return replace(_AGAIN.get(wish, _as_it_is)(tx, system), config=text, config_status=fresh)

        return self._wish(caller, system_id, Wish.CONFIGURE, configure, meant=meant)

    def change_idle(self, caller: Caller, system_id: str, minutes: int) -> SystemView:
        """Set after how many idle minutes a system is stopped; -1 for never."""
        chosen = self._idle("minutes", minutes)
        return self._wish(caller, system_id, Wish.SET_IDLE, lambda _tx, system: replace(system, idle_minutes=chosen))

    def _idle(self, field: str, minutes: int, usual: int | None = None) -> int:
        return validation.idle_minutes(field, minutes, self._rules.idle_options, usual)

    def extend_idle(self, caller: Caller, system_id: str, minutes: int) -> SystemView:
        """Keep a started system up for so many minutes from now, used or not."""
        span = 60 * validation.extension(minutes, self._rules.extension_cap)

        def extend(tx: Transaction, system: System) -> System:
            owner = found(tx.users.get(system.owner_id), "user", system.owner_id)
            take = Wanted(amount=system.session_price_micros * span)
            reserve(tx, self._rules, owner, take, self._now())
            return replace(system, extended=max(system.extended, self._now() + span))

        return self._wish(caller, system_id, Wish.EXTEND, extend)

    def snapshot(self, caller: Caller, system_id: str, name: str, description: str = "") -> Snapshot:
        """Copy a system's disk."""
        title, text, now = validation.snapshot_name(name), validation.description(description), self._now()
        made: list[Snapshot] = []

        def copy(tx: Transaction, system: System) -> System:
            snapshot = Snapshot(
                id=new_id("snap"),
                name=title,
                description=text,
                system_id=system.id,
                owner_id=system.owner_id,
                cloud=system.cloud,
                product=system.product,
                version=system.version,
                image_id=system.image_id,
                disk_gb=system.disk_gb,
                created=now,
                updated=now,
            )
            tx.snapshots.add(snapshot)
            made.append(snapshot)
            return replace(system, snapshot_id=snapshot.id)

        self._wish(caller, system_id, Wish.SNAPSHOT, copy, method="SnapshotService/CreateSnapshot")
        return made[-1]

    # how a wish is taken

    def _wish(
        self,
        caller: Caller,
        system_id: str,
        wish: Wish,
        change: Change,
        generation: int = 0,
        reason: str = "",
        method: str = "SystemService/StopSystem",
        meant: Callable[[System], Wish] | None = None,
    ) -> SystemView:
        """Write a wish in one transaction; retry where the row has changed since it was read.

        `meant`: what was asked comes to another wish, depending on how the system stands.
        """
        message = validation.reason(reason)
        for _ in range(_TRIES):
            with suppress(_Changed), self._store.writing() as tx:
                system = found(tx.systems.get(system_id), "system", system_id)
                permissions.authorize_object(method, caller, system.owner_id, "system", system_id)
                self._refuse(caller, system, wish, generation)
                wished = self._wished(change(tx, system), meant(system) if meant else wish)
                if not tx.systems.write(wished, look_at=self._now()):
                    raise _Changed
                self._record(tx, caller, wish, system, wished, message)
                view = views(self._backend, tx, caller, [found(tx.systems.seen(system_id), "system", system_id)])[0]
                break
        else:
            raise Precondition("the system changes faster than this could be written; try again", "busy")
        self._backend.wake()
        return view

    def _refuse(self, caller: Caller, system: System, wish: Wish, generation: int) -> None:
        if generation and generation != system.generation:
            raise Precondition("somebody else has wished something of the system since you looked at it", "changed")
        product = self._backend.products.get(system.product)
        restartable = bool(product and product.restartable)
        machine = bool(system.machine_id)

        def refused(asked: Wish) -> Refusal | None:
            return refusal(
                system.status, asked, provisioned=system.provisioned, restartable=restartable, machine=machine
            )

        if why := refused(wish):
            open_to_them = [other for other in Wish if caller.admin or other is not Wish.FAIL]
            actions = [other.value for other in open_to_them if not refused(other)]
            raise Precondition(why.sentence, why.reason, allowed_actions=actions)

    def _wished(self, system: System, wish: Wish) -> System:
        """Return the record with the wish taken: its place in the table, and by when it should be fulfilled."""
        now, status = self._now(), after(system.status, wish)
        wished = replace(system, status=status, wish=wish, generation=system.generation + 1, updated=now)
        if not in_transition(status):
            return wished
        wished = replace(wished, deadline=now + self._rules.patience_s)
        return wished if wish is Wish.FAIL else replace(wished, reason="", detail="")

    def _start(self, tx: Transaction, system: System) -> System:
        size = found(tx.instance_types.get(system.instance_type_id), "instance type", system.instance_type_id)
        owner = found(tx.users.get(system.owner_id), "user", system.owner_id)
        take = Wanted(running=1, cu=size.cu, amount=size.price_micros * HOUR)
        reserve(tx, self._rules, owner, take, self._now())
        return replace(system, cu=size.cu, extended=0, vm_status=Vm.STARTING, product_status=Product.WAITING_FOR_VM)

    def _record(
        self, tx: Transaction, caller: Caller, wish: Wish, before: System, wished: System, message: str
    ) -> None:
        was, now = _differences(before, wished)
        targets = (before.id, before.owner_id, wished.snapshot_id)
        record(tx, caller, self._now(), f"system.{wish.value}", *targets, before=was, after=now, message=message)


_TOLD = ("idle_minutes", "extended", "target_type_id", "target_disk_gb", "config", "snapshot_id")


def _differences(before: System, after_it: System) -> tuple[dict[str, object], dict[str, object]]:
    """Return what a wish has changed of what people may read."""
    was: dict[str, object] = {"status": before.status.name}
    now: dict[str, object] = {"status": after_it.status.name}
    for name in _TOLD:
        if getattr(before, name) != getattr(after_it, name):
            shown = name != "config"  # it may hold what is not for the trail
            was[name] = getattr(before, name) if shown else f"{len(before.config)} characters"
            now[name] = getattr(after_it, name) if shown else f"{len(after_it.config)} characters"
    return was, now


def _called(owner: User, caller: Caller) -> str:
    return "you" if owner.id == caller.user.id else owner.name


def _waiting_for_vm(_tx: Transaction, system: System) -> System:
    return replace(system, product_status=Product.WAITING_FOR_VM)


def _waiting_for_product(_tx: Transaction, system: System) -> System:
    return replace(system, product_status=Product.WAITING_FOR_PRODUCT)


_AGAIN: Mapping[Wish, Change] = {Wish.RESTART: _waiting_for_product, Wish.REBOOT: _waiting_for_vm}
"""What else changes where the product is to start again."""
