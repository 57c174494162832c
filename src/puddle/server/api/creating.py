"""Creating a system: everything is checked, limits are reserved, and a row with a wish is written. That is all.

The reconciler makes the machine. What was asked with the same idempotency key before is answered with what was made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError

from puddle.server.api.base import UseCases, found, new_id, record
from puddle.server.api.limits import reserve
from puddle.server.api.rekeying import check_key
from puddle.server.api.views import SystemView, views
from puddle.server.auth.secrets import PASSWORD, new_password
from puddle.server.domain import tagging, validation
from puddle.server.domain.catalog import Image, ImageStatus, InstanceType
from puddle.server.domain.cost import HOUR
from puddle.server.domain.people import Caller, User
from puddle.server.domain.quota import Wanted
from puddle.server.domain.records import Snapshot, SnapshotStatus, System, Tags
from puddle.server.domain.rules import Rules
from puddle.server.domain.states import Status, Vm
from puddle.server.errors import Invalid, Missing, Precondition
from puddle.server.products.base import Product
from puddle.server.store import Transaction
from puddle.server.store.systems import Seen

METHOD = "SystemService/CreateSystem"
USERNAME = "puddle"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSystem:
    """What somebody wants. `idle_minutes` 0 takes the default option; `validate_only` checks and makes nothing."""

    name: str
    cloud: str
    product: str
    image_id: str
    instance_type_id: str
    disk_gb: int
    idle_minutes: int = 0
    config: str = ""
    source_snapshot_id: str = ""
    tags: Tags = ()
    validate_only: bool = False


class Creating(UseCases):
    """How systems come into being."""

    def create(self, caller: Caller, wanted: NewSystem, idempotency_key: str = "") -> SystemView:
        """Create a system for the caller. With `validate_only`, return what would be made, with an empty id."""
        try:
            return self._create(caller, wanted, idempotency_key)
        except IntegrityError:
            return self._taken(caller, wanted, idempotency_key)

    def _create(self, caller: Caller, wanted: NewSystem, key: str) -> SystemView:
        with self._store.writing() as tx:
            for name in ("images", "snapshots", "limits"):  # what it is made from is not removed meanwhile
                tx.lock(name)
            if key and (made := tx.idempotency_keys.object_of(caller.user.id, METHOD, key)):
                return self._made(tx, caller, made)
            system, size = self._checked(tx, caller, wanted)
            take = Wanted(systems=1, running=1, cu=size.cu, amount=size.price_micros * HOUR)
            reserve(tx, self._rules, caller.user, take, self._now())
            if wanted.validate_only:
                return self._preview(tx, caller, system, size)
            tx.systems.create(system, look_at=system.created)
            if key:
                tx.idempotency_keys.add(caller.user.id, METHOD, key, system.id, system.created)
            targets = system.id, system.owner_id, system.source_snapshot_id
            record(tx, caller, system.created, "system.create", *targets, after=_told(system, size))
            view = self._made(tx, caller, system.id)
        self._backend.wake()
        return view

    def _made(self, tx: Transaction, caller: Caller, system_id: str) -> SystemView:
        return views(self._backend, tx, caller, [found(tx.systems.seen(system_id), "system", system_id)])[0]

    def _preview(self, tx: Transaction, caller: Caller, system: System, size: InstanceType) -> SystemView:
        nobody = replace(system, id="", secret="", status=Status.UNKNOWN, vm_status=Vm.UNKNOWN)
        return views(self._backend, tx, caller, [Seen(nobody, caller.user.name, size)])[0]

    def _taken(self, caller: Caller, wanted: NewSystem, key: str) -> SystemView:
        """Somebody was faster: with the same key that is the answer, with the same name it is in the way."""
        with self._store.reading() as tx:
            made = tx.idempotency_keys.object_of(caller.user.id, METHOD, key) if key else None
            if made:
                return self._made(tx, caller, made)
        raise Precondition(f"you have a system called {wanted.name!r} already; choose another name", "name_taken")

    # checks

    def _checked(self, tx: Transaction, caller: Caller, wanted: NewSystem) -> tuple[System, InstanceType]:
        rules, now = self._rules, self._now()
        name = validation.system_name(wanted.name, rules.naming)
        self._offered(wanted.cloud)
        product = self._product(wanted.product)
        size = usable_type(tx, caller.user, wanted.instance_type_id, wanted.cloud)
        image = _image(tx, wanted)
        source = _source(tx, caller, wanted)
        least = max(rules.disk_min_gb, source.disk_gb if source else 0)
        tags = tagging.answers(wanted.tags, tx.tags.offered(), fixed=_fixed(rules, caller.user))
        system = System(
            id=new_id("sys"),
            name=name,
            owner_id=caller.user.id,
            cloud=wanted.cloud,
            product=product.id,
            version=image.version,
            image_id=image.id,
            instance_type_id=size.id,
            disk_gb=validation.disk_gb(wanted.disk_gb, rules.disk_max_gb, least),
            created=now,
            updated=now,
            idle_minutes=validation.idle_minutes(
                "idle_timeout_interval", wanted.idle_minutes, rules.idle_options, rules.idle_default
            ),
            tags=tags,
            source_snapshot_id=wanted.source_snapshot_id,
            config=checked_config(product, wanted.config),
            cu=size.cu,
            deadline=now + rules.patience_initializing_s,
        )
        return self._with_login(tx, product, system), size

    def _with_login(self, tx: Transaction, product: Product, system: System) -> System:
        if product.auth_type == "none":
            return system
        check_key(tx, self._backend.keyring)
        secret = self._backend.keyring.encrypt(new_password(), PASSWORD, system.id)
        return replace(system, username=USERNAME, secret=secret)


def _told(system: System, size: InstanceType) -> dict[str, object]:
    """Return what the trail says of a new system; of its configuration, which may hold secrets, the length alone."""
    return {
        "name": system.name,
        "status": system.status.name,
        "cloud": system.cloud,
        "product": system.product,
        "version": system.version,
        "instance_type": size.text,
        "disk_gb": system.disk_gb,
        "idle_minutes": system.idle_minutes,
        "tags": dict(system.tags),
        "config": f"{len(system.config)} characters",
    }


def checked_config(product: Product, config: str) -> str:
    """Return a configuration the product takes. Raises Invalid."""
    if not config:
        return ""
    text = validation.config(config)
    if refusal := product.check_config(text):
        raise Invalid("config", f"is one that {product.label} takes", f"config: {refusal}")
    return text


def usable_type(tx: Transaction, user: User, type_id: str, cloud: str, whose: str = "you") -> InstanceType:
    """Return an instance type the user, called `whose`, may take. Raises Invalid."""
    size = tx.instance_types.get(type_id)
    if size is None or size.cloud != cloud or not size.enabled or not may_use(user, size):
        raise Invalid("instance_type_id", f"is the id of an instance type offered to {whose} on {cloud}")
    return size


def may_use(user: User, size: InstanceType) -> bool:
    """Return whether a type is for this user's groups."""
    return not size.allowed_groups or bool(set(size.allowed_groups) & set(user.groups))


def _fixed(rules: Rules, owner: User) -> Tags:
    mail = ((rules.owner_tag, owner.email),) if rules.owner_tag and owner.email else ()
    return (*rules.fixed_tags, *mail)


def _image(tx: Transaction, wanted: NewSystem) -> Image:
    image = tx.images.get(wanted.image_id)
    if image is None or image.cloud != wanted.cloud or image.product != wanted.product:
        raise Invalid("image_id", f"is the id of an image of {wanted.product} on {wanted.cloud}")
    if image.status is not ImageStatus.AVAILABLE:
        state = image.status.name.lower().replace("_", " ")
        raise Precondition(f"the image is {state}; systems are made from available ones", "image_not_available")
    return image


def _source(tx: Transaction, caller: Caller, wanted: NewSystem) -> Snapshot | None:
    if not wanted.source_snapshot_id:
        return None
    source = tx.snapshots.get(wanted.source_snapshot_id)
    if source is None or not caller.may(source.owner_id):
        raise Missing("snapshot", wanted.source_snapshot_id)
    if source.status not in {SnapshotStatus.AVAILABLE, SnapshotStatus.CREATING}:
        raise Precondition(f"the snapshot is {source.status.name.lower()}", "snapshot_not_available")
    if (source.cloud, source.product) != (wanted.cloud, wanted.product):
        raise Invalid("source_snapshot_id", f"is a snapshot of {wanted.product} on {wanted.cloud}")
    return source
