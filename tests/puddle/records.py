"""Records as tests need them: ordinary ones, of which a test names only what matters to it."""

from __future__ import annotations

from typing import Any

from puddle.server.domain.catalog import InstanceType
from puddle.server.domain.people import Role, User
from puddle.server.domain.records import Meter, Session, Snapshot, System


def system(**given: Any) -> System:
    """A system as it is created."""
    ordinary = {
        "id": "s-1", "name": "one", "owner_id": "u-1", "cloud": "simulated", "product": "simulated", "version": "1",
        "image_id": "i-1", "instance_type_id": "t-1", "disk_gb": 10, "created": 1000, "updated": 1000,
    }  # fmt: skip
    return System(**{**ordinary, **given})


def user(**given: Any) -> User:
    """A user."""
    return User(**{"id": "u-1", "name": "ann", "role": Role.USER, **given})


def instance_type(**given: Any) -> InstanceType:
    """An instance type."""
    ordinary = {"id": "t-1", "text": "small", "cloud": "simulated", "cloud_name": "small", "price_micros": 900_000}
    return InstanceType(**{**ordinary, **given})


def session(**given: Any) -> Session:
    """A session of a system's machine."""
    ordinary = {
        "id": "x-1", "meter": Meter.VM, "subject_id": "s-1", "system_id": "s-1", "owner_id": "u-1", "text": "small",
        "price_micros": 900_000, "start": 1000, "booked": 1000,
    }  # fmt: skip
    return Session(**{**ordinary, **given})


def snapshot(**given: Any) -> Snapshot:
    """A snapshot of a system's disk."""
    ordinary = {
        "id": "c-1", "name": "copy", "description": "", "system_id": "s-1", "owner_id": "u-1", "cloud": "simulated",
        "product": "simulated", "version": "1", "image_id": "i-1", "disk_gb": 10, "created": 1000, "updated": 1000,
    }  # fmt: skip
    return Snapshot(**{**ordinary, **given})
