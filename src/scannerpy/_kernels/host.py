"""Runs one kernel instance: its life cycle, and the execution of rows.

In: elements (`_words.elements`), per input and row a window of them (one wide without a stencil). Out: elements per
output column and row. Values are deserialized and serialized here (`convert`), batches formed, nulls skipped, and an
error of the kernel becomes a `KernelError` that names op, rows and the user's own stack frames. One instance is never
run by two threads at once.

What may surprise:

* A row with a null in any of its windows gives null in every output, and the kernel is not called. The kernel's state
  does not reach across it: `reset` comes before the next row, as after any gap.
* `reset` comes when a task begins and after a gap, but not twice in a row: a kernel that has executed nothing since its
  last reset is not reset again. So `new_stream`, which follows a task's first reset, is not undone.
* Ops that declare state never see a batch that crosses a gap. For others a gap inside a batch only means `reset` before
  that call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from scannerpy._graph.graph import Vertex
from scannerpy._kernels import convert
from scannerpy._kernels.arrays import describe
from scannerpy._kernels.failure import InvalidValue, kernel_error
from scannerpy._ops.signature import Column, KernelSpec, OpSignature
from scannerpy._words.elements import NULL, Element, NullElement
from scannerpy.common import ColumnType, DeviceHandle
from scannerpy.kernel import Kernel, KernelConfig

T = TypeVar("T")

Windows = Sequence[Sequence[Sequence[Element]]]
"""Per input, per row, the elements of the row's window."""

_NO_ARGS: Mapping[str, Any] = {}


class KernelHost:
    """One instance of the kernel of `vertex`.

    ``owned[i]`` promises that the arrays given for input i are writable, are given once, and have no other reference
    (see `sharing.owned_inputs`); all others are copied before a kernel may write into them. Making a host makes the
    kernel.
    All methods raise KernelError when the kernel's own code fails.
    """

    def __init__(
        self,
        vertex: Vertex,
        *,
        node_id: int = 0,
        owned: Sequence[bool] = (),
    ) -> None:
        self.label = vertex.label
        self.signature = _signature(vertex)
        self.spec: KernelSpec = self.signature.kernels[vertex.device]
        self.config = _config(vertex, self.signature, node_id)
        self.stateful = vertex.unbounded or vertex.warmup is not None
        self.batch = vertex.batch
        self._to_values = _input_converters(vertex, self.signature, self.spec, owned)
        self._to_elements = [convert.output(column, self.spec.kind != "raw") for column in self.signature.outputs]
        self._used = False  # has the kernel executed since its last reset?
        self._gap = False  # does the next row come after a gap?
        self.kernel: Any = self._guard("__init__", _make, self.spec, self.config, vertex.args)
        self._call = _calling(self.spec, self.signature, self.kernel, self.config)
        self._reset = _overridden(self.kernel, "reset")

    # Life cycle

    def fetch_resources(self) -> None:
        """Let the op download what it needs. For one instance per worker."""
        self._live("fetch_resources")

    def setup_with_resources(self) -> None:
        """Let the kernel load what was fetched. For every instance, after `fetch_resources` returned."""
        self._live("setup_with_resources")

    def begin_task(self, stream_args: Mapping[str, Any] = _NO_ARGS) -> None:
        """Start a task: `reset`, then `new_stream` with the stream's (or slice group's) arguments."""
        self._used = self._gap = False
        self._live("reset")
        self._live("new_stream", **stream_args)

    def close(self) -> None:
        """End the kernel's life. Only the first call does anything."""
        kernel, self.kernel = self.kernel, None
        method = _overridden(kernel, "close")
        if method is not None:
            self._guard("close", method)

    def _live(self, name: str, /, **kwargs: Any) -> None:
        method = _overridden(self.kernel, name)
        if method is not None:
            self._guard(name, method, **kwargs)

    def _guard(self, doing: str, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        try:
            return function(*args, **kwargs)
        except (Exception, SystemExit) as error:
            raise kernel_error(self.label, doing, (), error) from error

    # Rows

    def run(
        self, windows: Windows, resets: Sequence[bool] | npt.NDArray[np.bool_], rows: Sequence[int]
    ) -> list[list[Element]]:
        """Execute `rows`: per output, one element per row.

        ``windows[i][r]`` holds the elements of input i for the r-th of `rows`; ``resets[r]`` says that the row does not
        follow the one executed before it.
        """
        marks = resets.tolist() if isinstance(resets, np.ndarray) else resets
        outputs: list[list[Element]] = [[NULL] * len(rows) for _ in self._to_elements]
        if self.spec.batch > 1:
            self._run_batches(windows, marks, rows, outputs)
        else:
            self._run_rows(windows, marks, rows, outputs)
        return outputs

    def _run_rows(
        self, windows: Windows, resets: Sequence[bool], rows: Sequence[int], outputs: list[list[Element]]
    ) -> None:
        to_values, call, to_elements = self._to_values, self._call, list(enumerate(self._to_elements))
        position = 0
        try:
            for position, row in enumerate(zip(*windows, strict=True)):
                if _has_null(row):
                    self._gap = True
                    continue
                if resets[position] or self._gap:
                    self._reset_state()
                self._used = True
                cells = self._split(call([to_value(window) for to_value, window in zip(to_values, row, strict=True)]))
                for i, to_element in to_elements:
                    outputs[i][position] = to_element(cells, i)
        except (Exception, SystemExit) as error:
            raise kernel_error(self.label, "", rows[position : position + 1], error) from error

    def _run_batches(
        self, windows: Windows, resets: Sequence[bool], rows: Sequence[int], outputs: list[list[Element]]
    ) -> None:
        nulls = [_has_null(row) for row in zip(*windows, strict=True)]
        for start, end in self._batches(resets, nulls):
            self._gap |= any(resets[start:end])
            positions = [position for position in range(start, end) if not nulls[position]]
            if positions:
                self._run_batch(windows, positions, rows, outputs)
            self._gap |= len(positions) < end - start

    def _batches(self, resets: Sequence[bool], nulls: Sequence[bool]) -> Iterator[tuple[int, int]]:
        """Cut rows into calls. A stateful kernel's batch ends before a gap, and before and after a null.

        Full batches are counted from the last planned reset, where the plan's steps begin too: what is called together
        then does not depend on how many rows come in one step.
        """
        start, anchor, count = 0, 0, len(nulls)
        while start < count:
            if self.stateful and resets[start]:
                anchor = start
            end = min(start + self.batch - (start - anchor) % self.batch, count)
            if self.stateful:
                breaks = (p for p in range(start + 1, end) if resets[p] or nulls[p] or nulls[p - 1])
                end = next(breaks, end)
            yield start, end
            start = end

    def _run_batch(
        self, windows: Windows, positions: Sequence[int], rows: Sequence[int], outputs: list[list[Element]]
    ) -> None:
        try:
            if self._gap:
                self._reset_state()
            self._used = True
            inputs = zip(self._to_values, windows, strict=True)
            columns = self._split(self._call([[to_value(column[p]) for p in positions] for to_value, column in inputs]))
            for i, to_element in enumerate(self._to_elements):
                cells = _listed(columns, i, self.signature.outputs[i], len(positions))
                for j, position in enumerate(positions):
                    outputs[i][position] = to_element(cells, j)
        except (Exception, SystemExit) as error:
            raise kernel_error(self.label, "", [rows[p] for p in positions], error) from error

    def _reset_state(self) -> None:
        if self._used and self._reset is not None:
            self._reset()
        self._used = self._gap = False

    def _split(self, result: Any) -> list[Any]:
        """What was returned, one entry per output, in a list of our own: nothing here keeps `result` itself alive."""
        if len(self._to_elements) == 1 and self.spec.kind != "raw":
            return [result]
        if not isinstance(result, (tuple, list)) or len(result) != len(self._to_elements):
            given = f"{len(result)} values" if isinstance(result, (tuple, list)) else describe(result)
            raise InvalidValue(
                f"returned {given}: it has {len(self._to_elements)} outputs and must return a tuple of as many"
            )
        return list(result)


def _signature(vertex: Vertex) -> OpSignature:
    if vertex.signature is None:
        raise ValueError(f"vertex {vertex.number} ({vertex.label}) is no op: only ops have kernels")
    return vertex.signature


def _input_columns(vertex: Vertex, signature: OpSignature) -> list[Column]:
    """The declared column of every input; a variadic op declares one for all, or (raw kernels) none."""
    if not signature.variadic:
        return list(signature.inputs)
    return [signature.inputs[0] if signature.inputs else Column(edge.column, edge.is_video) for edge in vertex.inputs]


def _config(vertex: Vertex, signature: OpSignature, node_id: int) -> KernelConfig:
    inputs = _input_columns(vertex, signature)
    return KernelConfig(
        devices=[DeviceHandle(vertex.device, 0)],
        input_columns=[column.name for column in inputs],
        input_column_types=[_column_type(column) for column in inputs],
        output_columns=[column.name for column in signature.outputs],
        output_column_types=[_column_type(column) for column in signature.outputs],
        args=dict(vertex.args),
        node_id=node_id,
    )


def _column_type(column: Column) -> ColumnType:
    return ColumnType.Video if column.is_video else ColumnType.Blob


def _input_converters(
    vertex: Vertex, signature: OpSignature, spec: KernelSpec, owned: Sequence[bool]
) -> list[Callable[[Sequence[Element]], Any]]:
    """Per input: from a window to what the kernel receives."""
    converters = []
    for i, column in enumerate(_input_columns(vertex, signature)):
        copies = not spec.keeps_inputs and not (i < len(owned) and owned[i])
        to_value = convert.untyped_input(copies) if spec.kind == "raw" else convert.typed_input(column, copies)
        converters.append(_window_converter(to_value, signature.stencil is not None))
    return converters


def _window_converter(to_value: convert.FromElement, stencils: bool) -> Callable[[Sequence[Element]], Any]:
    if stencils:
        return lambda window: [to_value(element) for element in window]
    return lambda window: to_value(window[0])


def _make(spec: KernelSpec, config: KernelConfig, args: Mapping[str, Any]) -> Any:
    """The kernel object; a function has none."""
    if not isinstance(spec.factory, type):
        return None
    if spec.kind == "raw":  # declared by name only: whether __init__ takes the arguments is not known before
        accepted = inspect.signature(spec.factory).parameters
        args = {name: value for name, value in args.items() if name in accepted}
    return spec.factory(config, **args)


def _calling(spec: KernelSpec, signature: OpSignature, kernel: Any, config: KernelConfig) -> Callable[[list[Any]], Any]:
    """From the list of input values to what the kernel returns."""
    execute: Callable[..., Any] = partial(spec.factory, config) if kernel is None else kernel.execute
    if spec.kind == "raw":
        return execute
    if signature.variadic:
        return lambda values: execute(*values)
    names = tuple(column.name for column in signature.inputs)
    if len(names) == 1:  # the common case, at half the price
        (name,) = names
        return lambda values: execute(**{name: values[0]})
    return lambda values: execute(**dict(zip(names, values, strict=True)))


def _overridden(kernel: Any, name: str) -> Callable[..., Any] | None:
    """The kernel's own method, or None where it has none but the empty one of the base class."""
    method = getattr(kernel, name, None)
    return None if getattr(method, "__func__", None) is vars(Kernel)[name] else method


def _has_null(windows: Sequence[Sequence[Element]]) -> bool:
    for window in windows:  # a generator costs three times as much, per row
        for element in window:
            if type(element) is NullElement:
                return True
    return False


def _listed(columns: list[Any], i: int, output: Column, count: int) -> list[Any]:
    """Take column `i` of a batch's result out of `columns`, as a list of our own."""
    column, columns[i] = columns[i], None
    what = f"for output {output.name!r} of a batch of {count}"
    if isinstance(column, (str, bytes, Mapping)) or not isinstance(column, Iterable):
        raise InvalidValue(f"returned, {what}, {describe(column)}: a sequence of {count} values is expected")
    cells = list(column)
    if len(cells) != count:
        raise InvalidValue(f"returned {len(cells)} values {what}: it must return exactly one per row")
    return cells
