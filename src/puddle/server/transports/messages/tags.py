"""`TagService`."""

from __future__ import annotations

from collections.abc import Mapping

from puddle.client.proto.v2 import tag_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty
from puddle.server.api import Api
from puddle.server.domain.catalog import Tag
from puddle.server.transports.calls import Call, Function
from puddle.server.transports.messages.enums import number


def tag(found: Tag) -> pb.Tag:
    """Return a question creators are asked."""
    return pb.Tag(
        id=found.id,
        label=found.label,
        input_type=found.input_type,
        default_value=found.default_value,
        required=found.required,
        status=number(found.status),
        created=found.created,
        updated=found.updated,
        pattern=found.pattern,
        options=found.options,
    )


def record(message: pb.Tag) -> Tag:
    """Return what a message asks; when, and whether it still counts, is not for callers to say."""
    return Tag(
        id=message.id,
        label=message.label,
        created=0,
        updated=0,
        input_type=message.input_type or "text",
        default_value=message.default_value,
        required=message.required,
        pattern=message.pattern,
        options=tuple(message.options),
    )


def _list(api: Api, _call: Call, _message: Empty) -> pb.ListTagsResponse:
    return pb.ListTagsResponse(tags=[tag(each) for each in api.tags.all()])


def _create(api: Api, call: Call, message: pb.Tag) -> pb.Tag:
    return tag(api.tags.create(call.caller, record(message)))


def _update(api: Api, call: Call, message: pb.Tag) -> pb.Tag:
    return tag(api.tags.update(call.caller, record(message)))


def _delete(api: Api, call: Call, message: pb.TagRequest) -> Empty:
    api.tags.delete(call.caller, message.id)
    return Empty()


METHODS: Mapping[str, Function] = {
    "TagService/ListTags": _list,
    "TagService/CreateTag": _create,
    "TagService/UpdateTag": _update,
    "TagService/DeleteTag": _delete,
}
READS = frozenset({"TagService/ListTags"})
