"""Registering ops: `register_python_op`, and the native modules that clients load."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Sequence
from types import FrameType as StackFrame
from typing import Any, TypeVar

from scannerpy._ops import parse, registry
from scannerpy.common import DeviceType
from scannerpy.errors import RegistrationError
from scannerpy.protobufs import protobufs

T = TypeVar("T")

MODULE_REGISTRY: list[tuple[str, str | None]] = []
"""(library, generated protobuf module or None) of every native module registered with `register_module`."""


def register_python_op(
    name: str | None = None,
    stencil: Sequence[int] | None = None,
    unbounded_state: bool = False,
    bounded_state: int | None = None,
    device_type: DeviceType | None = None,
    device_sets: Sequence[Sequence[Any]] | None = None,
    batch: int = 1,
    proto_path: str | None = None,
    *,
    releases_gil: bool = False,
    keeps_inputs: bool = False,
    columns: Sequence[str] | None = None,
) -> Callable[[T], T]:
    """Class or function decorator that registers an op; returns what it decorates unchanged.

    Args:
        name: the op's name; the class's or function's own by default.
        stencil: default window of row offsets; None: the op sees one row at a time. ``[0]``: it can stencil.
        unbounded_state: the op needs all earlier rows. Not together with `bounded_state`.
        bounded_state: the op keeps state over at most this many rows.
        device_type: the device its kernel is for; CPU by default.
        device_sets: instead of `device_type`, a list of ``(DeviceType, count)``: the kernel serves each of them.
        batch: more than 1: the kernel takes sequences of at most this many rows.
        proto_path: a generated protobuf module to add to `protobufs`.
        releases_gil: promise that the kernel spends its time outside the interpreter lock (in C).
        keeps_inputs: promise that the kernel never writes into its input arrays, so they need not be copied.
        columns: names of the outputs; ``ret0``, ``ret1`` … by default.

    Raises:
        RegistrationError: the signature breaks a rule; the text names op, place and rule.

    """
    if callable(name):
        raise RegistrationError(
            f"{getattr(name, '__name__', name)} is decorated with @register_python_op without parentheses: write "
            "@register_python_op()"
        )
    options = parse.Options(
        name,
        stencil,
        unbounded_state,
        bounded_state,
        device_type,
        device_sets,
        batch,
        releases_gil,
        keeps_inputs,
        columns,
    )

    def decorate(target: T) -> T:
        signature = parse.signature_of(target, options, _names_around(target))
        if proto_path is not None:
            protobufs.add_module(proto_path)
        origin = registry.Origin(str(getattr(target, "__module__", "")), str(getattr(target, "__qualname__", "")))
        registry.register(signature, origin)
        return target

    return decorate


def _names_around(target: Any) -> dict[str, Any]:
    """The local names of the functions that `target` is defined in, so far as they are running: annotations that are
    strings may mean them.
    """
    names: dict[str, Any] = {}
    frame: StackFrame | None = sys._getframe(2)  # there is no other way to a caller's names
    while frame is not None:
        if str(getattr(target, "__qualname__", "")).startswith(f"{frame.f_code.co_qualname}.<locals>."):
            names = {**frame.f_locals, **names}
        frame = frame.f_back
    return names


def register_module(so_path: str, proto_path: str | None = None) -> None:
    """Have every client load the native library `so_path` when ops, sources or sinks are next asked for."""
    if (so_path, proto_path) not in MODULE_REGISTRY:
        MODULE_REGISTRY.append((so_path, proto_path))


_loaded: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


def check_modules(sc: Any) -> None:
    """Load into client `sc` the modules registered since the last time."""
    done = _loaded.get(sc, 0) if MODULE_REGISTRY else 0
    for so_path, proto_path in MODULE_REGISTRY[done:]:
        sc.load_op(so_path, proto_path)
        _loaded[sc] = done = done + 1
