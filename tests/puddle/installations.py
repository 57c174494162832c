"""A whole installation in memory: users, an image, instance types, a simulated cloud, and a clock a test turns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from puddle.server.api import Api
from puddle.server.api.creating import NewSystem
from puddle.server.api.views import SystemView
from puddle.server.auth.secrets import Keyring
from puddle.server.backend import Backend
from puddle.server.domain.catalog import Image, ImageStatus
from puddle.server.domain.people import Caller, Role
from puddle.server.domain.rules import Rules
from puddle.server.store import Store
from puddle.testing import HandClock, MemoryWorld, SimulatedCloud, SimulatedProduct
from tests.puddle.records import instance_type, user

ANN, BEN = user(id="u-1", name="ann", groups=("team",)), user(id="u-2", name="ben", groups=("team",))
ADA = user(id="u-9", name="ada", role=Role.ADMIN)
IMAGE = Image(
    id="i-1", cloud="simulated", product="simulated", version="1", created=0, updated=0, status=ImageStatus.AVAILABLE,
    cloud_image_id="image-i-1",
)  # fmt: skip
SMALL = instance_type()
LARGE = instance_type(id="t-2", text="large", cloud_name="large", price_micros=3_600_000, cu=4, memory_gb=8.0)


@dataclass
class Installation:
    """An installation, and three people who use it."""

    backend: Backend
    clock: HandClock
    cloud: SimulatedCloud
    product: SimulatedProduct
    api: Api
    ann: Caller
    ben: Caller
    ada: Caller

    @property
    def store(self) -> Store:
        """Its database."""
        return self.backend.store

    def ruled(self, **rules: Any) -> Installation:
        """The same with other rules."""
        backend = replace(self.backend, rules=replace(self.backend.rules, **rules))
        return replace(self, backend=backend, api=Api(backend))

    def create(self, caller: Caller | None = None, key: str = "", **given: Any) -> SystemView:
        """Create a system with what matters to a test."""
        return self.api.creating.create(caller or self.ann, wanted(**given), key)

    def stand(self, system_id: str, **fields: Any) -> None:
        """Put a system where a test wants it, past the table."""
        with self.store.writing() as tx:
            system = tx.systems.get(system_id)
            assert system is not None
            assert tx.systems.write(replace(system, **fields), look_at=0)


def wanted(**given: Any) -> NewSystem:
    """An ordinary request."""
    ordinary = {
        "name": "one", "cloud": "simulated", "product": "simulated", "image_id": "i-1", "instance_type_id": "t-1",
        "disk_gb": 10,
    }  # fmt: skip
    return NewSystem(**{**ordinary, **given})


def installation(store: Store, clock: HandClock | None = None, **rules: Any) -> Installation:
    """An installation over a store that is empty but for its tables."""
    clock = clock or HandClock()
    world = MemoryWorld()
    cloud = SimulatedCloud(world, clock)
    product = SimulatedProduct(world, clock)
    backend = Backend(
        store=store,
        clouds={"simulated": cloud},
        products={"simulated": product},
        keyring=Keyring([b"k" * 32]),
        rules=Rules(**rules),
        clock=clock,
    )
    with store.writing() as tx:
        for person in (ANN, BEN, ADA):
            tx.users.add(person)
        for size in (SMALL, LARGE):
            tx.instance_types.add(size)
        tx.images.add(IMAGE)
    return Installation(backend, clock, cloud, product, Api(backend), Caller(ANN), Caller(BEN), Caller(ADA))


@pytest.fixture
def there(memory: Store) -> Installation:
    """An installation in memory."""
    return installation(memory)
