"""Compute units: what the whole installation has, and who uses it."""

from __future__ import annotations

from decimal import Decimal

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


class Allowance:
    """What somebody has, and may have at most. Whose limits count for a user: their own, and those of their groups."""

    def __init__(self, allowance: system_service_pb2.Allowance) -> None:
        """`allowance` is the backend's message."""
        self._info = allowance

    @property
    def whose(self) -> str:
        """Whose limits these are: "you", "group research"."""
        return self._info.whose

    @property
    def systems(self) -> int:
        """Number of systems that are not terminated."""
        return self._info.systems

    @property
    def systems_limit(self) -> int | None:
        """How many there may be; None where there is no limit."""
        return self._info.systems_limit or None

    @property
    def running(self) -> int:
        """Number of systems that run, or are about to."""
        return self._info.running

    @property
    def running_limit(self) -> int | None:
        """How many may run at once; None where there is no limit."""
        return self._info.running_limit or None

    @property
    def cu(self) -> int:
        """Number of CU they consume."""
        return self._info.cu

    @property
    def cu_limit(self) -> int | None:
        """How many they may consume at once; None where there is no limit."""
        return self._info.cu_limit or None

    @property
    def cost_this_month(self) -> Decimal:
        """What was spent since the month began (UTC), exactly."""
        return Decimal(self._info.cost_this_month_decimal or 0)

    @property
    def budget_per_month(self) -> Decimal | None:
        """How much may be spent in a month; None where there is no budget."""
        return Decimal(self._info.budget_per_month_decimal) if self._info.budget_per_month_decimal else None

    def __repr__(self) -> str:
        return f"<Allowance of {self.whose}: {self.running} of {self.running_limit or 'any number of'} running systems>"


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

    @property
    def allowances(self) -> list[Allowance]:
        """What the current user may have, and has, of systems, CU and money; empty from older servers."""
        return [Allowance(each) for each in self._info.allowances]

    def __repr__(self) -> str:
        return f"<CUConsumptionInfo: {self.consumed_cu} consumed, {self.available_cu} available>"
