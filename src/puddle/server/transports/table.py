"""The methods of `puddle.v2`: what each takes and gives is read from the services, what it does from `messages/`.

A method that is in a service and not here is not served (a test proves there is none); one that is here and has no rule
in `domain.permissions` is refused to everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from puddle.client.proto.v2 import (
    admin_service_pb2,
    auth_service_pb2,
    event_service_pb2,
    image_service_pb2,
    instance_type_service_pb2,
    report_service_pb2,
    snapshot_service_pb2,
    system_service_pb2,
    tag_service_pb2,
)
from puddle.server.transports.calls import Function, Method
from puddle.server.transports.messages import (
    admin,
    auth,
    events,
    images,
    instance_types,
    reports,
    snapshots,
    systems,
    tags,
)

_SERVED = (
    (auth_service_pb2, auth),
    (system_service_pb2, systems),
    (snapshot_service_pb2, snapshots),
    (image_service_pb2, images),
    (instance_type_service_pb2, instance_types),
    (tag_service_pb2, tags),
    (report_service_pb2, reports),
    (event_service_pb2, events),
    (admin_service_pb2, admin),
)

FILES: tuple[FileDescriptor, ...] = tuple(file.DESCRIPTOR for file, _ in _SERVED)
"""The files that have a service."""

WATCH = "SystemService/WatchSystems"
"""The one method with a stream of answers; see `watching`."""


def described() -> Iterator[tuple[str, MethodDescriptor]]:
    """Yield every method of every service as ("SystemService/StopSystem", its descriptor)."""
    for file in FILES:
        for service in file.services_by_name.values():
            for method in service.methods:
                yield f"{service.name}/{method.name}", method


def path_of(name: str) -> str:
    """Return the path at which a method is called."""
    return f"/puddle.v2.{name}"


def _method(name: str, descriptor: MethodDescriptor, run: Function, *, reads: bool) -> Method:
    request: Any = GetMessageClass(descriptor.input_type)
    response: Any = GetMessageClass(descriptor.output_type)
    asks_products = "include_models" in descriptor.input_type.fields_by_name
    return Method(name, request, response, run, reads, asks_products, request())


def _table() -> Mapping[str, Method]:
    functions = {name: run for _, module in _SERVED for name, run in module.METHODS.items()}
    reads = {name for _, module in _SERVED for name in module.READS}
    return {
        path_of(name): _method(name, descriptor, functions[name], reads=name in reads)
        for name, descriptor in described()
        if name in functions
    }


TABLE: Mapping[str, Method] = _table()
"""Path → method."""


def _streamed(_api: object, _call: object, _message: object) -> Message:
    raise TypeError(f"{WATCH} is answered by `watching`, with a stream")


WATCHED: Method = _method(WATCH, dict(described())[WATCH], _streamed, reads=False)
"""The one method that is answered with a stream; it is not in `TABLE`."""
