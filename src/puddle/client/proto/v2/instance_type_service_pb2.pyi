from puddle.client.proto.v2 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InstanceType(_message.Message):
    __slots__ = ("id", "text", "price", "gpu", "gpu_count", "gpu_type", "cloud", "cloud_name", "vcpus", "memory_gb", "cu", "enabled", "allowed_groups", "price_decimal")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    GPU_FIELD_NUMBER: _ClassVar[int]
    GPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    GPU_TYPE_FIELD_NUMBER: _ClassVar[int]
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    CLOUD_NAME_FIELD_NUMBER: _ClassVar[int]
    VCPUS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_GB_FIELD_NUMBER: _ClassVar[int]
    CU_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_GROUPS_FIELD_NUMBER: _ClassVar[int]
    PRICE_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    price: float
    gpu: bool
    gpu_count: int
    gpu_type: str
    cloud: str
    cloud_name: str
    vcpus: float
    memory_gb: float
    cu: int
    enabled: bool
    allowed_groups: _containers.RepeatedScalarFieldContainer[str]
    price_decimal: str
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ..., price: _Optional[float] = ..., gpu: _Optional[bool] = ..., gpu_count: _Optional[int] = ..., gpu_type: _Optional[str] = ..., cloud: _Optional[str] = ..., cloud_name: _Optional[str] = ..., vcpus: _Optional[float] = ..., memory_gb: _Optional[float] = ..., cu: _Optional[int] = ..., enabled: _Optional[bool] = ..., allowed_groups: _Optional[_Iterable[str]] = ..., price_decimal: _Optional[str] = ...) -> None: ...

class ListInstanceTypesRequest(_message.Message):
    __slots__ = ("cloud",)
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    cloud: str
    def __init__(self, cloud: _Optional[str] = ...) -> None: ...

class ListInstanceTypesResponse(_message.Message):
    __slots__ = ("instance_types",)
    INSTANCE_TYPES_FIELD_NUMBER: _ClassVar[int]
    instance_types: _containers.RepeatedCompositeFieldContainer[InstanceType]
    def __init__(self, instance_types: _Optional[_Iterable[_Union[InstanceType, _Mapping]]] = ...) -> None: ...

class InstanceTypeRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...
