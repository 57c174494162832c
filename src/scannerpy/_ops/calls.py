"""Binds the arguments of an op call to its signature: inputs, settings, init arguments, per-stream arguments. Pure.

A keyword is, in this order: an input, one of the reserved settings, a per-stream argument, an init argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from scannerpy._ops.signature import OpSignature
from scannerpy.common import DeviceType
from scannerpy.errors import GraphError

StreamArgs = list[dict[str, Any] | list[dict[str, Any]]]
"""Per stream: keyword arguments, or a list of them, one per slice group."""


class SliceList(list[Any]):
    """The arguments of one stream inside a slice: one value per slice group, as in ``gain=[SliceList([1.0, 1.2])]``."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, taken apart; nothing but the names is checked yet."""

    inputs: tuple[Any, ...]
    device: DeviceType
    batch: int
    warmup: int
    stencil: Sequence[int]
    args: Mapping[str, Any]
    extra: Any
    stream_args: StreamArgs | None


def bind(signature: OpSignature, label: str, positional: Sequence[Any], keywords: Mapping[str, Any]) -> Call:
    """Sort the values of a call; `label` names op and line in errors. Raises GraphError."""
    rest = dict(keywords)
    inputs = _variadic(label, positional) if signature.variadic else _inputs(signature, label, positional, rest)
    given = rest.pop("args", None)
    call = Call(
        inputs=inputs,
        device=rest.pop("device", DeviceType.CPU),
        batch=_whole(label, "batch", rest.pop("batch", -1)),
        warmup=_whole(label, "bounded_state", rest.pop("bounded_state", -1)),
        stencil=rest.pop("stencil", ()) or signature.stencil or (0,),
        extra=rest.pop("extra", None),
        stream_args=_stream_args(signature, label, rest),
        args=rest if given is None else {**_as_keywords(label, given), **rest},
    )
    check_init_args(signature, label, call.args)
    return call


def _variadic(label: str, positional: Sequence[Any]) -> tuple[Any, ...]:
    if not positional:
        raise GraphError(f"{label} has no inputs: it takes one or more columns, positionally")
    return tuple(positional)


def _inputs(signature: OpSignature, label: str, positional: Sequence[Any], rest: dict[str, Any]) -> tuple[Any, ...]:
    names = [column.name for column in signature.inputs]
    takes = f"its inputs are {', '.join(names)}"
    if len(positional) > len(names):
        raise GraphError(f"{label} was given {len(positional)} positional inputs: {takes}")
    for name in names[: len(positional)]:
        if name in rest:
            raise GraphError(f"{label} was given input {name!r} twice, by position and by keyword")
    values = dict(zip(names, positional, strict=False)) | {name: rest.pop(name) for name in names if name in rest}
    missing = [name for name in names if values.get(name) is None]
    if missing:
        raise GraphError(f"{label} is missing input {missing[0]!r}: {takes}; pass {missing[0]}=<column>")
    return tuple(values[name] for name in names)


def _whole(label: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise GraphError(f"{label} was given {name}={value!r}: a whole number is expected (-1: the op's default)")
    return value


def _as_keywords(label: str, args: Any) -> Mapping[str, Any]:
    """Init arguments given at once: as a dict, or as a protobuf message, of which the fields that are set count."""
    if isinstance(args, Mapping):
        return args
    if hasattr(args, "DESCRIPTOR") and hasattr(args, "ListFields"):
        return {field.name: list(value) if field.is_repeated else value for field, value in args.ListFields()}
    raise GraphError(f"{label} was given args={args!r:.80}: give a dict of init arguments, or a message that has them")


# Arguments of the kernel


def check_init_args(signature: OpSignature, label: str, args: Mapping[str, Any]) -> None:
    """Raise GraphError for an init argument that is unknown or missing."""
    known = signature.init_params
    if known is None:
        return
    takes = f"its arguments are {', '.join(_arguments(signature)) or 'none'}"
    for name in args:
        if name not in known:
            raise GraphError(f"{label} has no input or argument {name!r}: {takes}")
    for name in signature.init_required:
        if name not in args:
            raise GraphError(f"{label} is missing argument {name!r}: {takes}")


def _arguments(signature: OpSignature) -> list[str]:
    streams = [f"{name} (a list, per stream)" for name in signature.stream_params]
    return [*(signature.init_params or ()), *streams]


# Arguments per stream


def _stream_args(signature: OpSignature, label: str, rest: dict[str, Any]) -> StreamArgs | None:
    lists = {name: rest.pop(name) for name in signature.stream_params if rest.get(name) is not None}
    for name in signature.stream_params:
        rest.pop(name, None)  # None: left out
    missing = [name for name in signature.stream_required if name not in lists]
    if missing:
        raise GraphError(f"{label} is missing per-stream argument {missing[0]!r}: pass a list, one value per stream")
    for name, values in lists.items():
        if not isinstance(values, (list, tuple)) or isinstance(values, SliceList):
            raise GraphError(
                f"{label} was given {name}={values!r:.80}: it is a per-stream argument; "
                f"pass a list with one value per stream, {name}=[…]"
            )
    return join_streams(label, lists) if lists else None


def join_streams(label: str, lists: Mapping[str, Sequence[Any]]) -> StreamArgs:
    """From a list per argument to keyword arguments per stream (per slice group where a SliceList was given)."""
    for name, values in lists.items():
        _check_slices(label, name, values)
    return [_per_group(label, i, stream) for i, stream in enumerate(_transposed(label, lists))]


def _transposed(label: str, lists: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    counts = {name: len(values) for name, values in lists.items()}
    if len(set(counts.values())) > 1 or not all(counts.values()):
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise GraphError(f"{label} needs one value per stream in every per-stream argument: {listed}")
    return [{name: values[i] for name, values in lists.items()} for i in range(min(counts.values()))]


def _check_slices(label: str, name: str, values: Sequence[Any]) -> None:
    sliced = [isinstance(value, SliceList) for value in values]
    if any(sliced) and not all(sliced):
        raise GraphError(
            f"{label} was given {name} with a SliceList for stream {sliced.index(True)} but none for stream "
            f"{sliced.index(False)}: give a SliceList for every stream, or for none"
        )


def _per_group(label: str, stream: int, values: Mapping[str, Any]) -> dict[str, Any] | list[dict[str, Any]]:
    sizes = {name: len(value) for name, value in values.items() if isinstance(value, SliceList)}
    if not sizes:
        return dict(values)
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise GraphError(f"{label} needs one value per slice group in every SliceList; for stream {stream}, {listed}")
    return [
        {name: value[group] if name in sizes else value for name, value in values.items()}
        for group in range(next(iter(sizes.values())))
    ]


def collect_streams(label: str, names: Iterable[str], keywords: dict[str, Any]) -> list[dict[str, Any]]:
    """Take the keywords in `names` out of `keywords` and return one mapping per stream: a list holds one value per
    stream, anything else is the same for all, None is left out. Raises GraphError when no list says how many streams.
    """
    taken = {name: value for name in names if (value := keywords.pop(name, None)) is not None}
    lists = {name: value for name, value in taken.items() if isinstance(value, list)}
    if not lists:
        raise GraphError(f"{label} has no per-stream argument: pass at least one of {', '.join(names)} as a list")
    count = len(next(iter(lists.values())))
    lists |= {name: [value] * count for name, value in taken.items() if name not in lists}
    return _transposed(label, lists)


# Settings of the node


def resolve_device(signature: OpSignature, label: str, device: Any) -> DeviceType:
    """The device, if the op has a kernel for it."""
    if not isinstance(device, DeviceType):
        raise GraphError(f"{label} was given device={device!r}: use DeviceType.CPU or DeviceType.GPU")
    if device not in signature.kernels:
        have = ", ".join(kernel.name for kernel in signature.kernels) or "no device"
        raise GraphError(f"{label} has no kernel for {device.name}: it has one for {have}")
    return device


def resolve_batch(signature: OpSignature, label: str, device: DeviceType, batch: int) -> int:
    """The batch size: the one asked for (−1: the kernel's own), if the kernel can batch."""
    kernel = signature.kernels[device]
    if batch == -1:
        return kernel.batch
    if batch < 1:
        raise GraphError(f"{label} was given batch={batch}: give 1 or more (-1: the op's default)")
    if batch > 1 and kernel.batch == 1:
        raise GraphError(
            f"{label} was given batch={batch} but cannot batch: register it with batch= and Sequence inputs"
        )
    return batch


def resolve_stencil(signature: OpSignature, label: str, stencil: Any) -> tuple[int, ...]:
    """The stencil, if the op can see neighbours."""
    if isinstance(stencil, str) or not isinstance(stencil, Sequence) or not stencil:
        _refuse_stencil(label, stencil)
    if any(isinstance(offset, bool) or not isinstance(offset, int) for offset in stencil):
        _refuse_stencil(label, stencil)
    if signature.stencil is None and tuple(stencil) != (0,):
        raise GraphError(
            f"{label} was given stencil={list(stencil)} but cannot stencil: "
            "register it with stencil= and Sequence inputs"
        )
    return tuple(stencil)


def _refuse_stencil(label: str, stencil: Any) -> NoReturn:
    raise GraphError(f"{label} was given stencil={stencil!r}: give a list of row offsets such as [-1, 0, 1]")


def resolve_warmup(signature: OpSignature, label: str, warmup: int) -> int | None:
    """The warm-up rows of an op with bounded state; for others a call's `bounded_state` means nothing."""
    if signature.warmup is None or warmup == -1:
        return signature.warmup
    if warmup < 0:
        raise GraphError(f"{label} was given bounded_state={warmup}: give 0 or more (-1: the op's default)")
    return warmup
