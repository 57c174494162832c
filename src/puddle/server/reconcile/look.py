"""Looking: asking a cloud and a product for the facts a decision needs.

What cannot be told stays None in the facts, "unknown", which is never taken for "gone"; a line in the log says why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from puddle.server.auth.secrets import PASSWORD, Keyring, SecretUnreadable
from puddle.server.clouds.base import Provider, StepFailed
from puddle.server.domain.facts import Copy, CopyState, Facts, Machine, Power, ProductFacts
from puddle.server.domain.records import Snapshot, SnapshotStatus, System
from puddle.server.domain.states import Status, Vm
from puddle.server.products.base import Product
from puddle.server.reconcile.mishaps import surviving

Told = TypeVar("Told")

_log = structlog.get_logger(__name__)

_WITH_PRODUCT = frozenset(
    {Status.INITIALIZING, Status.STARTING, Status.REBOOTING, Status.RESTARTING_DAI, Status.STARTED}
)


def at_rest_for_good(system: System) -> bool:
    """Whether nothing of a system has to be looked at until somebody wishes something."""
    if system.status is Status.FAILED:
        return not system.session_id and system.vm_status is not Vm.UNKNOWN
    return system.status in {Status.TERMINATED, Status.UNKNOWN}


def needs_product(system: System, facts: Facts) -> bool:
    """Whether the product has to be asked, too: only where its machine runs, and is to be used."""
    up = facts.machine is not None and facts.machine.power is Power.RUNNING
    return up and system.status in _WITH_PRODUCT


def ask_cloud(cloud: Provider | None, system: System, source: Snapshot | None) -> Facts:
    """Ask how machine and snapshots stand. `source`: the record of the snapshot the system is made from."""
    if cloud is None:
        _log.warning("cloud_missing", system_id=system.id, cloud=system.cloud)
        return Facts()
    if at_rest_for_good(system):
        return Facts()
    machine = told("machine", system.id, lambda: cloud.machine(system.id))
    return Facts(machine=machine, snapshot=_snapshot(cloud, system), source=_source_of(cloud, system, source, machine))


def ask_product(
    cloud: Provider, product: Product | None, system: System, machine: Machine, keyring: Keyring
) -> ProductFacts | None:
    """Ask the product on a machine that runs how it stands."""
    if product is None:
        _log.warning("product_missing", system_id=system.id, product=system.product)
        return None

    def ask() -> ProductFacts:
        return product.look(cloud.endpoint(machine.id), system.username, password_of(system, keyring))

    return told("product", system.id, ask)


def password_of(system: System, keyring: Keyring) -> str:
    """Return the password of a system's product. Raises StepFailed where it cannot be read."""
    if not system.secret:
        return ""
    try:
        return keyring.decrypt(system.secret, PASSWORD, system.id)
    except SecretUnreadable:
        raise StepFailed("SECRET", "its password cannot be decrypted; is the server's master key there?") from None


def told(what: str, system_id: str, ask: Callable[[], Told]) -> Told | None:
    """Return an answer, or None where there is none."""
    with surviving("not_told", what=what, system_id=system_id):
        try:
            return ask()
        except StepFailed as failed:
            _log.warning("not_told", what=what, system_id=system_id, reason=failed.reason, sentence=failed.sentence)
    return None


def _snapshot(cloud: Provider, system: System) -> Copy | None:
    if system.status is not Status.SNAPSHOTTING or not system.snapshot_id:
        return None
    return told("snapshot", system.id, lambda: cloud.snapshot(system.snapshot_id))


def _source_of(cloud: Provider, system: System, source: Snapshot | None, machine: Machine | None) -> Copy | None:
    """A snapshot whose record says that it is still to be made is not gone, though its cloud may not have it yet."""
    to_be_made = system.status is Status.INITIALIZING and machine is not None and machine.power is Power.GONE
    if not system.source_snapshot_id or not to_be_made:
        return None
    if source is None or source.status in {SnapshotStatus.DELETED, SnapshotStatus.DELETING}:
        return Copy(id="", state=CopyState.GONE)
    if source.status is SnapshotStatus.FAILED:
        return Copy(id="", state=CopyState.FAILED, failure=source.failure)
    if source.status is SnapshotStatus.CREATING:
        return Copy(id="", state=CopyState.CREATING)
    return told("source", system.id, lambda: cloud.snapshot(source.id))
