"""What administrators offer: images, instance types, and the tags creators fill in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ImageStatus(IntEnum):
    """Where an image stands; the numbers are those of the wire."""

    UNKNOWN = 0
    NOT_YET_BUILT = 1
    BUILDING = 2
    AVAILABLE = 3
    FAILED = 4
    DELETING = 5
    DELETED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One product in one version, from which systems are made."""

    id: str
    cloud: str
    product: str
    version: str
    created: int
    updated: int
    status: ImageStatus = ImageStatus.NOT_YET_BUILT
    cloud_image_id: str = ""
    checksum: str = ""
    detail: str = ""
    builder: str = ""
    build_until: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """A size of machine an administrator offers."""

    id: str
    text: str
    cloud: str
    cloud_name: str
    price_micros: int
    vcpus: float = 1.0
    memory_gb: float = 1.0
    gpu_count: int = 0
    gpu_type: str = ""
    cu: int = 1
    enabled: bool = True
    allowed_groups: tuple[str, ...] = ()


class TagStatus(IntEnum):
    """Where a tag stands; the numbers are those of the wire."""

    UNKNOWN = 0
    OK = 1
    DELETED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What creators of systems are asked, and every cloud resource of theirs carries."""

    id: str
    label: str
    created: int
    updated: int
    input_type: str = "text"
    default_value: str = ""
    required: bool = False
    pattern: str = ""
    options: tuple[str, ...] = ()
    status: TagStatus = TagStatus.OK
