"""A cloud under test: how it is opened, how time passes, and what its tests do to it again and again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from puddle.server.clouds.base import Order, Provider, Service, Shape, Shell, StepFailed
from puddle.server.domain.facts import CopyState, Machine, Power

T = TypeVar("T")

SMALL = Shape(cloud_type="small", vcpus=1.0, memory_gb=1.0, disk_gb=1)
LARGE = Shape(cloud_type="large", vcpus=2.0, memory_gb=2.0, disk_gb=2)
TAGS = (("team", "vision"), ("cost center", "4711"))
MAX_PAUSES = 2000


class TinyRecipe:
    """See Recipe: a file, and a log; it counts how often it was carried out, and fails while `refusal` says why."""

    def __init__(self) -> None:
        self.built = 0
        self.refusal = ""

    def build(self, version: str, folder: str, log: str) -> str:
        """See Recipe."""
        self.built += 1
        Path(log).write_text(f"building {version}\n")
        if self.refusal:
            raise StepFailed("REFUSED", self.refusal)
        Path(folder, "file").write_text(version)
        return f"checksum of {version}"


def refused(do: Callable[[], object]) -> StepFailed:
    """Return the StepFailed that `do` raises."""
    with pytest.raises(StepFailed) as caught:
        do()
    assert caught.value.sentence
    return caught.value


class CloudSuite(ABC):
    """A cloud under test."""

    has_shell = True

    @abstractmethod
    def open(self, place: Path) -> Provider:
        """Return the cloud at an empty folder; for the same folder again, another view of the same cloud."""

    @abstractmethod
    def pause(self) -> None:
        """Let a moment pass for the cloud."""

    @abstractmethod
    def tags(self, cloud: Provider, system_id: str) -> tuple[tuple[str, str], ...]:
        """Return what a system's machine is tagged with, in the order of the tags' labels or of the order."""

    def service(self, token: str) -> Service:
        """Return a program that runs until it is ended."""
        return Service(command=("sleep", "1000"), token=token, environment={"WHERE": "{disk}"})

    @pytest.fixture
    def cloud(self, tmp_path: Path) -> Iterator[Provider]:
        """Give an empty cloud, and leave it empty."""
        cloud = self.open(tmp_path)
        yield cloud
        for system_id, _ in cloud.machines():
            cloud.destroy(system_id)
        self.until(lambda: not cloud.machines())
        for snapshot_id in cloud.snapshots():
            cloud.delete_snapshot(snapshot_id)

    # for the tests

    def until(self, condition: Callable[[], T]) -> T:
        """Let time pass until something holds; return it."""
        for _ in range(MAX_PAUSES):
            found = condition()
            if found:
                return found
            self.pause()
        raise AssertionError("the cloud never got there")

    def order(self, cloud: Provider, system_id: str = "sys-1") -> Order:
        """Return the order of a small machine."""
        return Order(
            system_id=system_id,
            name=f"puddle-{system_id}",
            cloud_image_id=cloud.build_image("img-1", TinyRecipe(), "1.0").cloud_image_id,
            shape=SMALL,
            ports={"http": 8080, "ssh": 22},
            token=f"{system_id}.1",
            tags=TAGS,
        )

    def become(self, cloud: Provider, power: Power, system_id: str = "sys-1") -> Machine:
        """Wait until a machine has a power, and return it."""
        self.until(lambda: cloud.machine(system_id).power is power)
        return cloud.machine(system_id)

    def up(self, cloud: Provider, system_id: str = "sys-1") -> str:
        """Make a machine, wait until it runs, and return its id."""
        machine_id = cloud.create(self.order(cloud, system_id))
        self.become(cloud, Power.RUNNING, system_id)
        return machine_id

    def down(self, cloud: Provider) -> str:
        """Make a machine, wait until it has stopped, and return its id."""
        machine_id = self.up(cloud)
        cloud.stop(machine_id)
        self.become(cloud, Power.STOPPED)
        return machine_id

    def shell(self, cloud: Provider, machine_id: str) -> Shell:
        """Return the inside of a running machine; skips the test where this cloud's machines have none."""
        shell = cloud.endpoint(machine_id).shell
        if shell is None:
            assert not self.has_shell
            pytest.skip("the machines of this cloud are set up by their image, and have no shell")
        return shell

    def available(self, cloud: Provider, snapshot_id: str) -> None:
        """Wait until a snapshot is there."""
        self.until(lambda: cloud.snapshot(snapshot_id).state is not CopyState.CREATING)
        assert cloud.snapshot(snapshot_id).state is CopyState.AVAILABLE, cloud.snapshot(snapshot_id)
