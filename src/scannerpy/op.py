"""Calling ops: `cl.ops.Name(…)` makes an `Op`, whose `OpColumn` is what the next op takes.

An `OpColumn` is a handle on one output of the graph; nothing here reads data. Wrong calls are refused at once, where
the program's own line is at hand, rather than when the graph is run.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import FrameType as StackFrame
from typing import TYPE_CHECKING, Any

from scannerpy import older
from scannerpy._graph.node import Compression, Node, OpNode, Output, PerGroup, Where
from scannerpy._ops import calls, registry
from scannerpy._ops.calls import SliceList
from scannerpy._ops.registering import MODULE_REGISTRY, check_modules, register_module, register_python_op
from scannerpy._ops.signature import OpSignature
from scannerpy._words.encoding import EncoderOptions
from scannerpy.common import DeviceType, ScannerException
from scannerpy.errors import GraphError
from scannerpy.protobufs import analyze_proto, protobufs

__all__ = [
    "MODULE_REGISTRY",
    "PYTHON_OP_REGISTRY",
    "DeviceType",
    "Op",
    "OpColumn",
    "OpGenerator",
    "ScannerException",
    "SliceList",
    "check_modules",
    "collect_per_stream_args",
    "register_module",
    "register_python_op",
    "user_line",
]


PYTHON_OP_REGISTRY = registry.python_ops
"""Name → OpSignature of every op registered with `register_python_op`."""

_OWN_PACKAGES = ("scannerpy", "scannertools")
_PROGRAM = "scannerpy._demo"  # ours, but written as any user's program, whose lines are the ones to show


def user_line() -> Where | None:
    """The innermost line on the stack that is not ours: the line of the program that is calling us."""
    frame: StackFrame | None = sys._getframe(1)  # inspect.stack reads every source file; this is 1 µs
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in _OWN_PACKAGES or module.startswith(_PROGRAM):
            return Where(_cell(frame.f_code.co_filename) or frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def _cell(file: str) -> str | None:
    """The name of a notebook's cell, ``Cell In[3]``, as in its tracebacks: its file is a number nobody has seen."""
    ipython = sys.modules.get("IPython")  # not imported where nobody else has
    shell = ipython.get_ipython() if ipython is not None else None
    name_of = getattr(getattr(shell, "compile", None), "format_code_name", None)
    name = name_of(file) if name_of is not None else None
    return " ".join(name) if name else None


class OpColumn:
    """One column of an op's output, to be given to other ops, samplers and `io.Output`. Made by ops only."""

    def __init__(self, sc: Any, op: Op, output: Output) -> None:
        self._sc = sc
        self._op = op
        self._streams: list[Any] | None = None  # io.Input sets the streams it reads
        self.output = output

    def compress(self, codec: str = "video", **kwargs: Any) -> OpColumn:
        """Choose how a video column is stored: ``video`` (H.264; takes `compress_video`'s keywords), ``default`` or
        ``raw``. Returns a new column. Raises GraphError for another codec or a column without frames.
        """
        if codec == "video":
            return self.compress_video(**kwargs)
        if codec not in {"default", "raw"} or kwargs:
            choice = "'video', 'default' or 'raw'; only 'video' takes quality, bitrate and keyframe_distance"
            raise GraphError(f"{self._label()}: compress({codec!r}) is not known here: give {choice}")
        return self._stored(Compression(codec))

    def compress_video(self, quality: int = -1, bitrate: int = -1, keyframe_distance: int = -1) -> OpColumn:
        """Store as H.264 with x264's constant rate factor `quality`, or `bitrate` bit/s, and a keyframe every
        `keyframe_distance` rows; −1 is the encoder's default. Returns a new column.
        """
        options = {"quality": quality, "bitrate": bitrate, "keyframe_distance": keyframe_distance}
        for name, value in options.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < -1:
                raise GraphError(f"{self._label()}: compress_video was given {name}={value!r}: a whole number, or -1")
        try:
            EncoderOptions.of(options)
        except ValueError as error:
            raise GraphError(f"{self._label()}: compress_video was given {error}") from None
        return self._stored(Compression("video", tuple((n, v) for n, v in options.items() if v != -1)))

    def compress_default(self) -> OpColumn:
        """Store uint8 frames of three channels as H.264 and all others as they are. Returns a new column."""
        return self._stored(Compression())

    def lossless(self) -> OpColumn:
        """Store the frames' own bytes. Returns a new column."""
        return self._stored(Compression("raw"))

    if not TYPE_CHECKING:  # a checker should find what is missing, too

        def __getattr__(self, name: str) -> Any:
            raise older.missing("OpColumn", name, self)

    def _stored(self, compression: Compression) -> OpColumn:
        if not self.output.is_video:
            raise GraphError(f"{self._label()} holds no frames, so it cannot be compressed: only video columns can")
        column = copy.copy(self)
        column.output = replace(self.output, compression=compression)
        return column

    def _label(self) -> str:
        node = self.output.node
        return f"column {self.output.column!r} of {_label(node.name, node.where)}"

    def __repr__(self) -> str:
        return f"<{self._label()}>"


def _label(name: str, where: Where | None) -> str:
    return f"{name} ({where})" if where else name


class Op:
    """One call of an op. `node` is its place in the graph; `outputs` gives its columns."""

    def __init__(
        self,
        sc: Any,
        name: str,
        inputs: Sequence[OpColumn],
        device: DeviceType,
        batch: int = -1,
        warmup: int = -1,
        stencil: Sequence[int] = (0,),
        args: Mapping[str, Any] | None = None,
        extra: Any = None,
        stream_args: Sequence[Mapping[str, Any] | Sequence[Mapping[str, Any]]] | None = None,
    ) -> None:
        """Check the call against the op's signature. ``stream_args[i]`` holds the keyword arguments of stream i, or a
        list of them, one per slice group. Raises UnknownOp or GraphError.
        """
        self._sc = sc
        self.extra = extra
        self.node: Node = _node(name, inputs, device, batch, warmup, stencil, args or {}, stream_args or ())

    @classmethod
    def of_node(cls, sc: Any, node: Node) -> Op:
        """The Op around a node that is no registered op: a source, a sampler, a slice."""
        op = cls.__new__(cls)
        op._sc = sc
        op.extra = None
        op.node = node
        return op

    @property
    def name(self) -> str:
        """The op's registered name."""
        return self.node.name

    @property
    def device(self) -> DeviceType:
        """Where it runs."""
        return self.node.device if isinstance(self.node, OpNode) else DeviceType.CPU

    def outputs(self) -> OpColumn | tuple[OpColumn, ...]:
        """The op's column, or a tuple of its columns where it has several."""
        assert isinstance(self.node, OpNode)  # noqa: S101  # other nodes' columns are made beside them
        columns = tuple(
            OpColumn(self._sc, self, Output(self.node, column.name, column.is_video, column.type_name))
            for column in self.node.signature.outputs
        )
        return columns if len(columns) > 1 else columns[0]

    def __repr__(self) -> str:
        return f"<Op {_label(self.node.name, self.node.where)}>"


def _node(
    name: str,
    inputs: Sequence[OpColumn],
    device: DeviceType,
    batch: int,
    warmup: int,
    stencil: Sequence[int],
    args: Mapping[str, Any],
    stream_args: Sequence[Mapping[str, Any] | Sequence[Mapping[str, Any]]],
) -> OpNode:
    where = user_line()
    label = _label(name, where)
    signature = registry.lookup(name)
    device = calls.resolve_device(signature, label, device)
    calls.check_init_args(signature, label, args)
    _check_no_columns(label, args)
    return OpNode(
        name=name,
        inputs=_outputs(signature, label, inputs),
        where=where,
        signature=signature,
        stencil=calls.resolve_stencil(signature, label, stencil),
        batch=calls.resolve_batch(signature, label, device, batch),
        warmup=calls.resolve_warmup(signature, label, warmup),
        unbounded=signature.unbounded,
        device=device,
        args=dict(args),
        per_job=tuple(entry if isinstance(entry, Mapping) else PerGroup(entry) for entry in stream_args),
    )


def _outputs(signature: OpSignature, label: str, inputs: Sequence[Any]) -> tuple[Output, ...]:
    if not signature.variadic and len(inputs) != len(signature.inputs):
        raise GraphError(f"{label} has {len(signature.inputs)} inputs and was given {len(inputs)}")
    names = [f"number {i}" for i in range(len(inputs))] if signature.variadic else [c.name for c in signature.inputs]
    return tuple(_column(label, name, value).output for name, value in zip(names, inputs, strict=True))


def _check_no_columns(label: str, args: Mapping[str, Any]) -> None:
    for name, value in args.items():
        if isinstance(value, OpColumn):
            raise GraphError(f"{label} has no input {name!r}, but was given a column of that name")


def _column(label: str, name: str, value: Any) -> OpColumn:
    if isinstance(value, OpColumn):
        return value
    if isinstance(value, tuple) and any(isinstance(column, OpColumn) for column in value):
        advice = f"an op with {len(value)} outputs gives a tuple of columns: pass one of them"
    else:
        advice = "pass a column, as cl.io.Input([stream]) or another op returns it"
    raise GraphError(f"{label} was given {value!r:.80} as input {name}: {advice}")


class OpGenerator:
    """Makes ops by name: ``cl.ops.Histogram(frame=frame)``.

    Inputs are passed by keyword (or in their order); ``device``, ``batch``, ``bounded_state``, ``stencil``, ``extra``
    and ``args`` are settings; per-stream arguments are lists; all other keywords are the op's init arguments.
    An attribute that names no op raises UnknownOp.
    """

    def __init__(self, sc: Any) -> None:
        self._sc = sc

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") and registry.find(name) is None:  # asked by copy, pickle, notebooks: not an op's name
            raise registry.unknown(name)
        check_modules(self._sc)
        signature = find_op(name)
        if signature is None:
            raise registry.unknown(name)

        def make(*args: Any, **kwargs: Any) -> OpColumn | tuple[OpColumn, ...]:
            return self._call(name, args, kwargs)

        make.__name__ = make.__qualname__ = name
        make.__doc__ = _manual(signature)
        return make

    def __repr__(self) -> str:
        return f"<ops: {', '.join(dir(self))}; help(cl.ops.Resize) says how one is called>"

    def __dir__(self) -> list[str]:
        find_op("")  # registers the built-in ops
        return registry.names()

    def _call(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> OpColumn | tuple[OpColumn, ...]:
        call = calls.bind(registry.lookup(name), _label(name, user_line()), args, kwargs)
        op = Op(
            self._sc,
            name,
            call.inputs,
            call.device,
            batch=call.batch,
            warmup=call.warmup,
            stencil=call.stencil,
            args=call.args,
            extra=call.extra,
            stream_args=call.stream_args,
        )
        return op.outputs()


def _manual(signature: OpSignature) -> str:
    """What ``help(cl.ops.Resize)`` shows: how the op is called, and what its author says of it."""
    inputs = ["*columns"] if signature.variadic else [column.name for column in signature.inputs]
    names = [name for name in signature.init_params or () if name != "init_parameter"]  # of the base class
    own = [name if name in signature.init_required else f"{name}=…" for name in names]
    per_stream = [f"{name}=[…]" for name in signature.stream_params]
    said = [inspect.cleandoc(kernel.factory.__doc__ or "") for kernel in signature.kernels.values()][:1]
    return "\n\n".join([f"{signature.name}({', '.join([*inputs, *own, *per_stream])})", *said]).strip()


def find_op(name: str) -> OpSignature | None:
    """The op called `name`: registered, or a built-in one; those are imported when first asked for."""
    signature = registry.find(name)
    if signature is None:
        importlib.import_module(registry.BUILT_IN)
        signature = registry.find(name)
    return signature


def collect_per_stream_args(
    name: str, protobuf_name: str | Iterable[str], kwargs: dict[str, Any]
) -> list[dict[str, Any]]:
    """Take the per-stream arguments of source or sink `name` out of `kwargs`; one mapping per stream.

    `protobuf_name` is a message whose fields are the arguments' names, or the names themselves. A list holds one value
    per stream, another value serves all, None is left out. Raises GraphError when none is given as a list.
    """
    names = analyze_proto(getattr(protobufs, protobuf_name)) if isinstance(protobuf_name, str) else protobuf_name
    return calls.collect_streams(_label(name, user_line()), list(names), kwargs)
