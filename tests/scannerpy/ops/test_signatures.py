"""What annotations say: inputs, outputs, arguments; and each rule they can break, with its own sentence."""

# ruff: noqa: UP006, UP035  # typing.Tuple and typing.List, as programs of 2019 write them

import collections.abc
import functools
from typing import Any, List, Sequence, Tuple

import pytest

from scannerpy import types
from scannerpy._ops import registry
from scannerpy._ops.signature import Column
from scannerpy.common import DeviceType, ScannerException
from scannerpy.errors import RegistrationError
from scannerpy.kernel import Kernel
from scannerpy.op import register_python_op
from scannerpy.types import BboxList, FrameType
from tests.scannerpy.ops import in_strings

FRAME = Column("frame", is_video=True)


def registered(target, **options):
    """The signature of `target` once decorated with `options`."""
    decorated = register_python_op(**options)(target)
    assert decorated is target
    return registry.lookup(options.get("name") or target.__name__)


def refused(target, *words, **options):
    """Decorating must fail with one sentence that holds all `words`, the op's name and its place."""
    with pytest.raises(RegistrationError) as told:
        register_python_op(**options)(target)
    assert isinstance(told.value, ScannerException)
    for word in words:
        assert word in str(told.value)
    return str(told.value)


class Plain:
    """A kernel that does not derive from Kernel."""

    def __init__(self, config):
        self.config = config

    def execute(self, frame: FrameType) -> bytes:
        return b""


# What is allowed


def test_a_function():
    def f(config, frame: FrameType, boxes: BboxList, more: bytes, last: Any) -> FrameType: ...

    signature = registered(f)
    assert signature.name == "f"
    assert signature.inputs == (
        FRAME,
        Column("boxes", False, "BboxList"),
        Column("more", False),
        Column("last", False, "Any"),
    )
    assert signature.outputs == (Column("ret0", is_video=True),)
    assert (signature.stencil, signature.warmup, signature.unbounded, signature.variadic) == (None, None, False, False)
    assert signature.init_params is None
    assert signature.kernels[DeviceType.CPU].factory is f
    assert signature.kernels[DeviceType.CPU].kind == "function"


def test_the_config_of_a_function_may_have_any_name():
    def f(self, frame: FrameType) -> bytes: ...

    assert registered(f).inputs == (FRAME,)


def test_a_class():
    class K(Kernel):
        def __init__(self, config, threshold, size=3):
            super().__init__(config)

        def new_stream(self, width, height=1):
            pass

        def execute(self, frame: FrameType) -> bytes: ...

    signature = registered(K)
    assert signature.init_params == ("threshold", "size")
    assert signature.init_required == ("threshold",)
    assert signature.stream_params == ("width", "height")
    assert signature.stream_required == ("width",)
    assert signature.kernels[DeviceType.CPU].kind == "class"


def test_a_class_that_does_not_derive_from_kernel():
    signature = registered(Plain)
    assert signature.init_params == ()
    assert signature.stream_params == ()


def test_a_decorated_class_is_unchanged_and_super_works():
    @register_python_op()
    class Base(Kernel):
        def __init__(self, config, size=1):
            super().__init__(config)
            self.size = size

        def execute(self, frame: FrameType) -> bytes: ...

    class Derived(Base):
        def __init__(self, config):
            super().__init__(config, size=2)

    assert registered(Derived, name="Other").inputs == (FRAME,)
    assert Derived("config").size == 2
    assert Base("config").config == "config"


def test_init_that_takes_any_keyword_takes_any_argument():
    class K(Kernel):
        def __init__(self, config, **settings):
            super().__init__(config)

        def execute(self, frame: FrameType) -> bytes: ...

    assert registered(K).init_params is None


def test_several_outputs():
    def f(config, frame: FrameType) -> Tuple[bytes, FrameType]: ...

    def g(config, frame: FrameType) -> tuple[bytes]: ...

    assert registered(f).outputs == (Column("ret0", is_video=False), Column("ret1", is_video=True))
    assert registered(g).outputs == (Column("ret0", is_video=False),)


@pytest.mark.parametrize("sequence", [Sequence, List, list, collections.abc.Sequence])
def test_batches_and_stencils_take_sequences(sequence):
    def batch(config, frame: sequence[FrameType]) -> sequence[bytes]: ...

    def stencil(config, frame: sequence[FrameType]) -> bytes: ...

    def both(config, frame: sequence[sequence[FrameType]]) -> Tuple[sequence[bytes], sequence[FrameType]]: ...

    assert registered(batch, batch=4).kernels[DeviceType.CPU].batch == 4
    assert registered(stencil, stencil=[-1, 0]).stencil == (-1, 0)
    signature = registered(both, batch=2, stencil=[0])
    assert (signature.inputs, len(signature.outputs)) == ((FRAME,), 2)


@pytest.mark.parametrize("annotation", [FrameType, Tuple[FrameType, ...]])
def test_a_variadic_op(annotation):
    def f(config, *frame: annotation) -> bytes: ...

    signature = registered(f)
    assert signature.variadic
    assert signature.inputs == (FRAME,)


def test_variadic_with_batch():
    def f(config, *x: Tuple[Sequence[bytes], ...]) -> Sequence[bytes]: ...

    assert registered(f, batch=2).inputs == (Column("x", is_video=False),)


def test_keyword_only_inputs_and_defaults_are_inputs_like_others():
    def f(config, *, frame: FrameType = None) -> bytes: ...

    assert registered(f).inputs == (FRAME,)


def test_annotations_may_be_strings():
    assert registered(in_strings.module_level).inputs == (Column("boxes", False, "BboxList"),)
    assert registered(in_strings.Kernel_).outputs == (Column("ret0", is_video=True),)


def test_string_annotations_find_names_of_the_function_around():
    name = in_strings.register_local()
    assert registry.lookup(name).inputs == (Column("word", False, "LocalWord"),)


def test_wrapped_functions_are_read_through():
    def logged(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    @logged
    def f(config, frame: FrameType) -> bytes: ...

    assert registered(f).inputs == (FRAME,)


def test_a_static_execute_has_no_self():
    class K(Kernel):
        @staticmethod
        def execute(frame: FrameType) -> bytes: ...

    assert registered(K).inputs == (FRAME,)


def test_state_and_devices():
    assert registered(Plain, bounded_state=0, name="a").warmup == 0
    assert registered(Plain, unbounded_state=True, name="b").unbounded
    assert set(registered(Plain, device_type=DeviceType.GPU, name="c").kernels) == {DeviceType.GPU}
    for sets in ([(DeviceType.CPU, 0), (DeviceType.GPU, 1)], [[DeviceType.CPU, 0], [DeviceType.GPU, 1]]):
        assert set(registered(Plain, device_sets=sets, name="d").kernels) == {DeviceType.CPU, DeviceType.GPU}


def test_promises_are_kept_with_the_kernel():
    kernel = registered(Plain, releases_gil=True, keeps_inputs=True).kernels[DeviceType.CPU]
    assert kernel.releases_gil
    assert kernel.keeps_inputs


def test_a_users_own_type():
    @types.register_type
    class Pose:
        serialize = deserialize = staticmethod(bytes)

    def f(config, pose: Pose) -> Pose: ...

    assert registered(f).outputs == (Column("ret0", False, "Pose"),)


# What is not


def test_the_place_is_told():
    def f(config, frame) -> bytes: ...

    text = refused(f, "op 'f' (")
    assert __file__ in text
    assert f":{f.__code__.co_firstlineno})" in text


def test_inputs_are_annotated():
    def f(config, frame) -> bytes: ...

    refused(f, "no annotation on input 'frame'")


def test_outputs_are_annotated():
    def f(config, frame: FrameType): ...

    refused(f, "no annotation on what it returns")


def test_returning_none_is_no_output():
    def f(config, frame: FrameType) -> None: ...

    refused(f, "NoneType", "not a registered type")


def test_types_are_registered():
    def f(config, frame: int) -> bytes: ...

    def g(config, frame: FrameType) -> dict: ...

    refused(f, "input 'frame' annotated int", "int is not a registered type", "register_type")
    refused(g, "its output annotated dict")


def test_no_keyword_arguments():
    def f(config, frame: FrameType, **more: bytes) -> bytes: ...

    refused(f, "takes **more: name each input")


def test_no_positional_only_inputs():
    def f(config, frame: FrameType, /) -> bytes: ...

    refused(f, "positional-only input 'frame'")


def test_variadic_inputs_stand_alone():
    def f(config, first: FrameType, *frames: FrameType) -> bytes: ...

    def g(config, *frames: FrameType, last: FrameType) -> bytes: ...

    refused(f, "mixes *frames with other inputs")
    refused(g, "mixes *frames with other inputs")


def test_variadic_inputs_are_of_one_type():
    def f(config, *frames: Tuple[FrameType, bytes]) -> bytes: ...

    refused(f, "a variadic input is T or Tuple[T, ...]")


def test_at_least_one_input():
    def f(config) -> bytes: ...

    class K(Kernel):
        def execute(self) -> bytes: ...

    refused(f, "no input")
    refused(K, "no input")


def test_a_function_has_config():
    def f() -> bytes: ...

    def g(*frames: FrameType) -> bytes: ...

    refused(f, "no config parameter")
    refused(g, "no config parameter")


def test_batch_needs_sequences():
    def f(config, frame: FrameType) -> Sequence[bytes]: ...

    def g(config, frame: Sequence[FrameType]) -> bytes: ...

    refused(f, "input 'frame' annotated FrameType", "Sequence[T], because the op has batch=", batch=2)
    refused(g, "its output annotated bytes", "Sequence[T]", batch=2)


def test_stencil_needs_sequences_of_inputs_only():
    def f(config, frame: FrameType) -> bytes: ...

    def g(config, frame: Sequence[FrameType]) -> Sequence[bytes]: ...

    refused(f, "Sequence[T], because the op has stencil=", stencil=[0])
    refused(g, "its output", "a Sequence too many", stencil=[0])


def test_both_need_sequences_of_sequences():
    def f(config, frame: Sequence[FrameType]) -> Sequence[bytes]: ...

    refused(f, "Sequence[Sequence[T]]", stencil=[0], batch=2)


def test_neither_takes_no_sequence():
    def f(config, frame: Sequence[FrameType]) -> bytes: ...

    refused(f, "a Sequence too many: it needs batch= or stencil=")


def test_one_sequence_too_many():
    def f(config, frame: Sequence[Sequence[FrameType]]) -> Sequence[bytes]: ...

    refused(f, "a Sequence too many: batch= explains only part", batch=2)


def test_endless_outputs_are_refused():
    def f(config, frame: FrameType) -> Tuple[bytes, ...]: ...

    def g(config, frame: FrameType) -> tuple: ...

    refused(f, "name each output column")
    refused(g, "name each output column")


def test_batches_are_returned_by_column():
    def f(config, frame: Sequence[FrameType]) -> Sequence[Tuple[bytes, bytes]]: ...

    refused(f, "Tuple[Sequence[A], Sequence[B]]", batch=2)


def test_an_execute_method_is_needed():
    class K(Kernel):
        pass

    class Other:
        execute = 3

    refused(K, "no execute method")
    refused(Other, "no execute method")


@pytest.mark.parametrize("init", [None, lambda self: None, lambda self, configuration: None, lambda self, *, x: None])
def test_init_takes_config_first(init):
    class K:
        if init is not None:
            __init__ = init

        def execute(self, frame: FrameType) -> bytes: ...

    refused(K, "must take config first")


def test_per_stream_arguments_have_names():
    class K(Kernel):
        def new_stream(self, **settings): ...

        def execute(self, frame: FrameType) -> bytes: ...

    refused(K, "**kwargs in new_stream")


@pytest.mark.parametrize("batch", [0, -1, 1.5, "2", True, None])
def test_batch_is_a_whole_number(batch):
    refused(Plain, "batch=", "whole number", batch=batch)


@pytest.mark.parametrize("stencil", [[], "01", 3, [0.5], [True]])
def test_stencil_is_a_list_of_offsets(stencil):
    def f(config, frame: Sequence[FrameType]) -> bytes: ...

    refused(f, "stencil=", "[-1, 0, 1]", stencil=stencil)


@pytest.mark.parametrize("state", [-1, 2.0, True, "3"])
def test_bounded_state_is_a_number_of_rows(state):
    refused(Plain, "bounded_state=", "0 or more", bounded_state=state)


def test_one_kind_of_state():
    refused(Plain, "both bounded_state and unbounded_state", bounded_state=1, unbounded_state=True)


def test_one_way_to_say_devices():
    sets = [(DeviceType.CPU, 1)]
    refused(Plain, "both device_type and device_sets", device_type=DeviceType.CPU, device_sets=sets)


@pytest.mark.parametrize("devices", [{"device_type": "cpu"}, {"device_sets": []}, {"device_sets": [("GPU", 1)]}])
def test_devices_are_device_types(devices):
    refused(Plain, "DeviceType.CPU", **devices)


@pytest.mark.parametrize("name", ["", 3])
def test_a_name_is_a_string(name):
    refused(Plain, "name='…'", name=name)


@pytest.mark.parametrize("target", [3, "f", functools.partial(print)])
def test_only_classes_and_functions_are_decorated(target):
    refused(target, "decorates a class or a function")


def test_unknown_names_in_annotations_are_told():
    def f(config, frame: "Nowhere") -> bytes: ...  # noqa: F821  # that is the point

    def g(config, frame: "no python at all") -> bytes: ...  # noqa: F722

    refused(f, "names 'Nowhere', which is not defined")
    refused(g, "cannot be evaluated")
