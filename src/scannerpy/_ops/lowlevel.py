"""Registering an op in two steps, by the names of its columns: what `Client.register_op` and
`Client.register_python_kernel` do. Such a kernel takes and returns a sequence of untyped columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scannerpy import types
from scannerpy._ops import registry
from scannerpy._ops.parse import check_state, checked_stencil, stored_name
from scannerpy._ops.signature import Column, KernelSpec, OpSignature
from scannerpy.common import ColumnType, DeviceType
from scannerpy.errors import RegistrationError
from scannerpy.protobufs import protobufs

BY_NAME = "Client.register_op"


def register_op(
    name: str,
    input_columns: Sequence[Any],
    output_columns: Sequence[Any],
    variadic_inputs: bool = False,
    stencil: Sequence[int] | None = None,
    unbounded_state: bool = False,
    bounded_state: int | None = None,
    proto_path: str | None = None,
) -> OpSignature:
    """Register an op, without kernels yet; the same name again replaces it.

    A column is a name (a blob) or ``(name, ColumnType[, ScannerTypeInfo])``. Raises RegistrationError.
    """
    where = f"op {name!r}"
    if not isinstance(name, str) or not name:
        raise RegistrationError(f"{where} has a name that is not a string")
    check_state(where, unbounded_state, bounded_state)
    inputs = () if variadic_inputs else tuple(_column(where, column) for column in input_columns)
    outputs = tuple(_column(where, column) for column in output_columns)
    if not outputs or not (inputs or variadic_inputs):
        raise RegistrationError(f"{where} needs at least one input column (or variadic_inputs) and one output column")
    if proto_path is not None:
        protobufs.add_module(proto_path)
    signature = OpSignature(
        name=name,
        inputs=inputs,
        outputs=outputs,
        variadic=variadic_inputs,
        stencil=checked_stencil(where, stencil),
        warmup=bounded_state,
        unbounded=bool(unbounded_state),
    )
    return registry.register(signature, registry.Origin(BY_NAME, name))


def _column(where: str, column: Any) -> Column:
    if isinstance(column, str):
        return Column(column, is_video=False)
    if isinstance(column, (tuple, list)) and len(column) in {2, 3} and isinstance(column[1], ColumnType):
        info: types.ScannerTypeInfo | None = column[2] if len(column) == 3 else None
        is_video = column[1] is ColumnType.Video
        return Column(column[0], is_video, "" if is_video or info is None else stored_name(info))
    raise RegistrationError(
        f"{where} has a column {column!r}: give a name, or (name, ColumnType), or (name, ColumnType, type info)"
    )


def register_kernel(op_name: str, device_type: DeviceType, kernel: Any, batch: int = 1) -> OpSignature:
    """Give the op called `op_name` a kernel: a class with ``execute(self, columns)`` or a function
    ``f(config, columns)`` that returns a tuple of columns. Raises UnknownOp or RegistrationError.
    """
    where = f"the kernel of op {op_name!r}"
    if not isinstance(device_type, DeviceType):
        raise RegistrationError(f"{where} is for {device_type!r}: use DeviceType.CPU or DeviceType.GPU")
    if not callable(kernel) or (isinstance(kernel, type) and not callable(getattr(kernel, "execute", None))):
        raise RegistrationError(f"{where} is {kernel!r}: give a function or a class with an execute method")
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise RegistrationError(f"{where} has batch={batch!r}: give a whole number, 1 (cannot batch) or more")
    return registry.add_kernel(op_name, device_type, KernelSpec(kernel, "raw", batch))
