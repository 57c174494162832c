"""Parses a kernel class or function into an `OpSignature`: annotations are the op's inputs, outputs and arguments.

Every rule about signatures is checked here, each with its own error message. Annotations may be strings
(``from __future__ import annotations``); those that name things local to the function around the op are found through
the `names` the decorator passes in.
"""

from __future__ import annotations

import collections.abc
import functools
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from scannerpy import older, types
from scannerpy._ops.signature import Column, KernelSpec, OpSignature
from scannerpy.common import DeviceType
from scannerpy.errors import RegistrationError
from scannerpy.kernel import Kernel

_SEQUENCES = (collections.abc.Sequence, list)
_Parameter = inspect.Parameter


@dataclass(frozen=True, slots=True)
class Options:
    """What `register_python_op` was told besides the class or function."""

    name: str | None = None
    stencil: Sequence[int] | None = None
    unbounded_state: bool = False
    bounded_state: int | None = None
    device_type: DeviceType | None = None
    device_sets: Sequence[Sequence[Any]] | None = None
    batch: int = 1
    releases_gil: bool = False
    keeps_inputs: bool = False
    columns: Sequence[str] | None = None


def signature_of(target: Any, options: Options, names: Mapping[str, Any] | None = None) -> OpSignature:
    """Read the signature of a kernel class or function; `names` are the local names around its definition.

    Raises RegistrationError.
    """
    return _Reader(target, options, names or {}).read()


def stored_name(info: types.ScannerTypeInfo) -> str:
    """The name a blob column of this type is stored with: empty for plain bytes."""
    return "" if info.type is bytes else info.cpp_name


def checked_stencil(where: str, stencil: Sequence[int] | None) -> tuple[int, ...] | None:
    """A default stencil as offsets; raises RegistrationError."""
    if stencil is None:
        return None
    if isinstance(stencil, str) or not isinstance(stencil, collections.abc.Sequence) or not stencil:
        raise RegistrationError(f"{where} has stencil={stencil!r}: give a list of row offsets such as [-1, 0, 1]")
    if not all(_is_int(offset) for offset in stencil):
        raise RegistrationError(f"{where} has stencil={stencil!r}: offsets are whole numbers, such as [-1, 0, 1]")
    return tuple(stencil)


def check_state(where: str, unbounded: bool, bounded: int | None) -> None:
    """Raise RegistrationError unless at most one kind of state is declared, and sensibly."""
    if bounded is not None and (not _is_int(bounded) or bounded < 0):
        raise RegistrationError(f"{where} has bounded_state={bounded!r}: give the number of warm-up rows, 0 or more")
    if unbounded and bounded is not None:
        raise RegistrationError(f"{where} has both bounded_state and unbounded_state: give one of them")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class _Reader:
    """Reads one class or function. Holds what all sentences need: which op, where it is defined."""

    def __init__(self, target: Any, options: Options, names: Mapping[str, Any]) -> None:
        if isinstance(target, functools.partial) or not (inspect.isclass(target) or inspect.isroutine(target)):
            raise RegistrationError(f"register_python_op decorates a class or a function, not {target!r}")
        self.target = target
        self.options = options
        self.names = names
        self.name = target.__name__ if options.name is None else options.name
        self.label = f"op {self.name!r}{_place(target)}"

    def read(self) -> OpSignature:
        self.check_options()
        execute = self.execute()
        self.check_returns(execute)
        hints = self.hints(execute)
        parameters = self.input_parameters(execute)
        init_params, init_required = self.init_arguments()
        stream_params, stream_required = self.stream_arguments()
        return OpSignature(
            name=self.name,
            inputs=tuple(self.input_column(parameter, hints) for parameter in parameters),
            outputs=self.outputs(hints),
            variadic=parameters[0].kind is _Parameter.VAR_POSITIONAL,
            stencil=checked_stencil(self.label, self.options.stencil),
            warmup=self.options.bounded_state,
            unbounded=bool(self.options.unbounded_state),
            init_params=init_params,
            init_required=init_required,
            stream_params=stream_params,
            stream_required=stream_required,
            kernels=dict.fromkeys(self.devices(), self.kernel()),
        )

    def refuse(self, sentence: str) -> NoReturn:
        raise RegistrationError(f"{self.label} {sentence}")

    def check_options(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            self.refuse("has a name that is not a string: give name='…'")
        if not _is_int(self.options.batch) or self.options.batch < 1:
            self.refuse(f"has batch={self.options.batch!r}: give a whole number, 1 (cannot batch) or more")
        check_state(self.label, self.options.unbounded_state, self.options.bounded_state)
        checked_stencil(self.label, self.options.stencil)

    def devices(self) -> list[DeviceType]:
        options = self.options
        if options.device_type is not None and options.device_sets is not None:
            self.refuse("has both device_type and device_sets: give one of them")
        sets = [(options.device_type or DeviceType.CPU, 1)] if options.device_sets is None else options.device_sets
        devices: list[Any] = [entry[0] if isinstance(entry, (tuple, list)) and entry else entry for entry in sets]
        if not devices or not all(isinstance(device, DeviceType) for device in devices):
            self.refuse(
                f"is for devices {sets!r}: give device_type=DeviceType.CPU or device_sets=[(DeviceType.CPU, 1), …]"
            )
        return devices

    def kernel(self) -> KernelSpec:
        return KernelSpec(
            factory=self.target,
            kind="class" if inspect.isclass(self.target) else "function",
            batch=self.options.batch,
            releases_gil=self.options.releases_gil,
            keeps_inputs=self.options.keeps_inputs,
        )

    # What is called

    def execute(self) -> Callable[..., Any]:
        if not inspect.isclass(self.target):
            return typing.cast("Callable[..., Any]", self.target)
        execute = getattr(self.target, "execute", None)
        if not callable(execute) or execute is Kernel.execute:
            self.refuse("has no execute method: define execute(self, <inputs>) -> <output>")
        return typing.cast("Callable[..., Any]", execute)

    def check_returns(self, execute: Callable[..., Any]) -> None:
        if inspect.iscoroutinefunction(execute) or inspect.isasyncgenfunction(execute):
            self.refuse("is async: an op is called once per row and returns its output; write it without async")
        if inspect.isgeneratorfunction(execute):
            self.refuse("yields: an op returns one output per row; write return instead of yield")

    def hints(self, execute: Callable[..., Any]) -> dict[str, Any]:
        try:
            return typing.get_type_hints(execute, localns=dict(self.names))
        except NameError as error:
            self.refuse(f"has an annotation that names {error.name!r}, which is not defined where the op stands")
        except (TypeError, SyntaxError) as error:
            self.refuse(f"has annotations that cannot be evaluated: {error}")

    def input_parameters(self, execute: Callable[..., Any]) -> list[inspect.Parameter]:
        parameters = list(inspect.signature(execute).parameters.values())
        first = "self" if inspect.isclass(self.target) else "config"
        if self.takes_first(parameters):
            parameters = parameters[1:]
        elif first == "config":
            self.refuse("has no config parameter: define it as (config, <inputs>) -> <output>")
        if not parameters:
            self.refuse(f"has no input: name at least one after {first}")
        self.check_kinds(parameters)
        return parameters

    def takes_first(self, parameters: list[inspect.Parameter]) -> bool:
        """Whether the first parameter is self or config rather than an input (a static execute has neither)."""
        if inspect.isclass(self.target):
            kind = inspect.getattr_static(self.target, "execute")
            return not isinstance(kind, (staticmethod, classmethod))
        usable = {_Parameter.POSITIONAL_OR_KEYWORD, _Parameter.POSITIONAL_ONLY}
        return bool(parameters) and parameters[0].kind in usable

    def check_kinds(self, parameters: list[inspect.Parameter]) -> None:
        for parameter in parameters:
            if parameter.kind is _Parameter.VAR_KEYWORD:
                self.refuse(f"takes **{parameter.name}: name each input")
            if parameter.kind is _Parameter.POSITIONAL_ONLY:
                self.refuse(f"has the positional-only input {parameter.name!r}: inputs are passed by keyword")
            if parameter.kind is _Parameter.VAR_POSITIONAL and len(parameters) > 1:
                self.refuse(f"mixes *{parameter.name} with other inputs: a variadic op has *{parameter.name} alone")

    # Annotations

    def input_column(self, parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Column:
        what = f"input {parameter.name!r}"
        if parameter.name not in hints:
            advice = older.RAW_EXECUTE if parameter.name == "columns" else f"write e.g. {parameter.name}: FrameType"
            self.refuse(f"has no annotation on {what}: {advice}")
        annotation = hints[parameter.name]
        if parameter.kind is _Parameter.VAR_POSITIONAL:
            annotation = self.variadic_element(annotation, what)
        return self.column(parameter.name, self.unwrap(annotation, self.input_wrappers(), what), what)

    def variadic_element(self, annotation: Any, what: str) -> Any:
        if typing.get_origin(annotation) is not tuple:
            return annotation
        arguments = typing.get_args(annotation)
        if len(arguments) != 2 or arguments[1] is not Ellipsis:
            self.refuse(f"has {what} annotated {annotation}: a variadic input is T or Tuple[T, ...]")
        return arguments[0]

    def input_wrappers(self) -> list[str]:
        wrappers = ["batch"] if self.options.batch > 1 else []
        return [*wrappers, "stencil"] if self.options.stencil is not None else wrappers

    def unwrap(self, annotation: Any, wrappers: list[str], what: str) -> Any:
        """Take one Sequence[…] off for each of `wrappers`, outermost first."""
        inner = annotation
        for wrapper in wrappers:
            if typing.get_origin(inner) not in _SEQUENCES or len(typing.get_args(inner)) != 1:
                expected = "T"
                for _ in wrappers:
                    expected = f"Sequence[{expected}]"
                self.refuse(
                    f"has {what} annotated {_spell(annotation)}: it must be {expected}, because the op has {wrapper}="
                )
            (inner,) = typing.get_args(inner)
        if typing.get_origin(inner) in _SEQUENCES:
            reason = (
                f"{' and '.join(wrappers)}= explains only part of it" if wrappers else "it needs batch= or stencil="
            )
            self.refuse(f"has {what} annotated {_spell(annotation)}, a Sequence too many: {reason}")
        return inner

    def outputs(self, hints: Mapping[str, Any]) -> tuple[Column, ...]:
        if hints.get("return") is None:  # not annotated
            self.refuse("has no annotation on what it returns: write e.g. -> bytes")
        annotation = hints["return"]
        several = typing.get_origin(annotation) is tuple or annotation is tuple
        parts = typing.get_args(annotation) if several else (annotation,)
        if Ellipsis in parts or not parts:
            self.refuse(f"returns {_spell(annotation)}: name each output column, as in Tuple[bytes, FrameType]")
        names = self.options.columns or [f"ret{i}" for i in range(len(parts))]
        if len(names) != len(parts) or len(set(names)) != len(parts):
            self.refuse(f"has columns={list(names)!r}, but returns {len(parts)}: give each a name of its own")
        return tuple(self.output(name, part, several) for name, part in zip(names, parts, strict=True))

    def output(self, name: str, annotation: Any, several: bool) -> Column:
        what = f"output {name!r}" if several else "its output"
        wrappers = ["batch"] if self.options.batch > 1 else []
        inner = self.unwrap(annotation, wrappers, what)
        if wrappers and typing.get_origin(inner) is tuple:
            self.refuse("returns a sequence of tuples: with batch= it is Tuple[Sequence[A], Sequence[B]]")
        return self.column(name, inner, what)

    def column(self, name: str, annotation: Any, what: str) -> Column:
        try:
            info = types.get_type_info(annotation)
        except RegistrationError as error:
            raise RegistrationError(f"{self.label} has {what} annotated {_spell(annotation)}: {error}") from None
        if info.type is types.FrameType:
            return Column(name, is_video=True)
        return Column(name, is_video=False, type_name=stored_name(info))

    # Arguments

    def init_arguments(self) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
        """Names of init arguments (None: any) and of those that must be given."""
        if not inspect.isclass(self.target):
            return None, ()
        parameters = list(inspect.signature(self.target.__init__).parameters.values())[1:]
        if self.target.__init__ is object.__init__ or not parameters or parameters[0].name != "config":
            self.refuse(
                "must take config first: "
                "define __init__(self, config, <init arguments>) or derive from scannerpy.Kernel"
            )
        named, required, has_any = _split(parameters[1:])
        return (None if has_any else named), required

    def stream_arguments(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        new_stream = getattr(self.target, "new_stream", None) if inspect.isclass(self.target) else None
        if new_stream is None:
            return (), ()
        parameters = list(inspect.signature(new_stream).parameters.values())
        if not isinstance(inspect.getattr_static(self.target, "new_stream"), (staticmethod, classmethod)):
            parameters = parameters[1:]
        named, required, has_any = _split(parameters)
        if has_any:
            self.refuse("has **kwargs in new_stream: name each per-stream argument")
        return named, required


def _split(parameters: Sequence[inspect.Parameter]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Names of all parameters, names of those without a default, and whether any keyword is taken."""
    variable = {_Parameter.VAR_POSITIONAL, _Parameter.VAR_KEYWORD}
    named = [parameter for parameter in parameters if parameter.kind not in variable]
    required = [parameter for parameter in named if parameter.default is _Parameter.empty]
    has_any = any(parameter.kind is _Parameter.VAR_KEYWORD for parameter in parameters)
    return tuple(p.name for p in named), tuple(p.name for p in required), has_any


def _place(target: Any) -> str:
    """Where `target` is defined, as `` (file:line)``; nothing for a class without an execute of its own."""
    function = getattr(target, "execute", None) if inspect.isclass(target) else target
    function = None if function is Kernel.execute else function
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""


def _spell(annotation: Any) -> str:
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")
