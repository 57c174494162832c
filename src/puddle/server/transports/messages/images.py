"""`ImageService`."""

from __future__ import annotations

from collections.abc import Mapping

from puddle.client.proto.v2 import image_service_pb2 as pb
from puddle.server.api import Api
from puddle.server.domain.catalog import Image
from puddle.server.transports.calls import Call, Function
from puddle.server.transports.messages.enums import number
from puddle.server.transports.messages.statuses import IMAGE


def image(found: Image) -> pb.Image:
    """Return an image. There is one version of a product in each, so its id is the version's too."""
    return pb.Image(
        id=found.id,
        product=found.product,
        text=found.version,
        version=found.version,
        selected_version=found.id,
        status_code=number(found.status),
        status_text=IMAGE[found.status],
        cloud=found.cloud,
        cloud_image_id=found.cloud_image_id,
        checksum=found.checksum,
        created=found.created,
        updated=found.updated,
        status_detail=found.detail,
    )


def _available(api: Api, _call: Call, message: pb.ListImagesRequest) -> pb.ListImagesResponse:
    return pb.ListImagesResponse(images=[image(each) for each in api.images.available(message.cloud, message.product)])


def _all(api: Api, _call: Call, message: pb.ListImagesRequest) -> pb.ListImagesResponse:
    return pb.ListImagesResponse(images=[image(each) for each in api.images.all(message.cloud, message.product)])


def _get(api: Api, _call: Call, message: pb.ImageRequest) -> pb.Image:
    return image(api.images.get(message.id))


def _build(api: Api, call: Call, message: pb.BuildImageRequest) -> pb.Image:
    if message.id:
        return image(api.images.rebuild(call.caller, message.id))
    return image(api.images.build(call.caller, message.cloud, message.product, message.version))


def _delete(api: Api, call: Call, message: pb.ImageRequest) -> pb.Image:
    return image(api.images.delete(call.caller, message.id))


def _log(api: Api, _call: Call, message: pb.ImageRequest) -> pb.BuildLog:
    return pb.BuildLog(text=api.images.log(message.id))


METHODS: Mapping[str, Function] = {
    "ImageService/ListAvailableImages": _available,
    "ImageService/ListImages": _all,
    "ImageService/GetImage": _get,
    "ImageService/BuildImage": _build,
    "ImageService/DeleteImage": _delete,
    "ImageService/GetBuildLog": _log,
}
READS = frozenset({"ImageService/ListAvailableImages", "ImageService/ListImages", "ImageService/GetImage"})
