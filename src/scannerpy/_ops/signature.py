"""The frozen description of an op: what the graph checks against and what the kernel host runs.

Made by `parse` from a Python class or function, by `Client.register_op` from names, or by a native library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from scannerpy.common import DeviceType

WHOLE_STREAM_BATCH = 1_000_000
"""An op whose batch is at least this asks for *all* rows at once: it runs as one task per stream or slice group,
so that what it returns does not depend on packet sizes."""


@dataclass(frozen=True, slots=True)
class Column:
    """One input or output of an op."""

    name: str
    is_video: bool
    type_name: str = ""  # the registered type's cpp_name; "" for frames and plain bytes


@dataclass(frozen=True, slots=True)
class KernelSpec:
    """How to make and run one kernel of an op, on one kind of device."""

    factory: Any  # the decorated class or function
    kind: Literal["class", "function", "raw"]  # raw: `register_python_kernel`'s protocol of untyped columns
    batch: int = 1  # preferred batch; 1: the kernel takes one row at a time and cannot batch
    releases_gil: bool = False  # a promise of its author; no executor makes use of it yet
    keeps_inputs: bool = False  # promises not to write into its input arrays, so they need not be copied


@dataclass(frozen=True, slots=True)
class OpSignature:
    """What an op takes and gives. `stencil` is None for an op that cannot see neighbours; `warmup` is None unless it
    keeps bounded state.
    """

    name: str
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    variadic: bool = False
    stencil: tuple[int, ...] | None = None
    warmup: int | None = None
    unbounded: bool = False
    init_params: tuple[str, ...] | None = None  # None: takes anything (function ops)
    init_required: tuple[str, ...] = ()
    stream_params: tuple[str, ...] = ()
    stream_required: tuple[str, ...] = ()
    kernels: Mapping[DeviceType, KernelSpec] = field(default_factory=dict)
    unique_id: str = ""  # tells two definitions of one name apart
