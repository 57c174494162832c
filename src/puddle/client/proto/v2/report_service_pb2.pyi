from puddle.client.proto.v2 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReportStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_STATUS_UNKNOWN: _ClassVar[ReportStatus]
    REPORT_STATUS_PENDING: _ClassVar[ReportStatus]
    REPORT_STATUS_READY: _ClassVar[ReportStatus]
    REPORT_STATUS_FAILED: _ClassVar[ReportStatus]
REPORT_STATUS_UNKNOWN: ReportStatus
REPORT_STATUS_PENDING: ReportStatus
REPORT_STATUS_READY: ReportStatus
REPORT_STATUS_FAILED: ReportStatus

class CreateReportRequest(_message.Message):
    __slots__ = ("start", "end", "everybody")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    EVERYBODY_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    everybody: bool
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ..., everybody: _Optional[bool] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("id", "status", "start", "end", "created", "total_decimal", "status_detail", "total_amount")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    STATUS_DETAIL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    id: str
    status: ReportStatus
    start: int
    end: int
    created: int
    total_decimal: str
    status_detail: str
    total_amount: int
    def __init__(self, id: _Optional[str] = ..., status: _Optional[_Union[ReportStatus, str]] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., created: _Optional[int] = ..., total_decimal: _Optional[str] = ..., status_detail: _Optional[str] = ..., total_amount: _Optional[int] = ...) -> None: ...

class ReportEntry(_message.Message):
    __slots__ = ("system_id", "system_name", "owner_id", "owner_name", "cloud", "product", "version", "instance_type", "session_id", "start", "end", "seconds", "price_per_hour", "cost", "kind", "tags", "cost_decimal", "amount")
    SYSTEM_ID_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_NAME_FIELD_NUMBER: _ClassVar[int]
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    PRICE_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    COST_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    system_id: str
    system_name: str
    owner_id: str
    owner_name: str
    cloud: str
    product: str
    version: str
    instance_type: str
    session_id: str
    start: int
    end: int
    seconds: int
    price_per_hour: float
    cost: float
    kind: str
    tags: _containers.RepeatedCompositeFieldContainer[_common_pb2.TagData]
    cost_decimal: str
    amount: int
    def __init__(self, system_id: _Optional[str] = ..., system_name: _Optional[str] = ..., owner_id: _Optional[str] = ..., owner_name: _Optional[str] = ..., cloud: _Optional[str] = ..., product: _Optional[str] = ..., version: _Optional[str] = ..., instance_type: _Optional[str] = ..., session_id: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., seconds: _Optional[int] = ..., price_per_hour: _Optional[float] = ..., cost: _Optional[float] = ..., kind: _Optional[str] = ..., tags: _Optional[_Iterable[_Union[_common_pb2.TagData, _Mapping]]] = ..., cost_decimal: _Optional[str] = ..., amount: _Optional[int] = ...) -> None: ...

class ReportRequest(_message.Message):
    __slots__ = ("id", "page_size", "page_token")
    ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    id: str
    page_size: int
    page_token: str
    def __init__(self, id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReportEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[ReportEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[ReportEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListReportsResponse(_message.Message):
    __slots__ = ("reports",)
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[Report]
    def __init__(self, reports: _Optional[_Iterable[_Union[Report, _Mapping]]] = ...) -> None: ...
