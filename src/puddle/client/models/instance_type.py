"""Instance types: the sizes of machines."""

from __future__ import annotations

from puddle.client.proto.v2 import instance_type_service_pb2


class InstanceType:
    """A size of machine that can be asked for."""

    def __init__(self, instance_type: instance_type_service_pb2.InstanceType) -> None:
        """`instance_type` is the backend's message."""
        self._instance_type = instance_type

    @property
    def id(self) -> str:
        """Id of this instance type."""
        return self._instance_type.id

    @property
    def text(self) -> str:
        """Human readable name."""
        return self._instance_type.text

    @property
    def price(self) -> float:
        """Price per hour while started."""
        return self._instance_type.price

    @property
    def gpu(self) -> bool:
        """Whether it has a GPU."""
        return self._instance_type.gpu

    @property
    def gpu_count(self) -> int:
        """The number of GPUs; 0 where there is none or the number is not known."""
        return self._instance_type.gpu_count

    @property
    def gpu_type(self) -> str:
        """The kind of GPU; empty where there is none or it is not known."""
        return self._instance_type.gpu_type

    @property
    def vcpus(self) -> float:
        """Processors."""
        return self._instance_type.vcpus

    @property
    def memory_gb(self) -> float:
        """Memory in GB."""
        return self._instance_type.memory_gb

    @property
    def cu(self) -> int:
        """Compute units a system of this size holds while it is started."""
        return self._instance_type.cu

    @property
    def enabled(self) -> bool:
        """Whether it is offered."""
        return self._instance_type.enabled

    @property
    def allowed_groups(self) -> list[str]:
        """The groups it is offered to; none means everybody."""
        return list(self._instance_type.allowed_groups)

    def __repr__(self) -> str:
        return f"<InstanceType {self.id}: {self.text}, {self.price}/h>"
