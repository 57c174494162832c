"""Kernels travel: code of ``__main__`` and local code by value, code of modules by name, with the types they need."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle
import pytest

from scannerpy import types
from scannerpy._graph.graph import Graph
from scannerpy._kernels.host import KernelHost
from scannerpy._kernels.ship import pack_graph, unpack_graph
from scannerpy.errors import KernelError
from scannerpy.kernel import Kernel
from scannerpy.op import register_python_op
from tests.scannerpy.kernels.hosting import pack_kernel, run, unpack_kernel, vertex_of

ROOT = Path(__file__).resolve().parents[3]


class AtHome(Kernel):
    """A kernel of an importable module."""

    def execute(self, x: bytes) -> bytes:
        return b"home" + x


def factory_of(vertex):
    return next(iter(vertex.signature.kernels.values())).factory


def test_a_modules_kernel_travels_by_name():
    vertex = vertex_of(AtHome)
    assert factory_of(unpack_kernel(pack_kernel(vertex))) is AtHome


def test_a_local_kernel_travels_by_value_with_its_arguments_and_super():
    class Base(Kernel):
        def __init__(self, config, prefix):
            super().__init__(config)
            self.prefix = prefix

    class Local(Base):
        def __init__(self, config, prefix):
            super().__init__(config, prefix * 2)

        def execute(self, x: bytes) -> bytes:
            return self.prefix + x

    vertex = unpack_kernel(pack_kernel(vertex_of(Local, args={"prefix": b"ab"})))
    host = KernelHost(vertex)
    host.begin_task()
    assert run(host, [b"x"]) == [b"ababx"]
    assert vertex.label == "Local (program.py:12)"


def test_a_module_nobody_else_can_import_travels_by_value():
    module = ModuleType("made_up")
    sys.modules["made_up"] = module
    try:
        source = "def f(config, x: bytes) -> bytes:\n    return helper(x)\ndef helper(x):\n    return x + x\n"
        exec(source, module.__dict__)  # noqa: S102  # a module without a file
        data = pack_kernel(vertex_of(module.f))
    finally:
        del sys.modules["made_up"]
    assert "made_up" not in cloudpickle.list_registry_pickle_by_value()
    host = KernelHost(unpack_kernel(data))
    assert run(host, [b"a"]) == [b"aa"]


def test_a_graph_travels_whole():
    graph = Graph((vertex_of(AtHome),))
    again = unpack_graph(pack_graph(graph))
    assert again.vertices[0].label == "AtHome (program.py:12)"
    assert factory_of(again.vertices[0]) is AtHome


def test_what_cannot_travel_is_told_with_the_ops_name():
    lock = threading.Lock()

    def f(config, x: bytes) -> bytes:
        return x if lock else b""

    with pytest.raises(KernelError, match=r"^f \(program.py:12\) cannot be sent to worker processes: .*lock.*__init__"):
        pack_kernel(vertex_of(f))
    with pytest.raises(KernelError, match="cannot be sent"):
        pack_kernel(vertex_of(AtHome, args={"handle": lock}))


def test_types_travel_with_the_columns_that_name_them():
    @types.register_type
    class Word:
        serialize = staticmethod(str.encode)
        deserialize = staticmethod(bytes.decode)

    def f(config, x: Word) -> Word:
        return x.upper()

    data = pack_kernel(vertex_of(f))
    del types._by_type[Word], types._by_name["Word"]
    host = KernelHost(unpack_kernel(data))
    assert run(host, [b"a"]) == [b"A"]


SENDER = """
import dataclasses, sys
from collections import namedtuple
from enum import Enum
from typing import Any
sys.path[:0] = [{root!r}, {folder!r}]
from scannerpy import types
from scannerpy.kernel import Kernel
from tests.scannerpy.kernels.hosting import pack_kernel, vertex_of
import beside

SCALE = 3

@dataclasses.dataclass
class Box:
    x: int

class Colour(Enum):
    RED = 1

class Holds:
    cannot_travel = sys.stdin

Words = types.VariableList("Words", bytes)

def helper(n):
    return Box(n * SCALE)

class Finds(Kernel):
    def __init__(self, config, n):
        super().__init__(config)
        self.n = n

    def execute(self, x: Words) -> Any:
        return [helper(self.n), Colour.RED, beside.twice(x)]

if __name__ == "__main__":
    open({packet!r}, "wb").write(pack_kernel(vertex_of(Finds, args={{"n": 2}})))
"""

RECEIVER = """
import sys
sys.path[:0] = [{root!r}, {folder!r}]
from scannerpy import types
from scannerpy._kernels.host import KernelHost
from scannerpy._kernels.ship import unpack_graph
host = KernelHost(unpack_graph(open({packet!r}, "rb").read()).vertices[0])
data = types.get_type_info_cpp("Words").serialize([b"a", b"b"])
open({result!r}, "wb").write(host.run([[[data]]], [False], [0])[0][0])
assert "sender" not in sys.modules
"""

READER = """
import pickle
{sender}
box, colour, words = pickle.load(open({result!r}, "rb"))
assert type(box) is Box and box == Box(6), box
assert colour is Colour.RED
assert words == [b"aa", b"bb"]
print("as sent")
"""


def python(folder: Path, name: str, source: str) -> str:
    path = folder / name
    path.write_text(textwrap.dedent(source))
    done = subprocess.run([sys.executable, str(path)], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_program_a_worker_and_the_program_again(tmp_path):
    """Classes of ``__main__`` go to the worker with the kernel; what it pickles is read back as the same classes."""
    (tmp_path / "beside.py").write_text("def twice(items):\n    return [item * 2 for item in items]\n")
    places: dict[str, Any] = {"root": str(ROOT), "folder": str(tmp_path)}
    places |= {name: str(tmp_path / name) for name in ("packet", "result")}
    sender = SENDER.format(**places)
    python(tmp_path, "sender.py", sender)
    python(tmp_path, "receiver.py", RECEIVER.format(**places))
    assert python(tmp_path, "reader.py", READER.format(sender=sender, **places)) == "as sent\n"


def test_protobuf_modules_travel_as_their_files(tmp_path):
    protoc = pytest.importorskip("grpc_tools.protoc")
    (tmp_path / "shape.proto").write_text('syntax = "proto3"; package shapes; message Shape { int32 sides = 1; }')
    protoc.main(["protoc", f"-I{tmp_path}", f"--python_out={tmp_path}", "shape.proto"])
    source = f"""
        import sys
        sys.path[:0] = [{str(ROOT)!r}]
        from scannerpy.protobufs import protobufs
        from tests.scannerpy.kernels.hosting import pack_kernel, vertex_of
        protobufs.add_module({str(tmp_path / "shape_pb2.py")!r})
        def f(config, x: bytes) -> bytes:
            return config.args["shape"].SerializeToString()
        open("{tmp_path}/packet", "wb").write(pack_kernel(vertex_of(f, args={{"shape": protobufs.Shape(sides=3)}})))
    """
    python(tmp_path, "sender.py", source)
    receiver = f"""
        from scannerpy._kernels.host import KernelHost
        from scannerpy._kernels.ship import unpack_graph
        host = KernelHost(unpack_graph(open("{tmp_path}/packet", "rb").read()).vertices[0])
        print(host.run([[[b""]]], [False], [0]))
    """
    (tmp_path / "elsewhere").mkdir()
    assert python(tmp_path / "elsewhere", "receiver.py", receiver) == "[[b'\\x08\\x03']]\n"


def test_registering_again_does_not_change_what_was_sent():
    data = pack_kernel(vertex_of(AtHome))

    class Other(Kernel):
        def execute(self, x: bytes) -> bytes: ...

    register_python_op(name="Other")(Other)
    assert factory_of(unpack_kernel(data)) is AtHome
