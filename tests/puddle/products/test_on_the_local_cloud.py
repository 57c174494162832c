"""Products on the local cloud: real machines, of real folders and processes, through what both promise and no more."""

import os
import time

import httpx
import pytest

from puddle.server.clouds.base import Order, Shape
from puddle.server.clouds.local import LocalCloud
from puddle.server.domain.facts import CopyState, Power
from puddle.server.products.base import SetUp
from puddle.server.products.dai import DriverlessAI
from puddle.server.products.h2o3 import H2O3
from puddle.testing import fake_dai
from tests.puddle.products.test_h2o3 import missing

SMALL = Shape(cloud_type="small", vcpus=1, memory_gb=1, disk_gb=2)
LARGE = Shape(cloud_type="large", vcpus=1, memory_gb=2, disk_gb=2)
USERNAME = "puddle"


class Life:
    """A system's machine and product, brought from step to step as the reconciler does it."""

    def __init__(self, cloud, product, system_id, image_id, source=""):
        self.cloud, self.product, self.system_id = cloud, product, system_id
        self.password = f"{system_id}-made-by-a-machine"
        self.step = 1
        order = Order(
            system_id=system_id,
            name=system_id,
            cloud_image_id=image_id,
            shape=SMALL,
            ports=product.ports,
            token=self.token,
            source_snapshot_id=source,
        )
        self.machine_id = cloud.create(order)

    @property
    def token(self):
        return f"{self.system_id}.{self.step}"

    def until_ready(self, config=None):
        self.become(Power.RUNNING)
        given = SetUp(
            system_id=self.system_id,
            name=self.system_id,
            token=self.token,
            config=config,
            username=USERNAME,
            password=self.password,
        )
        while not (facts := self.look()).ready:
            self.product.set_up(self.cloud.endpoint(self.machine_id), given)
            time.sleep(0.1)  # real processes, which nobody can hurry
        return facts

    def look(self):
        return self.product.look(self.cloud.endpoint(self.machine_id), USERNAME, self.password)

    def become(self, power):
        while (machine := self.cloud.machine(self.system_id)).power is not power:
            assert not machine.failure
            time.sleep(0.05)  # as above

    def scale(self, shape):
        self.step += 1
        self.cloud.stop(self.machine_id)
        self.become(Power.STOPPED)
        self.cloud.resize(self.machine_id, shape)
        self.cloud.start(self.machine_id)

    def copied(self, snapshot_id):
        self.cloud.take_snapshot(self.system_id, snapshot_id)
        while (copy := self.cloud.snapshot(snapshot_id)).state is not CopyState.AVAILABLE:
            assert not copy.failure
            time.sleep(0.05)  # as above


@pytest.fixture
def cloud(tmp_path):
    first = 10_000 + os.getpid() % 600 * 20  # not the ports that other tests, and other clouds here, may be using now
    cloud = LocalCloud(tmp_path / "cloud", ports=range(first, first + 20), grace=2.0)
    yield cloud
    for system_id, _ in cloud.machines():
        cloud.destroy(system_id)
    while cloud.machines():
        time.sleep(0.05)  # as above


def installed_dai(tmp_path):
    fake_dai.installation(tmp_path / "installations", "fake-1")
    return DriverlessAI(tmp_path / "installations", patience=60)


@pytest.mark.parametrize(
    "kind",
    [
        "dai",
        pytest.param(
            "h2o3",
            marks=[
                pytest.mark.slow,
                pytest.mark.timeout(900),  # three starts of a product that takes ten seconds where nothing else runs
                pytest.mark.skipif(bool(missing()), reason=missing() or "all is there"),
            ],
        ),
    ],
)
def test_a_system_comes_up_is_scaled_and_copied(cloud, kind, tmp_path):
    """After scaling it has its program anew, with its configuration; its copy lets its own owner in and nobody else."""
    product = installed_dai(tmp_path) if kind == "dai" else H2O3(patience=60)
    config = "max_cores = 1\n" if kind == "dai" else "nthreads = 1\n"
    image = cloud.build_image("img", product.recipe, product.versions[0]).cloud_image_id
    assert product.versions[0] in cloud.build_log("img")

    one = Life(cloud, product, "one", image)
    facts = one.until_ready(config)
    assert (facts.config, facts.token) == (config, "one.1")
    one.scale(LARGE)
    facts = one.until_ready()
    assert (facts.config, facts.token) == (config, "one.2")
    assert facts.idleness is not None

    one.cloud.stop(one.machine_id)
    one.become(Power.STOPPED)
    one.copied("copy")
    two = Life(cloud, product, "two", image, "copy")
    facts = two.until_ready()
    assert (facts.config, facts.token) == (config, "two.1")
    page = facts.url + ("3/About" if kind == "h2o3" else "")
    assert httpx.get(page, auth=(USERNAME, two.password), timeout=60).status_code == 200
    assert httpx.get(page, auth=(USERNAME, one.password), timeout=60).status_code == 401
