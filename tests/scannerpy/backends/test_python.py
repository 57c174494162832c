"""Values of the program as a stream."""

from typing import Any

import pytest

import scannerpy as sp
from scannerpy import errors
from scannerpy.backends.python import PythonStream
from scannerpy.testing.backends import InputContract


@sp.register_python_op()
def Doubled(config, value: Any) -> Any:
    return value * 2


class TestBytes(InputContract):
    def stream(self, folder):
        return PythonStream(self.elements())

    def elements(self):
        return [b"one", b"", b"three", b"\x00" * 5000, b"five"]


def stored(sc, column):
    result = sp.NamedStream(sc, "out")
    sc.run(sc.io.Output(column, [result]), show_progress=False)
    return list(result.load())


def test_an_op_gets_the_values_back(sc):
    values = [1, "two", [3.5], None.__class__, (4,)]
    stream = PythonStream(sc, values[:3])
    assert stored(sc, sc.ops.Doubled(value=sc.io.Input([stream]))) == [2, "twotwo", [3.5, 3.5]]
    assert list(stream.load(rows=[2, 0])) == [[3.5], 1]


def test_each_stream_has_its_own_values(sc):
    streams = [PythonStream([1, 2]), PythonStream(range(3))]
    results = [sp.NamedStream(sc, name) for name in "ab"]
    sc.run(sc.io.Output(sc.ops.Doubled(value=sc.io.Input(streams)), results), show_progress=False)
    assert [list(result.load()) for result in results] == [[2, 4], [0, 2, 4]]


def test_the_source_takes_values_too(sc):
    assert stored(sc, sc.ops.Doubled(value=sc.sources.Python(data=[[1, 2]]))) == [2, 4]


@pytest.mark.parametrize("data", [5, "text", b"bytes"])
def test_what_is_no_list_is_refused(data):
    with pytest.raises(sp.ScannerException, match="list of values"):
        PythonStream(data)


def test_a_value_that_cannot_be_pickled_is_named(sc):
    with pytest.raises(errors.SerializationError, match="element 1 of a PythonStream, a function, cannot be pickled"):
        sc.io.Input([PythonStream([1, lambda: 2])])


def test_it_is_no_output(sc):
    column = sc.io.Input([PythonStream([1])])
    with pytest.raises(sp.ScannerException, match="PythonStorage cannot serve as an output"):
        sc.io.Output(column, [PythonStream([])])
