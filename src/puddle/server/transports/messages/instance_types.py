"""`InstanceTypeService`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from puddle.client.proto.v2 import instance_type_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty
from puddle.server.api import Api
from puddle.server.domain import validation
from puddle.server.domain.catalog import InstanceType
from puddle.server.transports.calls import Call, Function
from puddle.server.transports.messages import money


def instance_type(found: InstanceType) -> pb.InstanceType:
    """Return a size of machine."""
    return pb.InstanceType(
        id=found.id,
        text=found.text,
        price=money.price(found.price_micros),
        gpu=found.gpu_count > 0,
        gpu_count=found.gpu_count,
        gpu_type=found.gpu_type,
        cloud=found.cloud,
        cloud_name=found.cloud_name,
        vcpus=found.vcpus,
        memory_gb=found.memory_gb,
        cu=found.cu,
        enabled=found.enabled,
        allowed_groups=found.allowed_groups,
        price_decimal=money.exact_price(found.price_micros),
    )


def record(message: pb.InstanceType) -> InstanceType:
    """Return what a message says of a size. The decimal price counts, where there is one; a GPU is at least one."""
    return InstanceType(
        id=message.id,
        text=message.text,
        cloud=message.cloud,
        cloud_name=message.cloud_name,
        price_micros=_price(message),
        vcpus=message.vcpus,
        memory_gb=message.memory_gb,
        gpu_count=message.gpu_count or int(message.gpu),
        gpu_type=message.gpu_type,
        cu=message.cu,
        enabled=message.enabled,
        allowed_groups=tuple(message.allowed_groups),
    )


def _price(message: pb.InstanceType) -> int:
    if message.price_decimal:
        return validation.price("price_decimal", message.price_decimal)
    return validation.price("price", _written(message.price))


def _written(price: float) -> str:
    """Return a double as people write it: 0.9 and not 0.90000000000000002. What is no price stays none."""
    return f"{price:.6f}".rstrip("0").rstrip(".") if abs(price) < 1e9 else str(price)


def _listed(found: Iterable[InstanceType]) -> pb.ListInstanceTypesResponse:
    return pb.ListInstanceTypesResponse(instance_types=[instance_type(each) for each in found])


def _available(api: Api, call: Call, message: pb.ListInstanceTypesRequest) -> pb.ListInstanceTypesResponse:
    return _listed(api.instance_types.available(call.caller, message.cloud))


def _all(api: Api, _call: Call, message: pb.ListInstanceTypesRequest) -> pb.ListInstanceTypesResponse:
    return _listed(api.instance_types.all(message.cloud))


def _create(api: Api, call: Call, message: pb.InstanceType) -> pb.InstanceType:
    """Offer a size. It is enabled, and takes a compute unit where nothing is said: proto3 cannot tell 0 from that."""
    given = record(message)
    return instance_type(api.instance_types.create(call.caller, replace(given, enabled=True, cu=given.cu or 1)))


def _update(api: Api, call: Call, message: pb.InstanceType) -> pb.InstanceType:
    return instance_type(api.instance_types.update(call.caller, record(message)))


def _delete(api: Api, call: Call, message: pb.InstanceTypeRequest) -> Empty:
    api.instance_types.delete(call.caller, message.id)
    return Empty()


METHODS: Mapping[str, Function] = {
    "InstanceTypeService/ListAvailableInstanceTypes": _available,
    "InstanceTypeService/ListInstanceTypes": _all,
    "InstanceTypeService/CreateInstanceType": _create,
    "InstanceTypeService/UpdateInstanceType": _update,
    "InstanceTypeService/DeleteInstanceType": _delete,
}
READS = frozenset({"InstanceTypeService/ListAvailableInstanceTypes", "InstanceTypeService/ListInstanceTypes"})
