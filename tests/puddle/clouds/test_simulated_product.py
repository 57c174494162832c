"""The simulated product: set up through the shell of its machine, ready and used when a test says so."""

# ruff: noqa: S106, S107 - tokens of steps and passwords of nobody

from __future__ import annotations

import pytest

from puddle.server.clouds.base import Endpoint, Order, Shape
from puddle.server.products.base import Experiment, SetUp
from puddle.testing import Delays, HandClock, MemoryWorld, SimulatedCloud, SimulatedProduct
from puddle.testing.clouds import refused

START = 1_800_000_000
SMALL = Shape(cloud_type="small", vcpus=1, memory_gb=1, disk_gb=1)
GIVEN = SetUp(system_id="sys-1", name="ada", token="sys-1.1", config='a = "b"', username="ada", password="s3cret")


@pytest.fixture
def clock():
    return HandClock(START)


@pytest.fixture
def cloud(clock):
    return SimulatedCloud(MemoryWorld(), clock, delays=Delays.of(5))


@pytest.fixture
def product(cloud, clock):
    return SimulatedProduct(cloud.world, clock, ready_after=30)


@pytest.fixture
def endpoint(cloud, clock, product):
    image = cloud.build_image("img-1", product.recipe, "2.0").cloud_image_id
    order = Order(system_id="sys-1", name="ada", cloud_image_id=image, shape=SMALL, ports=product.ports, token="t")
    machine_id = cloud.create(order)
    clock.turn(5)
    return cloud.endpoint(machine_id)


def look(product, endpoint, password="s3cret"):
    return product.look(endpoint, "ada", password)


def test_it_is_ready_a_while_after_it_was_set_up(product, endpoint, clock):
    assert not look(product, endpoint).ready
    product.set_up(endpoint, GIVEN)
    clock.turn(29)
    assert not look(product, endpoint).ready
    clock.turn(1)
    facts = look(product, endpoint)
    assert facts.ready
    assert facts.token == "sys-1.1"
    assert facts.config == 'a = "b"'
    assert facts.url.startswith("http://")
    assert facts.idleness.last_activity == START + 5


def test_setting_it_up_again_leaves_what_runs_and_restarting_it_does_not(product, endpoint, clock):
    product.set_up(endpoint, GIVEN)
    clock.turn(30)
    again = SetUp(system_id="sys-1", name="ada", token="sys-1.2", config=None, username="ada", password="s3cret")
    product.set_up(endpoint, again)
    assert look(product, endpoint).token == "sys-1.1"
    assert look(product, endpoint).config == 'a = "b"'
    product.restart(endpoint, again)
    assert look(product, endpoint).token == "sys-1.2"
    assert not look(product, endpoint).ready
    clock.turn(20)
    product.restart(endpoint, again)
    clock.turn(10)
    assert look(product, endpoint).ready


def test_it_comes_back_with_its_machine(product, endpoint, cloud, clock):
    product.set_up(endpoint, GIVEN)
    clock.turn(100)
    cloud.reboot(cloud.machine("sys-1").id, "t")
    assert refused(lambda: look(product, endpoint)).reason == "UNREACHABLE"
    clock.turn(5)
    assert not look(product, endpoint).ready
    clock.turn(30)
    assert look(product, endpoint).ready


def test_it_says_of_its_use_what_the_test_says(product, endpoint, clock):
    product.set_up(endpoint, GIVEN)
    clock.turn(100)
    product.used("sys-1")
    product.play("sys-1", busy=True)
    assert look(product, endpoint).idleness.last_activity == START + 105
    assert look(product, endpoint).idleness.busy
    product.play("sys-1", hidden=True)
    assert look(product, endpoint).ready
    assert look(product, endpoint).idleness is None
    product.play("sys-1", silent=True)
    assert not look(product, endpoint).ready
    product.play("sys-1", silent=False, hidden=False, failure="its licence has expired")
    assert look(product, endpoint).failure == "its licence has expired"


def test_with_other_credentials_it_tells_nothing(product, endpoint, clock):
    product.set_up(endpoint, GIVEN)
    product.play("sys-1", experiments=(Experiment(id="e-1"),))
    clock.turn(30)
    assert look(product, endpoint, "wrong").idleness is None
    assert [it.id for it in product.experiments(endpoint, "ada", "s3cret")] == ["e-1"]
    assert refused(lambda: product.experiments(endpoint, "ada", "wrong")).reason == "REFUSED"


def test_a_service_that_ended_is_a_failure_until_it_is_set_up_again(product, endpoint, cloud, clock):
    product.set_up(endpoint, GIVEN)
    clock.turn(30)
    cloud.outside.crash("sys-1", 3)
    assert look(product, endpoint).failure == "it ended with 3"
    product.set_up(endpoint, GIVEN)
    clock.turn(30)
    assert look(product, endpoint).ready


def test_a_configuration_is_toml_and_can_be_brought_later(product, endpoint):
    assert product.check_config("a = 1") == ""
    assert "not TOML" in product.check_config("a = = 1")
    product.set_up(endpoint, GIVEN)
    product.upload_config(endpoint, "a = 2")
    assert look(product, endpoint).config == "a = 2"


def test_it_runs_nowhere_else(product):
    elsewhere = Endpoint(host="127.0.0.1", ports={"http": 1}, memory_gb=1, vcpus=1)
    assert refused(lambda: look(product, elsewhere)).for_ever
