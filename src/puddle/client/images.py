"""`ImagesClient`: what systems can be made from."""

from __future__ import annotations

from collections.abc import Sequence

from puddle.client.base_client import BaseCloudClient, id_of
from puddle.client.errors.puddle_errors import ImageFailedError
from puddle.client.models import Image
from puddle.client.product import Product
from puddle.client.proto.v2 import image_service_pb2 as pb

OVER = {
    Image.IMAGE_STATUS_AVAILABLE.code,
    Image.IMAGE_STATUS_FAILED.code,
    Image.IMAGE_STATUS_DELETING.code,
    Image.IMAGE_STATUS_DELETED.code,
}
"""Where building an image has ended. A status this client does not know is none of them: it is on its way."""


class ImagesClient(BaseCloudClient):
    """Images of one cloud."""

    def list_available(self, product: str | Product | None = None) -> list[Image]:
        """Return the images the caller may make systems from."""
        return self._list("ListAvailableImages", product)

    def list_all(self, product: str | Product | None = None) -> list[Image]:
        """Return all images, whatever their status. For administrators."""
        return self._list("ListImages", product)

    def get(self, image: str | Image) -> Image:
        """Return an image as it is now."""
        return Image(self._call("ImageService", "GetImage", pb.ImageRequest(id=id_of(image)), pb.Image()))

    def build(self, product: str | Product, version: str = "", wait: bool = True) -> Image:
        """Build an image of a version ("": the newest), or return the one that is there. For administrators.

        Raises ImageFailedError where that fails.
        """
        request = pb.BuildImageRequest(cloud=self.cloud.id, product=id_of(product), version=version)
        made = Image(self._call("ImageService", "BuildImage", request, pb.Image()))
        return self.wait_for_available(made) if wait else made

    def rebuild(self, image: str | Image, wait: bool = True) -> Image:
        """Build an image again that has failed. For administrators."""
        made = Image(self._call("ImageService", "BuildImage", pb.BuildImageRequest(id=id_of(image)), pb.Image()))
        return self.wait_for_available(made) if wait else made

    def delete(self, image: str | Image) -> Image:
        """Delete an image; systems made from it stay. For administrators."""
        return Image(self._call("ImageService", "DeleteImage", pb.ImageRequest(id=id_of(image)), pb.Image()))

    def build_log(self, image: str | Image) -> str:
        """Return what building the image printed. For administrators."""
        return self._call("ImageService", "GetBuildLog", pb.ImageRequest(id=id_of(image)), pb.BuildLog()).text

    def wait_for_available(self, image: str | Image, timeout_minutes: float | None = None) -> Image:
        """Wait until an image is available. Raises ImageFailedError where it fails."""
        seen = self._wait(
            lambda: self.get(image),
            lambda it: it.status_code in OVER,
            lambda it: f"image {it.product} {it.version} is still {it.status_text.lower()}",
            timeout_minutes,
        )
        if seen.status_code != Image.IMAGE_STATUS_AVAILABLE.code:
            raise ImageFailedError(_why_not(seen))
        return seen

    def _list(self, method: str, product: str | Product | None) -> list[Image]:
        request = pb.ListImagesRequest(cloud=self.cloud.id, product=id_of(product) if product else "")
        images: Sequence[pb.Image] = self._call("ImageService", method, request, pb.ListImagesResponse()).images
        return [Image(image) for image in images]


def _why_not(image: Image) -> str:
    said = f"image {image.product} {image.version} is {image.status_text.lower()}"
    why = f": {image.status_detail}" if image.status_detail else ""
    return f"{said}{why}; what building it printed: `build_log`, or `puddle images log {image.id}`"
