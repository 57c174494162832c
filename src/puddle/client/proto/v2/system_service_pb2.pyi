from puddle.client.proto.v2 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SystemStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYSTEM_STATUS_UNKNOWN: _ClassVar[SystemStatus]
    SYSTEM_STATUS_INITIALIZING: _ClassVar[SystemStatus]
    SYSTEM_STATUS_STARTING: _ClassVar[SystemStatus]
    SYSTEM_STATUS_STARTED: _ClassVar[SystemStatus]
    SYSTEM_STATUS_STOPPING: _ClassVar[SystemStatus]
    SYSTEM_STATUS_STOPPED: _ClassVar[SystemStatus]
    SYSTEM_STATUS_REBOOTING: _ClassVar[SystemStatus]
    SYSTEM_STATUS_RESTARTING_DAI: _ClassVar[SystemStatus]
    SYSTEM_STATUS_SCALING: _ClassVar[SystemStatus]
    SYSTEM_STATUS_SNAPSHOTTING: _ClassVar[SystemStatus]
    SYSTEM_STATUS_FAILING: _ClassVar[SystemStatus]
    SYSTEM_STATUS_FAILED: _ClassVar[SystemStatus]
    SYSTEM_STATUS_TERMINATING: _ClassVar[SystemStatus]
    SYSTEM_STATUS_TERMINATED: _ClassVar[SystemStatus]

class VmStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VM_STATUS_UNKNOWN: _ClassVar[VmStatus]
    VM_STATUS_WAITING: _ClassVar[VmStatus]
    VM_STATUS_WAITING_FOR_SOURCE_SNAPSHOT: _ClassVar[VmStatus]
    VM_STATUS_PROVISIONING: _ClassVar[VmStatus]
    VM_STATUS_RUNNING: _ClassVar[VmStatus]
    VM_STATUS_DEALLOCATING: _ClassVar[VmStatus]
    VM_STATUS_DEALLOCATED: _ClassVar[VmStatus]
    VM_STATUS_STARTING: _ClassVar[VmStatus]
    VM_STATUS_TERMINATING: _ClassVar[VmStatus]
    VM_STATUS_TERMINATED: _ClassVar[VmStatus]

class ProductStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRODUCT_STATUS_UNKNOWN: _ClassVar[ProductStatus]
    PRODUCT_STATUS_VM_UNAVAILABLE: _ClassVar[ProductStatus]
    PRODUCT_STATUS_WAITING_FOR_VM: _ClassVar[ProductStatus]
    PRODUCT_STATUS_WAITING_FOR_PRODUCT: _ClassVar[ProductStatus]
    PRODUCT_STATUS_READY: _ClassVar[ProductStatus]

class ConfigStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONFIG_STATUS_UNKNOWN: _ClassVar[ConfigStatus]
    CONFIG_STATUS_OK: _ClassVar[ConfigStatus]
    CONFIG_STATUS_UPLOADING: _ClassVar[ConfigStatus]
    CONFIG_STATUS_UPLOADED: _ClassVar[ConfigStatus]
    CONFIG_STATUS_FAILED: _ClassVar[ConfigStatus]

class SnapshotStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SNAPSHOT_STATUS_UNKNOWN: _ClassVar[SnapshotStatus]
    SNAPSHOT_STATUS_CREATING: _ClassVar[SnapshotStatus]
    SNAPSHOT_STATUS_AVAILABLE: _ClassVar[SnapshotStatus]
    SNAPSHOT_STATUS_FAILED: _ClassVar[SnapshotStatus]
    SNAPSHOT_STATUS_DELETING: _ClassVar[SnapshotStatus]
    SNAPSHOT_STATUS_DELETED: _ClassVar[SnapshotStatus]

class Scope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCOPE_MINE: _ClassVar[Scope]
    SCOPE_ALL: _ClassVar[Scope]
SYSTEM_STATUS_UNKNOWN: SystemStatus
SYSTEM_STATUS_INITIALIZING: SystemStatus
SYSTEM_STATUS_STARTING: SystemStatus
SYSTEM_STATUS_STARTED: SystemStatus
SYSTEM_STATUS_STOPPING: SystemStatus
SYSTEM_STATUS_STOPPED: SystemStatus
SYSTEM_STATUS_REBOOTING: SystemStatus
SYSTEM_STATUS_RESTARTING_DAI: SystemStatus
SYSTEM_STATUS_SCALING: SystemStatus
SYSTEM_STATUS_SNAPSHOTTING: SystemStatus
SYSTEM_STATUS_FAILING: SystemStatus
SYSTEM_STATUS_FAILED: SystemStatus
SYSTEM_STATUS_TERMINATING: SystemStatus
SYSTEM_STATUS_TERMINATED: SystemStatus
VM_STATUS_UNKNOWN: VmStatus
VM_STATUS_WAITING: VmStatus
VM_STATUS_WAITING_FOR_SOURCE_SNAPSHOT: VmStatus
VM_STATUS_PROVISIONING: VmStatus
VM_STATUS_RUNNING: VmStatus
VM_STATUS_DEALLOCATING: VmStatus
VM_STATUS_DEALLOCATED: VmStatus
VM_STATUS_STARTING: VmStatus
VM_STATUS_TERMINATING: VmStatus
VM_STATUS_TERMINATED: VmStatus
PRODUCT_STATUS_UNKNOWN: ProductStatus
PRODUCT_STATUS_VM_UNAVAILABLE: ProductStatus
PRODUCT_STATUS_WAITING_FOR_VM: ProductStatus
PRODUCT_STATUS_WAITING_FOR_PRODUCT: ProductStatus
PRODUCT_STATUS_READY: ProductStatus
CONFIG_STATUS_UNKNOWN: ConfigStatus
CONFIG_STATUS_OK: ConfigStatus
CONFIG_STATUS_UPLOADING: ConfigStatus
CONFIG_STATUS_UPLOADED: ConfigStatus
CONFIG_STATUS_FAILED: ConfigStatus
SNAPSHOT_STATUS_UNKNOWN: SnapshotStatus
SNAPSHOT_STATUS_CREATING: SnapshotStatus
SNAPSHOT_STATUS_AVAILABLE: SnapshotStatus
SNAPSHOT_STATUS_FAILED: SnapshotStatus
SNAPSHOT_STATUS_DELETING: SnapshotStatus
SNAPSHOT_STATUS_DELETED: SnapshotStatus
SCOPE_MINE: Scope
SCOPE_ALL: Scope

class Snapshot(_message.Message):
    __slots__ = ("id", "name", "description", "system_id", "owner_id", "cloud", "cloud_snapshot_id", "product", "version", "disk_size_gb", "status", "created", "updated", "status_detail")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    CLOUD_SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DISK_SIZE_GB_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    STATUS_DETAIL_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    description: str
    system_id: str
    owner_id: str
    cloud: str
    cloud_snapshot_id: str
    product: str
    version: str
    disk_size_gb: int
    status: SnapshotStatus
    created: int
    updated: int
    status_detail: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., system_id: _Optional[str] = ..., owner_id: _Optional[str] = ..., cloud: _Optional[str] = ..., cloud_snapshot_id: _Optional[str] = ..., product: _Optional[str] = ..., version: _Optional[str] = ..., disk_size_gb: _Optional[int] = ..., status: _Optional[_Union[SnapshotStatus, str]] = ..., created: _Optional[int] = ..., updated: _Optional[int] = ..., status_detail: _Optional[str] = ...) -> None: ...

class Signal(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class Activity(_message.Message):
    __slots__ = ("last_activity", "source", "idle", "known", "signals", "reasons")
    LAST_ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    last_activity: int
    source: str
    idle: bool
    known: bool
    signals: _containers.RepeatedCompositeFieldContainer[Signal]
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, last_activity: _Optional[int] = ..., source: _Optional[str] = ..., idle: _Optional[bool] = ..., known: _Optional[bool] = ..., signals: _Optional[_Iterable[_Union[Signal, _Mapping]]] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class System(_message.Message):
    __slots__ = ("id", "name", "cloud", "cloud_id", "product", "version", "owner_id", "owner_name", "instance_type", "gpu", "gpu_count", "gpu_type", "disk_size_gb", "created", "updated", "status", "vm_status", "product_status", "config_status", "config_toml", "auth_type", "username", "password", "default_url", "ip_address", "private_ip", "public_ip", "idle_timeout", "idle_timeout_interval", "current_session_cost", "previous_sessions_cost", "provisioned", "in_transition", "can_launch", "can_fail", "snapshots", "instance_type_id", "image_id", "price_per_hour", "session_started", "tags", "generation", "status_reason", "status_detail", "current_session_cost_decimal", "previous_sessions_cost_decimal", "allowed_actions", "activity", "forecast_cost_per_day", "disk_cost_decimal")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    CLOUD_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_NAME_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    GPU_FIELD_NUMBER: _ClassVar[int]
    GPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    GPU_TYPE_FIELD_NUMBER: _ClassVar[int]
    DISK_SIZE_GB_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VM_STATUS_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_STATUS_FIELD_NUMBER: _ClassVar[int]
    CONFIG_STATUS_FIELD_NUMBER: _ClassVar[int]
    CONFIG_TOML_FIELD_NUMBER: _ClassVar[int]
    AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_URL_FIELD_NUMBER: _ClassVar[int]
    IP_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_IP_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_IP_FIELD_NUMBER: _ClassVar[int]
    IDLE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    IDLE_TIMEOUT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    CURRENT_SESSION_COST_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_SESSIONS_COST_FIELD_NUMBER: _ClassVar[int]
    PROVISIONED_FIELD_NUMBER: _ClassVar[int]
    IN_TRANSITION_FIELD_NUMBER: _ClassVar[int]
    CAN_LAUNCH_FIELD_NUMBER: _ClassVar[int]
    CAN_FAIL_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_TYPE_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_ID_FIELD_NUMBER: _ClassVar[int]
    PRICE_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    SESSION_STARTED_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    STATUS_REASON_FIELD_NUMBER: _ClassVar[int]
    STATUS_DETAIL_FIELD_NUMBER: _ClassVar[int]
    CURRENT_SESSION_COST_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_SESSIONS_COST_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    FORECAST_COST_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    DISK_COST_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    cloud: str
    cloud_id: str
    product: str
    version: str
    owner_id: str
    owner_name: str
    instance_type: str
    gpu: bool
    gpu_count: int
    gpu_type: str
    disk_size_gb: int
    created: int
    updated: int
    status: SystemStatus
    vm_status: VmStatus
    product_status: ProductStatus
    config_status: ConfigStatus
    config_toml: str
    auth_type: str
    username: str
    password: str
    default_url: str
    ip_address: str
    private_ip: str
    public_ip: str
    idle_timeout: int
    idle_timeout_interval: int
    current_session_cost: float
    previous_sessions_cost: float
    provisioned: bool
    in_transition: bool
    can_launch: bool
    can_fail: bool
    snapshots: _containers.RepeatedCompositeFieldContainer[Snapshot]
    instance_type_id: str
    image_id: str
    price_per_hour: float
    session_started: int
    tags: _containers.RepeatedCompositeFieldContainer[_common_pb2.TagData]
    generation: int
    status_reason: str
    status_detail: str
    current_session_cost_decimal: str
    previous_sessions_cost_decimal: str
    allowed_actions: _containers.RepeatedCompositeFieldContainer[_common_pb2.Action]
    activity: Activity
    forecast_cost_per_day: float
    disk_cost_decimal: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., cloud: _Optional[str] = ..., cloud_id: _Optional[str] = ..., product: _Optional[str] = ..., version: _Optional[str] = ..., owner_id: _Optional[str] = ..., owner_name: _Optional[str] = ..., instance_type: _Optional[str] = ..., gpu: _Optional[bool] = ..., gpu_count: _Optional[int] = ..., gpu_type: _Optional[str] = ..., disk_size_gb: _Optional[int] = ..., created: _Optional[int] = ..., updated: _Optional[int] = ..., status: _Optional[_Union[SystemStatus, str]] = ..., vm_status: _Optional[_Union[VmStatus, str]] = ..., product_status: _Optional[_Union[ProductStatus, str]] = ..., config_status: _Optional[_Union[ConfigStatus, str]] = ..., config_toml: _Optional[str] = ..., auth_type: _Optional[str] = ..., username: _Optional[str] = ..., password: _Optional[str] = ..., default_url: _Optional[str] = ..., ip_address: _Optional[str] = ..., private_ip: _Optional[str] = ..., public_ip: _Optional[str] = ..., idle_timeout: _Optional[int] = ..., idle_timeout_interval: _Optional[int] = ..., current_session_cost: _Optional[float] = ..., previous_sessions_cost: _Optional[float] = ..., provisioned: _Optional[bool] = ..., in_transition: _Optional[bool] = ..., can_launch: _Optional[bool] = ..., can_fail: _Optional[bool] = ..., snapshots: _Optional[_Iterable[_Union[Snapshot, _Mapping]]] = ..., instance_type_id: _Optional[str] = ..., image_id: _Optional[str] = ..., price_per_hour: _Optional[float] = ..., session_started: _Optional[int] = ..., tags: _Optional[_Iterable[_Union[_common_pb2.TagData, _Mapping]]] = ..., generation: _Optional[int] = ..., status_reason: _Optional[str] = ..., status_detail: _Optional[str] = ..., current_session_cost_decimal: _Optional[str] = ..., previous_sessions_cost_decimal: _Optional[str] = ..., allowed_actions: _Optional[_Iterable[_Union[_common_pb2.Action, _Mapping]]] = ..., activity: _Optional[_Union[Activity, _Mapping]] = ..., forecast_cost_per_day: _Optional[float] = ..., disk_cost_decimal: _Optional[str] = ...) -> None: ...

class DAIModel(_message.Message):
    __slots__ = ("id", "description", "dataset", "target", "scorer", "accuracy", "time", "interpretability", "score", "test_score", "progress", "training_duration", "status", "created", "updated", "system_id", "owner_name")
    ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    SCORER_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    INTERPRETABILITY_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    TEST_SCORE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    TRAINING_DURATION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    description: str
    dataset: str
    target: str
    scorer: str
    accuracy: int
    time: int
    interpretability: int
    score: float
    test_score: float
    progress: float
    training_duration: float
    status: int
    created: int
    updated: int
    system_id: str
    owner_name: str
    def __init__(self, id: _Optional[str] = ..., description: _Optional[str] = ..., dataset: _Optional[str] = ..., target: _Optional[str] = ..., scorer: _Optional[str] = ..., accuracy: _Optional[int] = ..., time: _Optional[int] = ..., interpretability: _Optional[int] = ..., score: _Optional[float] = ..., test_score: _Optional[float] = ..., progress: _Optional[float] = ..., training_duration: _Optional[float] = ..., status: _Optional[int] = ..., created: _Optional[int] = ..., updated: _Optional[int] = ..., system_id: _Optional[str] = ..., owner_name: _Optional[str] = ...) -> None: ...

class SystemConsumptionInfo(_message.Message):
    __slots__ = ("system_id", "system_name", "cu")
    SYSTEM_ID_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_NAME_FIELD_NUMBER: _ClassVar[int]
    CU_FIELD_NUMBER: _ClassVar[int]
    system_id: str
    system_name: str
    cu: int
    def __init__(self, system_id: _Optional[str] = ..., system_name: _Optional[str] = ..., cu: _Optional[int] = ...) -> None: ...

class GetCUConsumptionInfoRequest(_message.Message):
    __slots__ = ("cloud",)
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    cloud: str
    def __init__(self, cloud: _Optional[str] = ...) -> None: ...

class Allowance(_message.Message):
    __slots__ = ("whose", "systems", "systems_limit", "running", "running_limit", "cu", "cu_limit", "cost_this_month_decimal", "budget_per_month_decimal")
    WHOSE_FIELD_NUMBER: _ClassVar[int]
    SYSTEMS_FIELD_NUMBER: _ClassVar[int]
    SYSTEMS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    RUNNING_LIMIT_FIELD_NUMBER: _ClassVar[int]
    CU_FIELD_NUMBER: _ClassVar[int]
    CU_LIMIT_FIELD_NUMBER: _ClassVar[int]
    COST_THIS_MONTH_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    BUDGET_PER_MONTH_DECIMAL_FIELD_NUMBER: _ClassVar[int]
    whose: str
    systems: int
    systems_limit: int
    running: int
    running_limit: int
    cu: int
    cu_limit: int
    cost_this_month_decimal: str
    budget_per_month_decimal: str
    def __init__(self, whose: _Optional[str] = ..., systems: _Optional[int] = ..., systems_limit: _Optional[int] = ..., running: _Optional[int] = ..., running_limit: _Optional[int] = ..., cu: _Optional[int] = ..., cu_limit: _Optional[int] = ..., cost_this_month_decimal: _Optional[str] = ..., budget_per_month_decimal: _Optional[str] = ...) -> None: ...

class GetCUConsumptionInfoResponse(_message.Message):
    __slots__ = ("available_cu", "consumed_cu", "systems_consumption_info", "allowances")
    AVAILABLE_CU_FIELD_NUMBER: _ClassVar[int]
    CONSUMED_CU_FIELD_NUMBER: _ClassVar[int]
    SYSTEMS_CONSUMPTION_INFO_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCES_FIELD_NUMBER: _ClassVar[int]
    available_cu: int
    consumed_cu: int
    systems_consumption_info: _containers.RepeatedCompositeFieldContainer[SystemConsumptionInfo]
    allowances: _containers.RepeatedCompositeFieldContainer[Allowance]
    def __init__(self, available_cu: _Optional[int] = ..., consumed_cu: _Optional[int] = ..., systems_consumption_info: _Optional[_Iterable[_Union[SystemConsumptionInfo, _Mapping]]] = ..., allowances: _Optional[_Iterable[_Union[Allowance, _Mapping]]] = ...) -> None: ...

class CreateSystemRequest(_message.Message):
    __slots__ = ("name", "cloud", "product", "image_id", "instance_type_id", "disk_size_gb", "idle_timeout_interval", "config", "source_snapshot_id", "tags", "validate_only")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_ID_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_TYPE_ID_FIELD_NUMBER: _ClassVar[int]
    DISK_SIZE_GB_FIELD_NUMBER: _ClassVar[int]
    IDLE_TIMEOUT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    name: str
    cloud: str
    product: str
    image_id: str
    instance_type_id: str
    disk_size_gb: int
    idle_timeout_interval: int
    config: str
    source_snapshot_id: str
    tags: _containers.RepeatedCompositeFieldContainer[_common_pb2.TagData]
    validate_only: bool
    def __init__(self, name: _Optional[str] = ..., cloud: _Optional[str] = ..., product: _Optional[str] = ..., image_id: _Optional[str] = ..., instance_type_id: _Optional[str] = ..., disk_size_gb: _Optional[int] = ..., idle_timeout_interval: _Optional[int] = ..., config: _Optional[str] = ..., source_snapshot_id: _Optional[str] = ..., tags: _Optional[_Iterable[_Union[_common_pb2.TagData, _Mapping]]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ListSystemsRequest(_message.Message):
    __slots__ = ("scope", "cloud", "product", "statuses", "include_terminated", "include_models", "page_size", "page_token", "name")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_TERMINATED_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_MODELS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    scope: Scope
    cloud: str
    product: str
    statuses: _containers.RepeatedScalarFieldContainer[SystemStatus]
    include_terminated: bool
    include_models: bool
    page_size: int
    page_token: str
    name: str
    def __init__(self, scope: _Optional[_Union[Scope, str]] = ..., cloud: _Optional[str] = ..., product: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[SystemStatus, str]]] = ..., include_terminated: _Optional[bool] = ..., include_models: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class SystemWithModels(_message.Message):
    __slots__ = ("system", "models")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    system: System
    models: _containers.RepeatedCompositeFieldContainer[DAIModel]
    def __init__(self, system: _Optional[_Union[System, _Mapping]] = ..., models: _Optional[_Iterable[_Union[DAIModel, _Mapping]]] = ...) -> None: ...

class ListSystemsResponse(_message.Message):
    __slots__ = ("systems", "next_page_token")
    SYSTEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    systems: _containers.RepeatedCompositeFieldContainer[SystemWithModels]
    next_page_token: str
    def __init__(self, systems: _Optional[_Iterable[_Union[SystemWithModels, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetSystemRequest(_message.Message):
    __slots__ = ("id", "include_models")
    ID_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_MODELS_FIELD_NUMBER: _ClassVar[int]
    id: str
    include_models: bool
    def __init__(self, id: _Optional[str] = ..., include_models: _Optional[bool] = ...) -> None: ...

class SystemRequest(_message.Message):
    __slots__ = ("id", "expected_generation", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_GENERATION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    expected_generation: int
    reason: str
    def __init__(self, id: _Optional[str] = ..., expected_generation: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class StartSystemRequest(_message.Message):
    __slots__ = ("id", "expected_generation", "reason", "idle_timeout_interval")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_GENERATION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDLE_TIMEOUT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    id: str
    expected_generation: int
    reason: str
    idle_timeout_interval: int
    def __init__(self, id: _Optional[str] = ..., expected_generation: _Optional[int] = ..., reason: _Optional[str] = ..., idle_timeout_interval: _Optional[int] = ...) -> None: ...

class ScaleSystemRequest(_message.Message):
    __slots__ = ("id", "instance_type_id", "disk_size_gb")
    ID_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_TYPE_ID_FIELD_NUMBER: _ClassVar[int]
    DISK_SIZE_GB_FIELD_NUMBER: _ClassVar[int]
    id: str
    instance_type_id: str
    disk_size_gb: int
    def __init__(self, id: _Optional[str] = ..., instance_type_id: _Optional[str] = ..., disk_size_gb: _Optional[int] = ...) -> None: ...

class UpdateConfigRequest(_message.Message):
    __slots__ = ("id", "config", "restart")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    RESTART_FIELD_NUMBER: _ClassVar[int]
    id: str
    config: str
    restart: bool
    def __init__(self, id: _Optional[str] = ..., config: _Optional[str] = ..., restart: _Optional[bool] = ...) -> None: ...

class UpdateIdleTimeoutRequest(_message.Message):
    __slots__ = ("id", "minutes")
    ID_FIELD_NUMBER: _ClassVar[int]
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    id: str
    minutes: int
    def __init__(self, id: _Optional[str] = ..., minutes: _Optional[int] = ...) -> None: ...

class ExtendIdleTimeoutRequest(_message.Message):
    __slots__ = ("id", "minutes")
    ID_FIELD_NUMBER: _ClassVar[int]
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    id: str
    minutes: int
    def __init__(self, id: _Optional[str] = ..., minutes: _Optional[int] = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[DAIModel]
    def __init__(self, models: _Optional[_Iterable[_Union[DAIModel, _Mapping]]] = ...) -> None: ...

class Credentials(_message.Message):
    __slots__ = ("username", "password")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    username: str
    password: str
    def __init__(self, username: _Optional[str] = ..., password: _Optional[str] = ...) -> None: ...

class SshKey(_message.Message):
    __slots__ = ("private_key",)
    PRIVATE_KEY_FIELD_NUMBER: _ClassVar[int]
    private_key: str
    def __init__(self, private_key: _Optional[str] = ...) -> None: ...

class ConsoleRequest(_message.Message):
    __slots__ = ("id", "lines")
    ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    id: str
    lines: int
    def __init__(self, id: _Optional[str] = ..., lines: _Optional[int] = ...) -> None: ...

class Console(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class StatusText(_message.Message):
    __slots__ = ("code", "name", "text")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: int
    name: str
    text: str
    def __init__(self, code: _Optional[int] = ..., name: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class StatusCatalog(_message.Message):
    __slots__ = ("system", "vm", "product", "config", "image", "tag", "snapshot")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    VM_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    system: _containers.RepeatedCompositeFieldContainer[StatusText]
    vm: _containers.RepeatedCompositeFieldContainer[StatusText]
    product: _containers.RepeatedCompositeFieldContainer[StatusText]
    config: _containers.RepeatedCompositeFieldContainer[StatusText]
    image: _containers.RepeatedCompositeFieldContainer[StatusText]
    tag: _containers.RepeatedCompositeFieldContainer[StatusText]
    snapshot: _containers.RepeatedCompositeFieldContainer[StatusText]
    def __init__(self, system: _Optional[_Iterable[_Union[StatusText, _Mapping]]] = ..., vm: _Optional[_Iterable[_Union[StatusText, _Mapping]]] = ..., product: _Optional[_Iterable[_Union[StatusText, _Mapping]]] = ..., config: _Optional[_Iterable[_Union[StatusText, _Mapping]]] = ..., image: _Optional[_Iterable[_Union[StatusText, _Mapping]]] = ..., tag: _Optional[_Iterable[_Union[StatusText, _Mapping]]] = ..., snapshot: _Optional[_Iterable[_Union[StatusText, _Mapping]]] = ...) -> None: ...

class WatchSystemsRequest(_message.Message):
    __slots__ = ("scope", "ids")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    scope: Scope
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[Scope, str]] = ..., ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SystemEvent(_message.Message):
    __slots__ = ("kind", "system")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    kind: str
    system: System
    def __init__(self, kind: _Optional[str] = ..., system: _Optional[_Union[System, _Mapping]] = ...) -> None: ...
