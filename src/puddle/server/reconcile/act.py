"""Acting: each action is one thin call to a cloud or product, which may be made twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from puddle.server.auth.secrets import Keyring
from puddle.server.clouds.base import Order, Provider, Shape, StepFailed
from puddle.server.domain.catalog import Image, InstanceType
from puddle.server.domain.records import System
from puddle.server.domain.states import TO_BE_BROUGHT
from puddle.server.faults import Point, reach
from puddle.server.products.base import Product, SetUp
from puddle.server.reconcile import actions as a
from puddle.server.reconcile.look import password_of

CloudAction = a.StartMachine | a.StopMachine | a.RebootMachine | a.ResizeMachine | a.DestroyMachine | a.TakeSnapshot
ProductAction = a.SetUpProduct | a.RestartProduct | a.UploadConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a step needs: the system with its cloud and product, and what is on offer there.

    `save` stores a machine's id, the moment it is known.
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
    """Take a step; return the id of a machine it has made, else nothing. Raises StepFailed."""
    match action:
        case a.CreateMachine():
            return _create_machine(action, site)
        case a.SetUpProduct() | a.RestartProduct() | a.UploadConfig():
            _act_on_product(action, site)
        case _:
            _act_on_cloud(action, site)
    return ""


def _create_machine(action: a.CreateMachine, site: Site) -> str:
    """Order a machine and save its id at once, whatever is wished meanwhile."""
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


def _act_on_cloud(action: CloudAction, site: Site) -> None:
    cloud = site.cloud
    match action:
        case a.StartMachine():
            cloud.start(action.machine_id)
        case a.StopMachine():
            cloud.stop(action.machine_id)
        case a.RebootMachine():
            cloud.reboot(action.machine_id, action.token)
        case a.ResizeMachine():
            cloud.resize(action.machine_id, site.shape(action.instance_type_id, action.disk_gb))
        case a.DestroyMachine():
            cloud.destroy(action.system_id)
        case a.TakeSnapshot():
            cloud.take_snapshot(action.system_id, action.snapshot_id)


def _act_on_product(action: ProductAction, site: Site) -> None:
    product, endpoint = site.product, site.cloud.endpoint(action.machine_id)
    match action:
        case a.SetUpProduct():
            product.set_up(endpoint, site.set_up(action.token))
        case a.RestartProduct():
            product.restart(endpoint, site.set_up(action.token))
        case a.UploadConfig():
            product.upload_config(endpoint, action.config)
