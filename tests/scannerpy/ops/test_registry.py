"""Who owns a name; ops registered by the names of their columns; native modules waiting to be loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scannerpy import types
from scannerpy._ops import lowlevel, registry
from scannerpy._ops.signature import Column, OpSignature
from scannerpy.common import ColumnType, DeviceType
from scannerpy.errors import NotSupported, RegistrationError, ScannerException, UnknownOp
from scannerpy.op import MODULE_REGISTRY, PYTHON_OP_REGISTRY, register_module, register_python_op
from scannerpy.types import FrameType


def op(module: str = __name__, qualname: str = "f"):
    def f(config, frame: FrameType) -> bytes: ...

    f.__module__, f.__qualname__ = module, qualname
    return f


def register(module: str, qualname: str = "f"):
    function = register_python_op(name="Op")(op(module, qualname))
    return function, registry.lookup("Op")


def test_the_same_definition_may_be_registered_again():
    _, first = register("mine")
    function, second = register("mine")
    assert PYTHON_OP_REGISTRY["Op"] is second
    assert second.kernels[DeviceType.CPU].factory is function
    assert (first.unique_id, second.unique_id) == ("mine.f#1", "mine.f#2")


def test_a_notebook_may_define_a_name_anew():
    register("__main__")
    register("__main__", "g")


def test_a_local_definition_gives_way_to_another_of_its_module():
    register("mine", "test_a.<locals>.f")
    function, signature = register("mine", "test_b.<locals>.f")
    assert signature.kernels[DeviceType.CPU].factory is function


@pytest.mark.parametrize("other", [("mine", "g"), ("yours", "f"), ("__main__", "f")])
def test_two_definitions_do_not_share_a_name(other):
    register("mine")
    with pytest.raises(RegistrationError, match=r"op 'Op' of .* cannot be registered: mine\.f has that name.*name=…"):
        register(*other)
    assert registry.lookup("Op").unique_id == "mine.f#1"


def test_batteries_give_way_to_a_program_whichever_came_first():
    register("scannerpy.ops.some")
    function, _ = register("mine")
    register("scannerpy.ops.some")
    assert registry.lookup("Op").kernels[DeviceType.CPU].factory is function


def test_batteries_are_there_without_an_import():
    program = (
        "from scannerpy.op import OpGenerator as O; print(O(None).Histogram.__name__, hasattr(O(None), 'Nothing'))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["Histogram", "False"]


def test_looking_up_nothing_is_an_error():
    with pytest.raises(UnknownOp, match="register_python_op"):
        registry.lookup("Qwertz")


def test_a_proto_module_can_come_with_an_op():
    with pytest.raises(ScannerException, match="does not exist"):
        register_python_op(proto_path="/nowhere_pb2.py")(op())


# By the names of columns


def test_an_op_registered_by_columns():
    info = types.get_type_info(types.Bbox)
    columns = ["a", ("b", ColumnType.Video), ("c", ColumnType.Blob, info), ("d", ColumnType.Blob)]
    signature = lowlevel.register_op("Raw", columns, ["out"], stencil=[0, 1], bounded_state=2)
    assert signature.inputs == (
        Column("a", False), Column("b", True), Column("c", False, "Bbox"), Column("d", False)
    )  # fmt: skip
    assert (signature.stencil, signature.warmup, signature.kernels) == ((0, 1), 2, {})
    with_kernel = lowlevel.register_kernel("Raw", DeviceType.CPU, lambda config, columns: columns, batch=3)
    assert registry.lookup("Raw") is with_kernel
    assert (with_kernel.kernels[DeviceType.CPU].kind, with_kernel.kernels[DeviceType.CPU].batch) == ("raw", 3)


def test_variadic_by_columns_ignores_input_names():
    assert lowlevel.register_op("Raw", ["ignored"], ["out"], variadic_inputs=True).inputs == ()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input_columns": [3]}, r"column 3: give a name"),
        ({"input_columns": [("a", "Video")]}, r"ColumnType"),
        ({"input_columns": []}, "at least one input"),
        ({"output_columns": []}, "one output"),
        ({"bounded_state": True}, "bounded_state=True"),
        ({"bounded_state": 1, "unbounded_state": True}, "both"),
        ({"stencil": []}, "stencil="),
        ({"name": 3}, "name"),
    ],
)
def test_wrong_columns_are_told(arguments, words):
    with pytest.raises(RegistrationError, match=words):
        lowlevel.register_op(**{"name": "Raw", "input_columns": ["a"], "output_columns": ["b"]} | arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("Raw", "CPU", print), RegistrationError, "DeviceType"),
        (("Raw", DeviceType.CPU, 3), RegistrationError, "function or a class"),
        (("Raw", DeviceType.CPU, object), RegistrationError, "execute"),
        (("Raw", DeviceType.CPU, print, 0), RegistrationError, "batch=0"),
        (("Other", DeviceType.CPU, print), UnknownOp, "before its kernel"),
    ],
)
def test_wrong_kernels_are_told(arguments, error, words):
    lowlevel.register_op("Raw", ["a"], ["b"])
    with pytest.raises(error, match=words):
        lowlevel.register_kernel(*arguments)


# Native modules


def test_modules_are_loaded_once_per_client_when_ops_are_next_asked_for(ops, sc):
    loaded = []
    signature, origin = OpSignature("Native", (), ()), registry.Origin("a", "Native")
    sc.load_op = lambda so, proto: (loaded.append((so, proto)), registry.register(signature, origin))
    register_module("a.so", "a_pb2.py")
    register_module("a.so", "a_pb2.py")
    assert MODULE_REGISTRY == [("a.so", "a_pb2.py")]
    assert not loaded
    for _ in range(2):
        assert ops.Native.__name__ == "Native"
    register_module("b.so")
    _ = ops.Native
    assert loaded == [("a.so", "a_pb2.py"), ("b.so", None)]


def test_a_module_that_cannot_be_loaded_is_tried_again(ops, sc):
    def fail(so, proto):
        raise NotSupported(so)

    sc.load_op = fail
    register_module("a.so")
    for _ in range(2):
        with pytest.raises(NotSupported):
            _ = ops.Anything
