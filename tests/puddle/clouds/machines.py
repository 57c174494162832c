"""What the tests of the local cloud share: a cloud in a folder, small machines, and waiting for what processes do."""

# ruff: noqa: S107 - tokens of steps are no passwords

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from puddle.server.clouds.base import Order, Service, Shape
from puddle.server.clouds.local import LocalCloud
from puddle.server.clouds.local.limits import find_own_group
from puddle.server.clouds.local.spec import Status
from puddle.server.domain.facts import Power
from puddle.testing.clouds import TinyRecipe

SMALL = Shape(cloud_type="small", vcpus=1, memory_gb=1, disk_gb=1)
SLEEPER = 'echo $$ > "{disk}/pid"; exec sleep 1000'
PATIENCE_S = 120.0
"""What takes a moment here may take a hundred of them on a machine with more to do; only what never comes is late."""


def until(condition):
    """Wait for what other processes do; return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)
    return found


@dataclass
class Local:
    """A local cloud and its folder, and the words of its tests."""

    cloud: LocalCloud

    @property
    def root(self) -> Path:
        return self.cloud.root

    def folder(self, system_id="sys-1") -> Path:
        return self.root / "machines" / system_id

    def disk(self, system_id="sys-1") -> Path:
        return self.folder(system_id) / "disk"

    def order(self, system_id="sys-1", **changes) -> Order:
        image = self.cloud.build_image("img-1", TinyRecipe(), "1.0").cloud_image_id
        base = {"name": "ada", "cloud_image_id": image, "shape": SMALL, "ports": {"http": 80}, "token": "t"}
        return Order(**{"system_id": system_id, **base, **changes})

    def become(self, power: Power, system_id="sys-1"):
        until(lambda: self.cloud.machine(system_id).power is power)
        return self.cloud.machine(system_id)

    def up(self, system_id="sys-1", **changes):
        """Return the inside of a new machine that runs."""
        machine_id = self.cloud.create(self.order(system_id, **changes))
        self.become(Power.RUNNING, system_id)
        return self.cloud.endpoint(machine_id).shell

    def group(self, system_id="sys-1") -> Path | None:
        """Return the control group in which the kernel holds a machine to its limits; None where it does not."""
        own = find_own_group()
        found = None if own is None else own / f"puddle-{system_id}"
        return found if found is not None and found.exists() else None

    def down(self, system_id="sys-1"):
        self.cloud.stop(system_id)
        self.become(Power.STOPPED, system_id)

    def supervisor(self, system_id="sys-1") -> int:
        return Status.read(self.folder(system_id)).who.pid

    def content(self, name, system_id="sys-1") -> str:
        """Wait for a file on a disk, and return what is in it."""
        path = self.disk(system_id) / name
        return until(lambda: path.exists() and path.read_text()).strip()

    def console(self, system_id="sys-1") -> str:
        return self.cloud.console(system_id)


def script(text, token="t1", **environment) -> Service:
    """Return a service that is a line of shell."""
    return Service(command=("sh", "-c", text), token=token, environment=environment)


def running(pid) -> bool:
    """Whether a process runs (one that only waits to be reaped does not, nor one that ends while we look)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False
