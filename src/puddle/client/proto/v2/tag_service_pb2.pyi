from puddle.client.proto.v2 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TagStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TAG_STATUS_UNKNOWN: _ClassVar[TagStatus]
    TAG_STATUS_OK: _ClassVar[TagStatus]
    TAG_STATUS_DELETED: _ClassVar[TagStatus]
TAG_STATUS_UNKNOWN: TagStatus
TAG_STATUS_OK: TagStatus
TAG_STATUS_DELETED: TagStatus

class Tag(_message.Message):
    __slots__ = ("id", "label", "input_type", "default_value", "required", "status", "created", "updated", "pattern", "options")
    ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_TYPE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    label: str
    input_type: str
    default_value: str
    required: bool
    status: TagStatus
    created: int
    updated: int
    pattern: str
    options: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., label: _Optional[str] = ..., input_type: _Optional[str] = ..., default_value: _Optional[str] = ..., required: _Optional[bool] = ..., status: _Optional[_Union[TagStatus, str]] = ..., created: _Optional[int] = ..., updated: _Optional[int] = ..., pattern: _Optional[str] = ..., options: _Optional[_Iterable[str]] = ...) -> None: ...

class ListTagsResponse(_message.Message):
    __slots__ = ("tags",)
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedCompositeFieldContainer[Tag]
    def __init__(self, tags: _Optional[_Iterable[_Union[Tag, _Mapping]]] = ...) -> None: ...

class TagRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...
