from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class SQLConfig(_message.Message):
    __slots__ = ("hostaddr", "port", "dbname", "user", "password", "adapter")
    HOSTADDR_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    DBNAME_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    hostaddr: str
    port: int
    dbname: str
    user: str
    password: str
    adapter: str
    def __init__(self, hostaddr: _Optional[str] = ..., port: _Optional[int] = ..., dbname: _Optional[str] = ..., user: _Optional[str] = ..., password: _Optional[str] = ..., adapter: _Optional[str] = ...) -> None: ...

class SQLQuery(_message.Message):
    __slots__ = ("fields", "table", "id", "group")
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    fields: str
    table: str
    id: str
    group: str
    def __init__(self, fields: _Optional[str] = ..., table: _Optional[str] = ..., id: _Optional[str] = ..., group: _Optional[str] = ...) -> None: ...
