"""Systems: a product on a machine."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import ClassVar

from puddle.client.models.base_status import BaseStatus
from puddle.client.models.driverless_ai_model import DriverlessAIModel
from puddle.client.models.snapshot import Snapshot
from puddle.client.models.tag import TagData
from puddle.client.proto.v2 import system_service_pb2


class System:
    """A system: what is asked of it, where it stands, how to reach it, what it costs.

    A picture taken when it was fetched; get it again to see what has changed.
    """

    class Status(BaseStatus):
        """Where a system stands."""

        __slots__ = ()

    class VmStatus(BaseStatus):
        """Where its machine stands."""

        __slots__ = ()

    class ProductStatus(BaseStatus):
        """Where the product on it stands."""

        __slots__ = ()

    class ConfigTomlStatus(BaseStatus):
        """Where an update of its configuration stands."""

        __slots__ = ()

    SYSTEM_STATUS_UNKNOWN: ClassVar[Status] = Status(0, "Unknown")
    SYSTEM_STATUS_INITIALIZING: ClassVar[Status] = Status(1, "Initializing")
    SYSTEM_STATUS_STARTING: ClassVar[Status] = Status(2, "Starting")
    SYSTEM_STATUS_STARTED: ClassVar[Status] = Status(3, "Started")
    SYSTEM_STATUS_STOPPING: ClassVar[Status] = Status(4, "Stopping")
    SYSTEM_STATUS_STOPPED: ClassVar[Status] = Status(5, "Stopped")
    SYSTEM_STATUS_REBOOTING: ClassVar[Status] = Status(6, "Rebooting")
    SYSTEM_STATUS_RESTARTING_DAI: ClassVar[Status] = Status(7, "Restarting Driverless AI")
    SYSTEM_STATUS_SCALING: ClassVar[Status] = Status(8, "Scaling")
    SYSTEM_STATUS_SNAPSHOTTING: ClassVar[Status] = Status(9, "Snapshotting")
    SYSTEM_STATUS_FAILING: ClassVar[Status] = Status(10, "Failing")
    SYSTEM_STATUS_FAILED: ClassVar[Status] = Status(11, "Failed")
    SYSTEM_STATUS_TERMINATING: ClassVar[Status] = Status(12, "Terminating")
    SYSTEM_STATUS_TERMINATED: ClassVar[Status] = Status(13, "Terminated")

    VM_STATUS_UNKNOWN: ClassVar[VmStatus] = VmStatus(0, "Unknown")
    VM_STATUS_WAITING: ClassVar[VmStatus] = VmStatus(1, "Waiting")
    VM_STATUS_WAITING_FOR_SOURCE_SNAPSHOT: ClassVar[VmStatus] = VmStatus(2, "Waiting for source snapshot")
    VM_STATUS_PROVISIONING: ClassVar[VmStatus] = VmStatus(3, "Provisioning")
    VM_STATUS_RUNNING: ClassVar[VmStatus] = VmStatus(4, "Running")
    VM_STATUS_DEALLOCATING: ClassVar[VmStatus] = VmStatus(5, "Deallocating")
    VM_STATUS_DEALLOCATED: ClassVar[VmStatus] = VmStatus(6, "Deallocated")
    VM_STATUS_STARTING: ClassVar[VmStatus] = VmStatus(7, "Starting")
    VM_STATUS_TERMINATING: ClassVar[VmStatus] = VmStatus(8, "Terminating")
    VM_STATUS_TERMINATED: ClassVar[VmStatus] = VmStatus(9, "Terminated")
    VM_STATUS_INVALID_VALUE_FROM_BACKEND: ClassVar[VmStatus] = VmStatus(-1, "Invalid value from backend")

    PRODUCT_STATUS_UNKNOWN: ClassVar[ProductStatus] = ProductStatus(0, "Unknown")
    PRODUCT_STATUS_VM_UNAVAILABLE: ClassVar[ProductStatus] = ProductStatus(1, "VM unavailable")
    PRODUCT_STATUS_WAITING_FOR_VM: ClassVar[ProductStatus] = ProductStatus(2, "Waiting for VM")
    PRODUCT_STATUS_WAITING_FOR_PRODUCT: ClassVar[ProductStatus] = ProductStatus(3, "Waiting for product")
    PRODUCT_STATUS_READY: ClassVar[ProductStatus] = ProductStatus(4, "Ready")

    CONFIG_STATUS_UNKNOWN: ClassVar[ConfigTomlStatus] = ConfigTomlStatus(0, "Unknown")
    CONFIG_STATUS_OK: ClassVar[ConfigTomlStatus] = ConfigTomlStatus(1, "OK")
    CONFIG_STATUS_UPLOADING: ClassVar[ConfigTomlStatus] = ConfigTomlStatus(2, "Uploading")
    CONFIG_STATUS_UPLOADED: ClassVar[ConfigTomlStatus] = ConfigTomlStatus(3, "Uploaded")
    CONFIG_STATUS_FAILED: ClassVar[ConfigTomlStatus] = ConfigTomlStatus(4, "Failed")

    # The names of old, for the same objects
    CONFIG_TOML_STATUS_UNKNOWN: ClassVar[ConfigTomlStatus] = CONFIG_STATUS_UNKNOWN
    CONFIG_TOML_STATUS_OK: ClassVar[ConfigTomlStatus] = CONFIG_STATUS_OK
    CONFIG_TOML_STATUS_UPLOADING: ClassVar[ConfigTomlStatus] = CONFIG_STATUS_UPLOADING
    CONFIG_TOML_STATUS_UPLOADED: ClassVar[ConfigTomlStatus] = CONFIG_STATUS_UPLOADED
    CONFIG_TOML_STATUS_FAILED: ClassVar[ConfigTomlStatus] = CONFIG_STATUS_FAILED

    ALL_CONFIG_STATES: ClassVar[list[ConfigTomlStatus]] = [
        CONFIG_STATUS_UNKNOWN,
        CONFIG_STATUS_OK,
        CONFIG_STATUS_UPLOADING,
        CONFIG_STATUS_UPLOADED,
        CONFIG_STATUS_FAILED,
    ]
    ALL_TOML_CONFIG_STATES: ClassVar[list[ConfigTomlStatus]] = ALL_CONFIG_STATES

    def __init__(
        self, system: system_service_pb2.System, models: Sequence[system_service_pb2.DAIModel] | None = None
    ) -> None:
        """`system` and `models` are the backend's messages; `models` is None where they were not asked for."""
        self._system = system
        self._models = models

    @property
    def id(self) -> str:
        """Id of this system."""
        return self._system.id

    @property
    def name(self) -> str:
        """Name of this system."""
        return self._system.name

    @property
    def cloud(self) -> str:
        """Id of its cloud provider, for example ``azure``; the same as ``CloudProvider.id``."""
        return self._system.cloud

    @property
    def cloud_id(self) -> str:
        """Identifier of this system in the cloud."""
        return self._system.cloud_id

    @property
    def product(self) -> str:
        """Product on this system."""
        return self._system.product

    @property
    def version(self) -> str:
        """Version of the product."""
        return self._system.version

    @property
    def owner_id(self) -> str:
        """Id of the owner."""
        return self._system.owner_id

    @property
    def owner_name(self) -> str:
        """Name of the owner."""
        return self._system.owner_name

    @property
    def instance_type(self) -> str:
        """Name of the instance type."""
        return self._system.instance_type

    @property
    def instance_type_id(self) -> str:
        """Id of the instance type."""
        return self._system.instance_type_id

    @property
    def image_id(self) -> str:
        """Id of the image it was made from."""
        return self._system.image_id

    @property
    def gpu(self) -> bool:
        """Whether it has a GPU."""
        return self._system.gpu

    @property
    def gpu_count(self) -> int:
        """The number of GPUs; 0 where there is none or the number is not known."""
        return self._system.gpu_count

    @property
    def gpu_type(self) -> str:
        """The kind of GPU; empty where there is none or it is not known."""
        return self._system.gpu_type

    @property
    def disk_size_gb(self) -> int:
        """Size of the disk in GB."""
        return self._system.disk_size_gb

    @property
    def created(self) -> int:
        """Unix timestamp when this system was created."""
        return self._system.created

    @property
    def updated(self) -> int:
        """Unix timestamp when this system was updated."""
        return self._system.updated

    @property
    def config_toml(self) -> str:
        """Content of config.toml; refreshed with every start of the system."""
        return self._system.config_toml

    @property
    def auth_type(self) -> str:
        """How to log in to the product."""
        return self._system.auth_type

    @property
    def username(self) -> str:
        """Name to log in to the product with."""
        return self._system.username

    @property
    def password(self) -> str:
        """Password to log in to the product with; only the owner is given it."""
        return self._system.password

    @property
    def default_url(self) -> str:
        """URL under which the product is reached."""
        return self._system.default_url

    @property
    def ip_address(self) -> str:
        """Default address: private or public, as the backend is configured."""
        return self._system.ip_address

    @property
    def private_ip(self) -> str:
        """Private address."""
        return self._system.private_ip

    @property
    def public_ip(self) -> str:
        """Public address."""
        return self._system.public_ip

    @property
    def idle_timeout(self) -> int:
        """Unix timestamp: the system is stopped if it is idle until then. 0 where it never is."""
        return self._system.idle_timeout

    @property
    def idle_timeout_interval(self) -> int:
        """Minutes of idleness after which it is stopped; -1 for never."""
        return self._system.idle_timeout_interval

    @property
    def current_session_cost(self) -> float:
        """Cost of the current session."""
        return self._system.current_session_cost

    @property
    def previous_sessions_cost(self) -> float:
        """Cost of all earlier sessions together."""
        return self._system.previous_sessions_cost

    @property
    def disk_cost(self) -> float | None:
        """What its disk has cost while its machine was down; None where it was not told, as of one of a list."""
        told = self._system.disk_cost_decimal
        return float(told) if told else None

    @property
    def provisioned(self) -> bool:
        """Whether it was provisioned successfully."""
        return self._system.provisioned

    @property
    def in_transition(self) -> bool:
        """Whether it is neither started nor stopped nor terminated nor failed."""
        return self._system.in_transition

    @property
    def can_launch(self) -> bool:
        """Whether it can be started."""
        return self._system.can_launch

    @property
    def can_fail(self) -> bool:
        """Whether it can be marked as failed by hand."""
        return self._system.can_fail

    @property
    def generation(self) -> int:
        """How many wishes have been taken for it."""
        return self._system.generation

    @property
    def status_reason(self) -> str:
        """Why it stands where it does: a word for programs."""
        return self._system.status_reason

    @property
    def status_detail(self) -> str:
        """Why it stands where it does: a sentence."""
        return self._system.status_detail

    @property
    def price_per_hour(self) -> float:
        """What an hour costs while it is started."""
        return self._system.price_per_hour

    @property
    def forecast_cost_per_day(self) -> float:
        """What a day costs as it stands: of its machine while that is up, else of its disk."""
        return self._system.forecast_cost_per_day

    @property
    def session_started(self) -> int:
        """Unix timestamp when the current session began; 0 where there is none."""
        return self._system.session_started

    @property
    def status(self) -> int:
        """Status code; see ``System.SYSTEM_STATUS_*``."""
        return int(self._system.status)

    @property
    def status_text(self) -> str:
        """Human readable `status`."""
        return System.Status.text_of(self.status, _SYSTEM_STATES)

    @property
    def vm_status(self) -> int:
        """Status code of the machine; see ``System.VM_STATUS_*``. -1 for one this client does not know."""
        code = int(self._system.vm_status)
        known = any(status.code == code for status in _VM_STATES)
        return code if known else System.VM_STATUS_INVALID_VALUE_FROM_BACKEND.code

    @property
    def vm_status_text(self) -> str:
        """Human readable `vm_status`."""
        return System.VmStatus.text_of(self.vm_status, _VM_STATES)

    @property
    def product_status(self) -> int:
        """Status code of the product; see ``System.PRODUCT_STATUS_*``."""
        return int(self._system.product_status)

    @property
    def product_status_text(self) -> str:
        """Human readable `product_status`."""
        return System.ProductStatus.text_of(self.product_status, _PRODUCT_STATES)

    @property
    def config_status(self) -> int:
        """Status code of the last update of the configuration; see ``System.CONFIG_STATUS_*``."""
        return int(self._system.config_status)

    @property
    def config_status_text(self) -> str:
        """Human readable `config_status`."""
        return System.ConfigTomlStatus.text_of(self.config_status, self.ALL_CONFIG_STATES)

    @property
    def config_toml_status(self) -> int:
        """Deprecated: `config_status`."""
        warnings.warn("config_toml_status is deprecated: use config_status", DeprecationWarning, stacklevel=2)
        return self.config_status

    @property
    def config_toml_status_text(self) -> str:
        """Deprecated: `config_status_text`."""
        warnings.warn("config_toml_status_text is deprecated: use config_status_text", DeprecationWarning, stacklevel=2)
        return self.config_status_text

    @property
    def models(self) -> list[DriverlessAIModel] | None:
        """The experiments on it; empty for H2O-3, None where they were not asked for."""
        return None if self._models is None else [DriverlessAIModel(model) for model in self._models]

    @property
    def snapshots(self) -> list[Snapshot] | None:
        """Its snapshots."""
        return [Snapshot(snapshot) for snapshot in self._system.snapshots]

    @property
    def tags(self) -> list[TagData]:
        """What its creator filled in."""
        return [TagData(tag.label, tag.value) for tag in self._system.tags]

    @property
    def why_on(self) -> list[str]:
        """Why it is on, and when it will stop: sentences. Empty where it is not started, or one of a list."""
        return list(self._system.activity.reasons)

    @property
    def allowed_actions(self) -> dict[str, str]:
        """What may be done to it now: each action's name, with "" or the reason it is refused."""
        return {action.name: "" if action.allowed else action.reason for action in self._system.allowed_actions}

    def __repr__(self) -> str:
        return f"<System {self.name} ({self.id}): {self.product} {self.version}, {self.status_text}>"


_SYSTEM_STATES = [value for name, value in vars(System).items() if name.startswith("SYSTEM_STATUS_")]
_VM_STATES = [value for name, value in vars(System).items() if name.startswith("VM_STATUS_")]
_PRODUCT_STATES = [value for name, value in vars(System).items() if name.startswith("PRODUCT_STATUS_")]
