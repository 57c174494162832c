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

    def __repr__(self) -> str:
        return f"<InstanceType {self.id}: {self.text}, {self.price}/h>"
