"""Compute units: what the whole installation has, and who uses it."""

from __future__ import annotations

from puddle.client.proto.v2 import system_service_pb2


class SystemConsumptionInfo:
    """A system that is consuming compute units now."""

    def __init__(self, system_consumption_info: system_service_pb2.SystemConsumptionInfo) -> None:
        """`system_consumption_info` is the backend's message."""
        self._info = system_consumption_info

    @property
    def system_id(self) -> str:
        """Id of the system."""
        return self._info.system_id

    @property
    def system_name(self) -> str:
        """Name of the system."""
        return self._info.system_name

    @property
    def cu(self) -> int:
        """Number of consumed CU."""
        return self._info.cu

    def __repr__(self) -> str:
        return f"<SystemConsumptionInfo {self.system_name}: {self.cu} CU>"


class CUConsumptionInfo:
    """The compute units of the whole installation."""

    def __init__(self, cu_consumption_info: system_service_pb2.GetCUConsumptionInfoResponse) -> None:
        """`cu_consumption_info` is the backend's message."""
        self._info = cu_consumption_info

    @property
    def available_cu(self) -> int:
        """Number of CU still available."""
        return self._info.available_cu

    @property
    def consumed_cu(self) -> int:
        """Number of CU consumed now by all users."""
        return self._info.consumed_cu

    @property
    def systems_consumption_info(self) -> list[SystemConsumptionInfo] | None:
        """The current user's systems that are consuming CU."""
        return [SystemConsumptionInfo(info) for info in self._info.systems_consumption_info]

    def __repr__(self) -> str:
        return f"<CUConsumptionInfo: {self.consumed_cu} consumed, {self.available_cu} available>"
