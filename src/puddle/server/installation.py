"""Bootstrapping an installation: the first administrator, whose key is shown once, instance types and images.

Several servers may start on one empty database: one of them does this, the others find it done. `settle` checks, at
every start, that the clouds are this installation's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import structlog

from puddle.server.api import Api
from puddle.server.api.base import new_id
from puddle.server.auth.keys import new_key
from puddle.server.backend import Backend
from puddle.server.clouds.base import StepFailed
from puddle.server.domain.catalog import InstanceType
from puddle.server.domain.cost import micros
from puddle.server.domain.people import Caller, Role, User
from puddle.server.domain.trail import Event
from puddle.server.domain.wording import counted
from puddle.server.errors import Refused
from puddle.server.settings import Settings, SettingsRefused, Size
from puddle.server.store import Transaction
from puddle.server.store.trail import event_id

_log = structlog.get_logger(__name__)
ADMIN = "admin"
_ELSEWHERE = (
    "clouds.{0}: {1} and {2} should be there, but the cloud has no owner yet: it is another one than "
    "before, and all of them would be given up. Let clouds.{0} be the one it was (on its machine, with its folder); if "
    "that is lost for good, start once with --anew {0}"
)
_ANOTHERS = (
    "clouds.{0}: it has the machines of another installation, {1}; give the server that installation's database, or "
    "this installation a place of its own"
)
_GIB = 2**30
_FITTING = (("small", 1, 1, "0.05"), ("medium", 2, 2, "0.10"), ("large", 4, 8, "0.40"), ("xlarge", 8, 16, "0.80"))


@dataclass(frozen=True, slots=True)
class ShownKey:
    """An API key with its secret, to be shown once and stored nowhere."""

    key_id: str
    secret: str
    user: User

    def __repr__(self) -> str:
        return f"<ShownKey {self.key_id} of {self.user.name}>"

    def exports(self, address: str) -> str:
        """Return the three lines to put into a shell."""
        return (
            f"export PUDDLE_server_address={address}\n"
            f"export PUDDLE_api_key_id={self.key_id}\n"
            f"export PUDDLE_api_secret_key={self.secret}"
        )


def prepare(api: Api, settings: Settings) -> ShownKey | None:
    """Fill an empty database and return the first administrator's key; None where it is not empty."""
    now = api.backend.now()
    with api.backend.store.writing() as tx:
        tx.lock("installation")
        if tx.users.all():
            return None
        shown = _admin(tx, ADMIN, now)
        for size in _sizes(settings, api.backend):
            tx.instance_types.add(size)
    _build_images(api, settings, Caller(shown.user, shown.key_id))
    return shown


def settle(backend: Backend, *, anew: Collection[str] = ()) -> None:
    """Check that every cloud belongs to this installation; claim those that have no owner yet.

    A cloud without an owner, though systems of ours should be on it, is another one than before: a folder was moved, or
    this is another machine. That is accepted only for the clouds in `anew`. Raises SettingsRefused.
    """
    for name in set(anew) - set(backend.clouds):
        raise SettingsRefused(f"--anew {name}: there is no such cloud; there is {', '.join(backend.clouds)}")
    with backend.store.reading() as tx:
        own = tx.installation()
        known = {name: (tx.systems.living_on(name), tx.snapshots.kept_on(name)) for name in backend.clouds}
    for name, cloud in backend.clouds.items():
        try:
            if any(known[name]) and not cloud.owner() and name not in anew:
                systems, snapshots = known[name]
                told = counted(systems, "system"), counted(snapshots, "snapshot")
                raise SettingsRefused(_ELSEWHERE.format(name, *told))
            owner = cloud.take(own)
        except StepFailed as failed:
            raise SettingsRefused(f"clouds.{name}: {failed.sentence}") from None
        if owner != own:
            raise SettingsRefused(_ANOTHERS.format(name, owner))


def recovered(backend: Backend, name: str) -> ShownKey:
    """Return a new key for an administrator, who is created if there is no user of that name.

    It needs no authentication: who can call it can read the database. Raises ValueError for anybody but an active
    administrator.
    """
    now = backend.now()
    with backend.store.writing() as tx:
        tx.lock("installation")
        user = tx.users.by_name(name)
        if user is None:
            return _admin(tx, name, now)
        if user.role is not Role.ADMIN or not user.active:
            raise ValueError(f"{name} is not an active administrator; name another user, or one that is not there yet")
        return _key(tx, user, now)


def _admin(tx: Transaction, name: str, now: int) -> ShownKey:
    user = User(id=new_id("usr"), name=name, role=Role.ADMIN, display_name="Administrator", created=now)
    tx.users.add(user)
    return _key(tx, user, now)


def _key(tx: Transaction, user: User, now: int) -> ShownKey:
    key, secret = new_key(user.id, "made on the server's machine", now)
    tx.keys.add(key)
    message = "made on the server's machine, past the API"
    tx.events.add(
        Event(
            id=event_id(),
            time=now,
            actor_kind="puddle",
            action="key.create",
            targets=(key.id, user.id),
            message=message,
        )
    )
    return ShownKey(key.id, secret, user)


# what systems are made from


def _sizes(settings: Settings, backend: Backend) -> Sequence[InstanceType]:
    if settings.instance_types:
        return [_size(size) for size in settings.instance_types]
    return [size for cloud in backend.clouds for size in _fitting(cloud)]


def _size(given: Size) -> InstanceType:
    return InstanceType(
        id=new_id("type"),
        text=given.text or given.name,
        cloud=given.cloud,
        cloud_name=given.name,
        price_micros=micros(given.price),
        vcpus=given.vcpus,
        memory_gb=given.memory_gb,
        gpu_count=given.gpu_count,
        gpu_type=given.gpu_type,
        cu=given.cu,
    )


def _fitting(cloud: str) -> Iterator[InstanceType]:
    """Yield sizes of a cloud: of this machine those that fit it, two of them at least."""
    cpus, memory = os.cpu_count() or 1, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB
    for number, (name, vcpus, memory_gb, price) in enumerate(_FITTING):
        fits = cloud != "local" or (vcpus <= cpus and memory_gb <= memory / 2)
        if fits or number < 2:
            full = f"{cloud}-{name}"
            yield _size(Size(cloud=cloud, name=full, vcpus=vcpus, memory_gb=memory_gb, price=Decimal(price)))


def _build_images(api: Api, settings: Settings, caller: Caller) -> None:
    for cloud, product in _wanted(settings, api.backend):
        try:
            api.images.build(caller, cloud, product, "")
        except Refused as refused:  # the server starts without; whoever asks for the image is told the same
            _log.warning("no image is built", product=product, reason=refused.reason, sentence=refused.sentence)


def _wanted(settings: Settings, backend: Backend) -> Iterator[tuple[str, str]]:
    if "simulated" in backend.clouds:
        yield "simulated", "simulated"
    if "local" not in backend.clouds or "h2o3" not in backend.products or not settings.products.h2o3.build_at_start:
        return
    if shutil.which("java") is None:
        _log.warning("no image of H2O-3 is built: there is no Java here; install Java 11 or newer and build one")
    elif backend.products["h2o3"].versions:
        yield "local", "h2o3"
