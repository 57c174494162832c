"""Acting: one function per action, each a thin call that may be made twice. All raise StepFailed where they cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from puddle.server.auth.secrets import Keyring
from puddle.server.clouds.base import Endpoint, Order, Provider, Shape, StepFailed
from puddle.server.domain.catalog import Image, InstanceType
from puddle.server.domain.records import System
from puddle.server.domain.states import TO_BE_BROUGHT
from puddle.server.faults import Point, reach
from puddle.server.products.base import Product, SetUp
from puddle.server.reconcile import actions as a
from puddle.server.reconcile.look import password_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a step is taken: the system's cloud and product, and what is on offer there.

    `save` keeps a machine's id, the moment it is known.
    """

    system: System
    cloud: Provider
    product: Product
    image: Image | None
    types: Mapping[str, InstanceType]
    keyring: Keyring
    save: Callable[[str], object]

    def shape(self, type_id: str, disk_gb: int) -> Shape:
        """Return a size in the words of the cloud."""
        kind = self.types.get(type_id)
        if kind is None:
            raise StepFailed("NOT_FOUND", "its instance type is not offered any more", for_ever=True)
        return Shape(cloud_type=kind.cloud_name, vcpus=kind.vcpus, memory_gb=kind.memory_gb, disk_gb=disk_gb)

    def endpoint(self, machine_id: str) -> Endpoint:
        """Return how to reach a machine."""
        return self.cloud.endpoint(machine_id)

    def set_up(self, token: str) -> SetUp:
        """Return what the product is given; its configuration only where that is not on the machine yet."""
        system = self.system
        new = system.config_status in TO_BE_BROUGHT or (not system.provisioned and system.config)
        return SetUp(
            system_id=system.id,
            name=system.name,
            token=token,
            config=system.config if new else None,
            username=system.username,
            password=password_of(system, self.keyring),
        )


def act(action: a.Action, site: Site) -> str:
    """Take a step; return the id of a machine it has made, else nothing."""
    return _ACTS[type(action)](action, site) or ""


def create_machine(action: a.CreateMachine, site: Site) -> str:
    """See the action. The id is saved at once, whatever is wished meanwhile."""
    if site.image is None or not site.image.cloud_image_id:
        raise StepFailed("NOT_FOUND", "the image it is to be made from is not there", for_ever=True)
    machine_id = site.cloud.create(
        Order(
            system_id=action.system_id,
            name=action.name,
            cloud_image_id=site.image.cloud_image_id,
            shape=site.shape(action.instance_type_id, action.disk_gb),
            ports=site.product.ports,
            token=action.token,
            source_snapshot_id=action.source_snapshot_id,
            tags=action.tags,
        )
    )
    reach(Point.MACHINE_ORDERED)
    site.save(machine_id)
    reach(Point.MACHINE_SAVED)
    return machine_id


def start_machine(action: a.StartMachine, site: Site) -> None:
    """See the action."""
    site.cloud.start(action.machine_id)


def stop_machine(action: a.StopMachine, site: Site) -> None:
    """See the action."""
    site.cloud.stop(action.machine_id)


def reboot_machine(action: a.RebootMachine, site: Site) -> None:
    """See the action."""
    site.cloud.reboot(action.machine_id, action.token)


def resize_machine(action: a.ResizeMachine, site: Site) -> None:
    """See the action."""
    site.cloud.resize(action.machine_id, site.shape(action.instance_type_id, action.disk_gb))


def destroy_machine(action: a.DestroyMachine, site: Site) -> None:
    """See the action."""
    site.cloud.destroy(action.system_id)


def take_snapshot(action: a.TakeSnapshot, site: Site) -> None:
    """See the action."""
    site.cloud.take_snapshot(action.system_id, action.snapshot_id)


def set_up_product(action: a.SetUpProduct, site: Site) -> None:
    """See the action."""
    site.product.set_up(site.endpoint(action.machine_id), site.set_up(action.token))


def restart_product(action: a.RestartProduct, site: Site) -> None:
    """See the action."""
    site.product.restart(site.endpoint(action.machine_id), site.set_up(action.token))


def upload_config(action: a.UploadConfig, site: Site) -> None:
    """See the action."""
    site.product.upload_config(site.endpoint(action.machine_id), action.config)


_ACTS: Mapping[type, Callable[[Any, Site], str | None]] = {
    a.CreateMachine: create_machine,
    a.StartMachine: start_machine,
    a.StopMachine: stop_machine,
    a.RebootMachine: reboot_machine,
    a.ResizeMachine: resize_machine,
    a.DestroyMachine: destroy_machine,
    a.TakeSnapshot: take_snapshot,
    a.SetUpProduct: set_up_product,
    a.RestartProduct: restart_product,
    a.UploadConfig: upload_config,
}

WITH_PRODUCT: tuple[type, ...] = (a.SetUpProduct, a.RestartProduct, a.UploadConfig)
"""Steps that speak to a product."""
