"""Fingerprints: equal in every process, different when anything that matters is."""

from __future__ import annotations

import enum
import functools
import importlib
import logging
import os
import subprocess
import sys
import threading
import types
from collections import OrderedDict
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scannerpy._store.fingerprint import fingerprint
from scannerpy.common import DeviceType
from scannerpy.errors import SerializationError

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@settings(deadline=None)
@given(plain)
def test_equal_data_is_equal(value: Any) -> None:
    import copy

    assert fingerprint(value) == fingerprint(copy.deepcopy(value))


def test_different_values_differ() -> None:
    values: list[Any] = [
        None, True, False, 0, 1, 1.0, -0.0, 0.0, 1j, "1", b"1", "", b"", (), [], {}, set(), [()], ([],), [[], []],
        [[[]]], ["ab", "c"], ["a", "bc"], {"a": 1}, {"a": "1"}, {1: "a"}, {"a", "b"}, ["a", "b"], [("a", 1)],
        float("nan"), float("inf"), Fraction(1, 2), 0.5, range(3), range(4), Path("a"), Path("b"), slice(0, 3), 2**80,
        np.zeros(3), np.zeros(3, np.float32), np.zeros((3, 1)), np.zeros((1, 3)), np.ones(3), np.float32(1),
        np.int64(1), np.array([None]), np.array(["a"], object), DeviceType.CPU, DeviceType.GPU, ..., int, str, len, sum,
        np, os, np.add, np.dtype("f4"), np.dtype("f8"), "a".join, "b".join, os.path.join, DeviceType, Fraction,
        OrderedDict, list[int], list[str],
    ]  # fmt: skip
    assert len({fingerprint(value) for value in values}) == len(values)


def test_order_counts_in_lists_and_not_in_sets_and_mappings() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) == fingerprint(types.MappingProxyType({"a": 1}))
    assert fingerprint({"a", "b", "c"}) == fingerprint(frozenset(["c", "b", "a"]))
    assert fingerprint([1, 2]) != fingerprint([2, 1])


def test_arrays_count_by_value_whatever_their_strides() -> None:
    square = np.arange(9).reshape(3, 3)
    assert fingerprint(square.T) == fingerprint(np.ascontiguousarray(square.T))
    assert fingerprint(square.T) != fingerprint(square)


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0
    tags: dict[str, int] = field(default_factory=dict)


class Loose:
    def __init__(self, value: int) -> None:
        self.value = value


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


def test_dataclasses_objects_and_enums_count_by_value() -> None:
    assert fingerprint(Point(1)) == fingerprint(Point(1))
    assert fingerprint(Point(1)) != fingerprint(Point(2))
    assert fingerprint(Point(1, 2)) != fingerprint((1, 2))
    assert fingerprint(Loose(1)) == fingerprint(Loose(1))
    assert fingerprint(Loose(1)) != fingerprint(Loose(2))
    assert fingerprint(Colour.RED) != fingerprint(Colour.GREEN)


def test_cycles_end() -> None:
    a: list[Any] = [1]
    a.append(a)
    b: list[Any] = [1]
    b.append(b)
    assert fingerprint(a) == fingerprint(b)


def made(source: str, name: str = "f", **given: Any) -> Any:
    """`name` as a notebook cell would define it."""
    space: dict[str, Any] = {"__name__": "__main__", **given}
    exec(compile(source, "<cell>", "exec"), space)  # noqa: S102 - what a notebook does
    return space[name]


BASE = "def f(config, frame):\n    return frame + 1\n"


@pytest.mark.parametrize(
    "source",
    [
        "def f(config, frame):\n    return frame + 2\n",
        "def f(config, frame):\n    return frame - 1\n",
        "def f(config, image):\n    return image + 1\n",
        "def f(config, frame, extra=1):\n    return frame + 1\n",
        "def f(config, frame, *, extra=1):\n    return frame + 1\n",
        "def f(config, frame):\n    return (lambda x: x + 1)(frame)\n",
        "def f(config, frame):\n    return frame.a\n",
        "def f(config, frame):\n    return frame.b\n",
        "def f(config, frame):\n    return 'a'\n",
        "def f(config, frame):\n    return 'b'\n",
        "def f(config, frame):\n    return frame in {'a', 'b'}\n",
        "def f(config, frame):\n    return ['x' for _ in frame]\n",
        "def f(config, frame):\n    return ['y' for _ in frame]\n",
    ],
)
def test_other_code_is_another_fingerprint(source: str) -> None:
    assert fingerprint(made(source)) != fingerprint(made(BASE))
    assert fingerprint(made(source)) == fingerprint(made(source))


def test_position_comments_and_docstrings_do_not_count() -> None:
    moved = '\n\n\n# a comment\ndef f(config, frame):\n    """Docs."""\n    return frame + 1  # more\n'
    assert fingerprint(made(moved)) == fingerprint(made(BASE))
    other = BASE.replace("    return", '    "Other docs."\n    return')
    assert fingerprint(made(other)) == fingerprint(made(BASE))


def test_globals_that_code_names_count() -> None:
    source = "def f(x):\n    return [x * scale for _ in range(3)] + helper(x)\n"
    help1, help2 = made("def helper(x): return x", "helper"), made("def helper(x): return x + 1", "helper")
    base = fingerprint(made(source, scale=1, helper=help1))
    assert base == fingerprint(made(source, scale=1, helper=help1, unrelated=5))
    assert base != fingerprint(made(source, scale=2, helper=help1))
    assert base != fingerprint(made(source, scale=1, helper=help2))
    assert base != fingerprint(made(source, scale=[1], helper=help1))
    assert fingerprint(made(source, scale={"a": {1}}, helper=help1)) != fingerprint(
        made(source, scale={"a": {2}}, helper=help1)
    )
    assert fingerprint(made(source, scale=Point(1), helper=help1)) != fingerprint(
        made(source, scale=Point(2), helper=help1)
    )


def test_globals_that_cannot_be_taken_apart_count_by_type() -> None:
    source = "def f(x):\n    log.info(x)\n    with lock: return x\n"
    one = fingerprint(made(source, log=logging.getLogger("a"), lock=threading.Lock()))
    assert one == fingerprint(made(source, log=logging.getLogger("b"), lock=threading.Lock()))
    assert one != fingerprint(made(source, log=3, lock=threading.Lock()))


def test_closures_defaults_partials_methods_and_wrappers_count() -> None:
    def outer(k: int) -> Any:
        def inner(x: int) -> int:
            return x + k

        return inner

    assert fingerprint(outer(1)) == fingerprint(outer(1))
    assert fingerprint(outer(1)) != fingerprint(outer(2))
    assert fingerprint(lambda x=1: x) != fingerprint(lambda x=2: x)
    assert fingerprint(functools.partial(outer, 1)) != fingerprint(functools.partial(outer, 2))
    assert fingerprint(functools.lru_cache(outer(1))) != fingerprint(functools.lru_cache(outer(2)))
    assert fingerprint([1, 2].index) != fingerprint([1, 3].index)


def test_functions_that_name_each_other_end_quickly() -> None:
    cell = "\n".join(f"def f{k}(x):\n    return {' + '.join(f'f{j}(x)' for j in range(40))}" for k in range(40))
    one, two = made(cell, "f0"), made(cell, "f0")
    assert fingerprint(one) == fingerprint(two)
    assert fingerprint(one) != fingerprint(made(cell.replace("f3(x) + f4(x)", "f4(x) + f3(x)", 1), "f0"))


CLASS = """
import abc
class Base(abc.ABC):
    size = 3
    @abc.abstractmethod
    def go(self): ...
class K(Base):
    \"\"\"Docs.\"\"\"
    def __init__(self, config, k=1):
        super().__init__()
        self.k = k
    @property
    def twice(self): return self.k * 2
    @staticmethod
    def two(): return 2
    @classmethod
    def make(cls): return cls(None)
    def go(self): return K.two() + self.k
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size = 3", "size = 4"),
        ("self.k * 2", "self.k * 3"),
        ("return 2", "return 3"),
        ("cls(None)", "cls(1)"),
        ("k=1", "k=2"),
        ("K.two() +", "K.two() -"),
        ("(Base)", "(Base, dict)"),
    ],
)
def test_a_class_counts_by_everything_in_it(old: str, new: str) -> None:
    assert fingerprint(made(CLASS, "K")) == fingerprint(made(CLASS.replace("Docs.", "Other."), "K"))
    assert fingerprint(made(CLASS, "K")) != fingerprint(made(CLASS.replace(old, new), "K"))


def test_an_object_of_a_notebook_class_counts_with_its_code() -> None:
    source = "class C:\n    def f(self): return 1\n"
    a, b = made(source, "C")(), made(source.replace("1", "2"), "C")()
    assert fingerprint(a) == fingerprint(made(source, "C")())
    assert fingerprint(a) != fingerprint(b)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder: kernels.py imports helpers.py imports deep.py; lazy.py only inside a function."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "fp_kernels.py").write_text(
        "import numpy\ntry:\n    from fp_pack.helpers import help\nexcept ImportError:\n    raise\n"
        "def f(x): return help(x)\nclass K:\n    pass\n"
    )
    (tmp_path / "fp_pack").mkdir()
    (tmp_path / "fp_pack" / "__init__.py").write_text("")
    (tmp_path / "fp_pack" / "helpers.py").write_text("from . import deep\ndef help(x): return deep.y\n")
    (tmp_path / "fp_pack" / "deep.py").write_text("y = 1\n")
    return tmp_path


def fresh() -> Any:
    for name in [name for name in sys.modules if name.startswith("fp_")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    return importlib.import_module("fp_kernels")


@pytest.mark.parametrize("changed", ["fp_kernels.py", "fp_pack/helpers.py", "fp_pack/deep.py"])
def test_a_module_counts_with_the_users_modules_it_rests_on(project: Path, changed: str) -> None:
    before = fresh()
    first = fingerprint([before.f, before.K, before])
    assert first == fingerprint([(again := fresh()).f, again.K, again])
    file = project / changed
    file.write_text(file.read_text() + "# changed\n")
    after = fresh()
    assert fingerprint([after.f, after.K, after]) != first


def test_code_counts_as_it_was_loaded(project: Path) -> None:
    """A file edited but not loaded again must not lend its name to the old code's results."""
    fresh()
    helpers = project / "fp_pack" / "helpers.py"
    helpers.write_text(helpers.read_text().replace("deep.y", "deep.y + 1"))
    stale = fingerprint(sys.modules["fp_kernels"].f)
    assert fingerprint(fresh().f) != stale


def test_what_cannot_be_taken_apart_is_refused_with_a_way_out() -> None:
    with pytest.raises(SerializationError, match="plain data"):
        fingerprint({"lock": threading.Lock()})


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np, functools, enum
from dataclasses import dataclass
from scannerpy._store.fingerprint import fingerprint
from scannerpy.common import DeviceType
SCALE = {{"b", "a", "c"}}
@dataclass
class P:
    a: int
    b: frozenset = frozenset("xyz")
class E(enum.Enum):
    A = 1
def helper(x):
    "doc"
    return x in {{"p", "q", "r"}}, SCALE, np.add(x, 1), E.A
class K:
    def __init__(self, config, a=E.A): super().__init__(); self.p = P(1)
    def execute(self, frame: "FrameType") -> bytes: return helper(frame)
import fp_kernels
print(fingerprint([K, helper, P(3), P, E, E.A, {{"x", "y", "z"}}, {{1: 2, "a": K}}, lambda x: helper(x), fp_kernels.f,
    fp_kernels.K, fp_kernels, np.arange(5), DeviceType.CPU, functools.partial(helper, 1), np.random.default_rng(3)]))
"""


def test_every_process_finds_the_same(project: Path) -> None:
    """With other hash seeds, optimised or not at all different in what it has loaded."""
    (project / "script.py").write_text(SCRIPT.format(folder=str(project)))
    (project / "other.py").write_text("import json, sqlite3\n" + SCRIPT.format(folder=str(project)))

    def run(script: str, seed: str) -> str:
        env = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(
            [sys.executable, str(project / script)], env=env, capture_output=True, text=True, check=True
        ).stdout

    assert len({run("script.py", "1"), run("script.py", "2"), run("other.py", "3")}) == 1
