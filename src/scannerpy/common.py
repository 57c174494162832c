"""The small words of the public API: enums, device handles, performance parameters, the `scanner` logger."""

from __future__ import annotations

import logging
from enum import Enum
from typing import Any

from scannerpy.errors import ScannerException

__all__ = [
    "CacheMode",
    "ColumnType",
    "CustomFormatter",
    "DeviceHandle",
    "DeviceType",
    "PerfParams",
    "ScannerException",
    "log",
]


class DeviceType(Enum):
    """Where an op runs."""

    CPU = 0
    GPU = 1

    @staticmethod
    def to_proto(protobufs: Any, device: DeviceType) -> int:
        """Return the protobuf enum value of `device`; raises ScannerException for anything else."""
        if not isinstance(device, DeviceType):
            raise ScannerException(f"{device!r} is not a DeviceType: use DeviceType.CPU or DeviceType.GPU")
        return int(protobufs.GPU if device is DeviceType.GPU else protobufs.CPU)


class ColumnType(Enum):
    """What a column holds: serialized values, or frames."""

    Blob = 0
    Video = 1

    @staticmethod
    def to_proto(protobufs: Any, ty: ColumnType) -> int:
        """Return the protobuf enum value of `ty` (Blob is the wire's ``Bytes``)."""
        if not isinstance(ty, ColumnType):
            raise ScannerException(f"{ty!r} is not a ColumnType: use ColumnType.Blob or ColumnType.Video")
        return int(protobufs.Video if ty is ColumnType.Video else protobufs.Bytes)


class CacheMode(Enum):
    """What `Client.run` does with outputs that exist: refuse, skip them, or replace them."""

    Error = 1
    Ignore = 2
    Overwrite = 3


class DeviceHandle:
    """One device an op may use: its `device` (a DeviceType) and its number on the machine."""

    def __init__(self, device: DeviceType, device_id: int) -> None:
        self.device = device
        self.device_id = device_id

    @property
    def type(self) -> int:
        """0 for a CPU, 1 for a GPU: comparable with ``DeviceType.X.value``."""
        return int(self.device.value)

    @property
    def id(self) -> int:
        """The same as `device_id`."""
        return self.device_id

    def __repr__(self) -> str:
        return f"DeviceHandle({self.device.name}, {self.device_id})"


class CustomFormatter(logging.Formatter):
    """Log lines like ``I 26-02-19 10:11:12 file.py:042] text``."""

    def __init__(self, fmt: str | None = None, datefmt: str | None = None, style: Any = "%") -> None:
        default = "%(levelname).1s %(asctime)s %(filename)s:%(lineno)03d] %(message)s"
        super().__init__(fmt or default, datefmt or "%y-%m-%d %H:%M:%S", style)

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        return super().format(record)


def _make_log() -> logging.Logger:
    logger = logging.getLogger("scanner")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(CustomFormatter())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger


log = _make_log()


class PerfParams:
    pass
