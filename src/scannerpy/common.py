"""Small types of the public API: enums, device handles, performance parameters, and the `scanner` logger."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from scannerpy._words import sizing
from scannerpy.errors import ConfigError, ScannerException

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
    """On the processor; the default of every op."""
    GPU = 1
    """On a graphics card."""

    @staticmethod
    def to_proto(protobufs: Any, device: DeviceType) -> int:
        """Return the protobuf enum value of `device`; raises ScannerException for anything else."""
        if not isinstance(device, DeviceType):
            raise ScannerException(f"{device!r} is not a DeviceType: use DeviceType.CPU or DeviceType.GPU")
        return int(protobufs.GPU if device is DeviceType.GPU else protobufs.CPU)


class ColumnType(Enum):
    """What a column holds."""

    Blob = 0
    """Values, serialized."""
    Video = 1
    """Frames."""

    @staticmethod
    def to_proto(protobufs: Any, ty: ColumnType) -> int:
        """Return the protobuf enum value of `ty` (Blob is the wire's ``Bytes``)."""
        if not isinstance(ty, ColumnType):
            raise ScannerException(f"{ty!r} is not a ColumnType: use ColumnType.Blob or ColumnType.Video")
        return int(protobufs.Video if ty is ColumnType.Video else protobufs.Bytes)


class CacheMode(Enum):
    """What `Client.run` does with outputs that exist."""

    Error = 1
    """Refuse: raise StreamExists, before anything is touched."""
    Ignore = 2
    """Keep what is complete, and compute the rest: also what an earlier run began and did not finish."""
    Overwrite = 3
    """Compute all of it again. What was there stays readable until the new result is complete."""


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


class _ToStandardError(logging.StreamHandler[Any]):
    """Writes to what the standard error is at that moment: while a progress bar is drawn, that is above the bar."""

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, stream: Any) -> None:
        """Keep the standard error, which the constructor wants to set."""


def _make_log() -> logging.Logger:
    logger = logging.getLogger("scanner")
    if not logger.handlers:
        handler = _ToStandardError()
        handler.setFormatter(CustomFormatter())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger


log = _make_log()


_POOL = re.compile(r"(p?)(\d+)([kmg])", re.IGNORECASE)
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def pool_bytes(text: str | None, *, pinned_allowed: bool = False) -> int | None:
    """Return the bytes meant by a pool size such as ``"512M"`` or (CPU pools only) ``"p4G"``; None for None.

    Raises ConfigError for any other form. Units are powers of 1024.
    """
    if text is None:
        return None
    match = _POOL.fullmatch(str(text).strip())
    if match is None or (match[1] and not pinned_allowed):
        raise ConfigError(f"{text!r} is not a pool size: write a whole number and K, M or G, as in '512M'")
    return int(match[2]) * _UNITS[match[3].lower()]


class PerfParams:
    """How a run is cut into packets and how much it may hold at once. Never changes results, only speed and memory.

    * `work_packet_size`: rows that flow between stages at a time.
    * `io_packet_size`: rows of one task, the unit of scheduling, storage and retry; a multiple of `work_packet_size`,
      or -1 for the same.
    * `cpu_pool`, `gpu_pool`: upper bounds such as ``"512M"`` for the elements one pipeline instance holds.
    * `pipeline_instances_per_node`: worker processes per machine; None: chosen from the graph and the machine.
    * `load_sparsity_threshold`: kept for compatibility; sparse reads are always exact.
    * `queue_size_per_pipeline`: tasks a worker may be given ahead.
    """

    estimated = False
    """Whether the packet sizes are an estimate, which `Client.run` may bring into line with the videos' keyframes."""

    def __init__(
        self,
        work_packet_size: int,
        io_packet_size: int,
        cpu_pool: str | None = None,
        gpu_pool: str | None = None,
        pipeline_instances_per_node: int | None = None,
        load_sparsity_threshold: int = 8,
        queue_size_per_pipeline: int = 4,
    ) -> None:
        self.work_packet_size = work_packet_size
        self.io_packet_size = io_packet_size
        self.cpu_pool = cpu_pool
        self.gpu_pool = gpu_pool
        self.pipeline_instances_per_node = pipeline_instances_per_node
        self.load_sparsity_threshold = load_sparsity_threshold
        self.queue_size_per_pipeline = queue_size_per_pipeline

    def __repr__(self) -> str:
        return f"PerfParams({', '.join(f'{k}={v!r}' for k, v in vars(self).items() if v is not None)})"

    @classmethod
    def manual(cls, work_packet_size: int, io_packet_size: int, **kwargs: Any) -> Callable[..., PerfParams]:
        """Fix the packet sizes; `kwargs` are the other constructor arguments. Returns what `Client.run` wants."""
        cls(work_packet_size, io_packet_size, **kwargs)  # a misspelt one raises here, not when the graph is run

        def fixed(**_graph: Any) -> PerfParams:
            return cls(work_packet_size, io_packet_size, **kwargs)

        return fixed

    @classmethod
    def estimate(
        cls,
        max_memory_util: float = 0.7,
        total_memory: int | None = None,
        work_io_ratio: float = 0.2,
        queue_size_per_pipeline: int = 4,
        **kwargs: Any,
    ) -> Callable[..., PerfParams]:
        """Choose packet sizes from the inputs' element sizes and this machine's memory and cores.

        `max_memory_util` is the fraction of `total_memory` (bytes; None: this machine's) that the elements of all
        pipelines may take together; `work_io_ratio` is work packet over io packet.
        """
        cls(1, 1, **kwargs)  # a misspelt one raises here, not when the graph is run

        def estimated(inputs: Sequence[Sequence[Any]] = (), ops: Sequence[Any] = ()) -> PerfParams:
            del ops
            sizes = sizing.Sizing(
                memory=total_memory or sizing.machine_memory(),
                share=max_memory_util,
                work_io_ratio=work_io_ratio,
                queue=queue_size_per_pipeline,
                pipelines=kwargs.get("pipeline_instances_per_node") or sizing.machine_cpus(),
            )
            work, io = sizes.packets(_element_sizes(inputs), *_lengths(inputs))
            log.debug("estimated work_packet_size %d and io_packet_size %d", work, io)
            params = cls(work, io, queue_size_per_pipeline=queue_size_per_pipeline, **kwargs)
            params.estimated = True
            return params

        return estimated


def _element_sizes(inputs: Sequence[Sequence[Any]]) -> list[int]:
    """Bytes of one element of the first stream of each input that can tell (a graph's streams are alike)."""
    sizes = []
    for streams in inputs:
        try:
            sizes.append(max(int(stream.estimate_size()) for stream in streams[:_LOOKED_AT]))
        except NotImplementedError:
            continue
    return sizes


def _lengths(inputs: Sequence[Sequence[Any]]) -> tuple[int | None, int | None]:
    """Rows of the longest stream looked at and of all streams together, or None where no stream can tell."""
    longest, together = [], []
    for streams in inputs:
        lengths = [length for stream in streams[:_LOOKED_AT] if (length := _length(stream)) is not None]
        if lengths:
            longest.append(max(lengths))
            together.append(sum(lengths) * len(streams) // len(lengths))
    return max(longest, default=None), max(together, default=None)


def _length(stream: Any) -> int | None:
    try:
        return len(stream)
    except (NotImplementedError, TypeError):
        return None


_LOOKED_AT = 100
"""How many streams of each input an estimate looks at: a guess from the first hundred is as good as from all."""
