"""Images, from which systems are provisioned."""

from __future__ import annotations

from typing import ClassVar

from puddle.client.models.base_status import BaseStatus
from puddle.client.proto.v2 import image_service_pb2


class Image:
    """An image: one product in one version."""

    class Status(BaseStatus):
        """Where an image stands."""

        __slots__ = ()

    IMAGE_STATUS_UNKNOWN: ClassVar[Status] = Status(0, "Unknown")
    IMAGE_STATUS_NOT_YET_BUILT: ClassVar[Status] = Status(1, "Not yet built")
    IMAGE_STATUS_BUILDING: ClassVar[Status] = Status(2, "Building")
    IMAGE_STATUS_AVAILABLE: ClassVar[Status] = Status(3, "Available")
    IMAGE_STATUS_FAILED: ClassVar[Status] = Status(4, "Failed")
    IMAGE_STATUS_DELETING: ClassVar[Status] = Status(5, "Deleting")
    IMAGE_STATUS_DELETED: ClassVar[Status] = Status(6, "Deleted")
    ALL_STATES: ClassVar[list[Status]] = [
        IMAGE_STATUS_UNKNOWN,
        IMAGE_STATUS_NOT_YET_BUILT,
        IMAGE_STATUS_BUILDING,
        IMAGE_STATUS_AVAILABLE,
        IMAGE_STATUS_FAILED,
        IMAGE_STATUS_DELETING,
        IMAGE_STATUS_DELETED,
    ]

    def __init__(self, image: image_service_pb2.Image) -> None:
        """`image` is the backend's message."""
        self._image = image

    @property
    def id(self) -> str:
        """Id of this image."""
        return self._image.id

    @property
    def product(self) -> str:
        """Product in this image, for example ``dai``."""
        return self._image.product

    @property
    def text(self) -> str:
        """What people call it, for example ``1.8.1.1``."""
        return self._image.text

    @property
    def version(self) -> str:
        """Version of the product, for example ``1.7.0``."""
        return self._image.version

    @property
    def selected_version(self) -> str:
        """Id of the selected image version."""
        return self._image.selected_version

    @property
    def status_code(self) -> int:
        """Status code of this image; see ``Image.IMAGE_STATUS_*``."""
        return int(self._image.status_code)

    @property
    def status_text(self) -> str:
        """Human readable status."""
        return self._image.status_text or Image.Status.text_of(self.status_code, self.ALL_STATES)

    @property
    def status_detail(self) -> str:
        """Why it could not be built: a sentence."""
        return self._image.status_detail

    def __repr__(self) -> str:
        return f"<Image {self.id}: {self.product} {self.version}, {self.status_text}>"
