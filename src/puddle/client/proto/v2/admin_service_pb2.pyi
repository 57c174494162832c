from puddle.client.proto.v2 import auth_service_pb2 as _auth_service_pb2
from puddle.client.proto.v2 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Limits(_message.Message):
    __slots__ = ("systems", "running", "cu", "budget_per_month_decimal")
    SYSTEMS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    CU_FIELD_NUMBER: _ClassVar[int]
    BUDGET_PER_MONTH_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    systems: int
    running: int
    cu: int
    budget_per_month_decimal: str
    def __init__(self, systems: _Optional[int] = ..., running: _Optional[int] = ..., cu: _Optional[int] = ..., budget_per_month_decimal: _Optional[str] = ...) -> None: ...

class User(_message.Message):
    __slots__ = ("user", "active", "limits", "created", "last_login", "systems", "cost_this_month_decimal")
    USER_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    LAST_LOGIN_FIELD_NUMBER: _ClassVar[int]
    SYSTEMS_FIELD_NUMBER: _ClassVar[int]
    COST_THIS_MONTH_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    user: _auth_service_pb2.LoginUser
    active: bool
    limits: Limits
    created: int
    last_login: int
    systems: int
    cost_this_month_decimal: str
    def __init__(self, user: _Optional[_Union[_auth_service_pb2.LoginUser, _Mapping]] = ..., active: _Optional[bool] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., created: _Optional[int] = ..., last_login: _Optional[int] = ..., systems: _Optional[int] = ..., cost_this_month_decimal: _Optional[str] = ...) -> None: ...

class ListUsersResponse(_message.Message):
    __slots__ = ("users",)
    USERS_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[User]
    def __init__(self, users: _Optional[_Iterable[_Union[User, _Mapping]]] = ...) -> None: ...

class CreateUserRequest(_message.Message):
    __slots__ = ("name", "email", "display_name", "role", "groups")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    name: str
    email: str
    display_name: str
    role: _auth_service_pb2.Role
    groups: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., email: _Optional[str] = ..., display_name: _Optional[str] = ..., role: _Optional[_Union[_auth_service_pb2.Role, str]] = ..., groups: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdateUserRequest(_message.Message):
    __slots__ = ("id", "role", "active", "limits", "groups", "set_groups", "email", "display_name")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    SET_GROUPS_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    role: _auth_service_pb2.Role
    active: bool
    limits: Limits
    groups: _containers.RepeatedScalarFieldContainer[str]
    set_groups: bool
    email: str
    display_name: str
    def __init__(self, id: _Optional[str] = ..., role: _Optional[_Union[_auth_service_pb2.Role, str]] = ..., active: _Optional[bool] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., set_groups: _Optional[bool] = ..., email: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("name", "limits")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    limits: Limits
    def __init__(self, name: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ...) -> None: ...

class ListGroupsResponse(_message.Message):
    __slots__ = ("groups",)
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[Group]
    def __init__(self, groups: _Optional[_Iterable[_Union[Group, _Mapping]]] = ...) -> None: ...

class Alert(_message.Message):
    __slots__ = ("id", "time", "kind", "system_id", "message", "acknowledged")
    ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    id: str
    time: int
    kind: str
    system_id: str
    message: str
    acknowledged: bool
    def __init__(self, id: _Optional[str] = ..., time: _Optional[int] = ..., kind: _Optional[str] = ..., system_id: _Optional[str] = ..., message: _Optional[str] = ..., acknowledged: _Optional[bool] = ...) -> None: ...

class ListAlertsRequest(_message.Message):
    __slots__ = ("include_acknowledged",)
    INCLUDE_ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    include_acknowledged: bool
    def __init__(self, include_acknowledged: _Optional[bool] = ...) -> None: ...

class ListAlertsResponse(_message.Message):
    __slots__ = ("alerts",)
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    def __init__(self, alerts: _Optional[_Iterable[_Union[Alert, _Mapping]]] = ...) -> None: ...

class AlertRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...
