from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImageStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMAGE_STATUS_UNKNOWN: _ClassVar[ImageStatus]
    IMAGE_STATUS_NOT_YET_BUILT: _ClassVar[ImageStatus]
    IMAGE_STATUS_BUILDING: _ClassVar[ImageStatus]
    IMAGE_STATUS_AVAILABLE: _ClassVar[ImageStatus]
    IMAGE_STATUS_FAILED: _ClassVar[ImageStatus]
    IMAGE_STATUS_DELETING: _ClassVar[ImageStatus]
    IMAGE_STATUS_DELETED: _ClassVar[ImageStatus]
IMAGE_STATUS_UNKNOWN: ImageStatus
IMAGE_STATUS_NOT_YET_BUILT: ImageStatus
IMAGE_STATUS_BUILDING: ImageStatus
IMAGE_STATUS_AVAILABLE: ImageStatus
IMAGE_STATUS_FAILED: ImageStatus
IMAGE_STATUS_DELETING: ImageStatus
IMAGE_STATUS_DELETED: ImageStatus

class Image(_message.Message):
    __slots__ = ("id", "product", "text", "version", "selected_version", "status_code", "status_text", "cloud", "cloud_image_id", "checksum", "created", "updated", "status_detail")
    ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SELECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_CODE_FIELD_NUMBER: _ClassVar[int]
    STATUS_TEXT_FIELD_NUMBER: _ClassVar[int]
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    CLOUD_IMAGE_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    STATUS_DETAIL_FIELD_NUMBER: _ClassVar[int]
    id: str
    product: str
    text: str
    version: str
    selected_version: str
    status_code: ImageStatus
    status_text: str
    cloud: str
    cloud_image_id: str
    checksum: str
    created: int
    updated: int
    status_detail: str
    def __init__(self, id: _Optional[str] = ..., product: _Optional[str] = ..., text: _Optional[str] = ..., version: _Optional[str] = ..., selected_version: _Optional[str] = ..., status_code: _Optional[_Union[ImageStatus, str]] = ..., status_text: _Optional[str] = ..., cloud: _Optional[str] = ..., cloud_image_id: _Optional[str] = ..., checksum: _Optional[str] = ..., created: _Optional[int] = ..., updated: _Optional[int] = ..., status_detail: _Optional[str] = ...) -> None: ...

class ListImagesRequest(_message.Message):
    __slots__ = ("cloud", "product")
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    cloud: str
    product: str
    def __init__(self, cloud: _Optional[str] = ..., product: _Optional[str] = ...) -> None: ...

class ListImagesResponse(_message.Message):
    __slots__ = ("images",)
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedCompositeFieldContainer[Image]
    def __init__(self, images: _Optional[_Iterable[_Union[Image, _Mapping]]] = ...) -> None: ...

class ImageRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class BuildImageRequest(_message.Message):
    __slots__ = ("id", "cloud", "product", "version")
    ID_FIELD_NUMBER: _ClassVar[int]
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    cloud: str
    product: str
    version: str
    def __init__(self, id: _Optional[str] = ..., cloud: _Optional[str] = ..., product: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class BuildLog(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...
