"""What a kernel is: the base class users derive from, and the configuration each instance is given.

A kernel's life, once per pipeline instance and run: ``__init__(config, **init arguments)``; `fetch_resources` in one
instance per worker; `setup_with_resources` in each; then for every task `reset` and `new_stream(**stream arguments)`,
then `execute` per row or batch with `reset` again before any row that does not follow the last one; `close` at the end.
A kernel must not assume that it sees the tasks of a stream in order, or only one stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from scannerpy.common import ColumnType, DeviceHandle, DeviceType

__all__ = ["Kernel", "KernelConfig", "python_kernel_fn"]


@dataclass
class KernelConfig:
    """What a kernel instance may know about its place.

    * `devices`: the devices it may use.
    * `input_columns`, `output_columns` and their `…_types`: the names and kinds of its columns, in order.
    * `args`: all of the op's arguments, by name; the only way a function op learns of them.
    * `node_id`: the number of the worker it runs in.
    """

    devices: Sequence[DeviceHandle] = (DeviceHandle(DeviceType.CPU, 0),)
    input_columns: Sequence[str] = ()
    input_column_types: Sequence[ColumnType] = ()
    output_columns: Sequence[str] = ()
    output_column_types: Sequence[ColumnType] = ()
    args: dict[str, Any] = field(default_factory=dict)
    node_id: int = 0


class Kernel:
    """Base class of kernels written as classes. Every method but `execute` may be left as it is."""

    def __init__(self, config: KernelConfig, init_parameter: Any = None) -> None:  # noqa: ARG002  # documented
        """Keep `config`. Parameters that a subclass adds after `config` are the op's init arguments;
        `init_parameter` only shows the form.
        """
        self.config = config

    def close(self) -> None:
        """Free what was taken; called once, at the end of the run."""

    def fetch_resources(self) -> None:
        """Download what the op needs; called in one instance per worker, before `setup_with_resources`."""

    def setup_with_resources(self) -> None:
        """Load what was fetched; called in every instance."""

    if TYPE_CHECKING:  # subclasses choose their own parameters, which a checker accepts in this form only
        new_stream: Callable[..., None]
        execute: Callable[..., Any]
    else:

        def new_stream(self) -> None:
            """Take the parameters of the stream at hand; called at the start of every task, after `reset`.

            Parameters a subclass adds are the op's per-stream arguments.
            """

        def execute(self, stream_parameter: bytes) -> Any:
            """Compute the outputs of one row, or of one batch of rows. Subclasses annotate inputs and outputs."""
            raise NotImplementedError(f"{type(self).__name__} has no execute method")

    def reset(self) -> None:
        """Forget all rows seen; called before the first row of a task and after every gap."""


def python_kernel_fn(kernel: Any, config: KernelConfig, args: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """Make one instance of `kernel` and return what runs it on inputs: a class's bound `execute`, a function with its
    `config` filled in. The seam between a kernel and whatever hosts it; handy in a kernel's unit test:

        python_kernel_fn(MyKernel, KernelConfig(), {"threshold": 3})(frame=frame)
    """
    if not isinstance(kernel, type):
        return partial(kernel, config)
    execute: Callable[..., Any] = kernel(config, **(args or {})).execute
    return execute
