"""When user code raises: op, line, rows, reason, and the user's own frames; and it survives the way home."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import pytest

from scannerpy._kernels.failure import spell_rows
from scannerpy.errors import KernelError, ScannerException
from tests.scannerpy.kernels.hosting import host_of, run


def inner(x):
    return {b"a": 1, b"c": 3}[x]


def divides(config, x: bytes) -> bytes:
    return bytes(inner(x))


def failure(target, elements, **options) -> KernelError:
    with pytest.raises(KernelError) as told:
        run(host_of(target, **options), elements, first=20)
    return told.value


def test_the_text_says_op_line_row_and_reason_first():
    error = failure(divides, [b"a", b"", b"c"])
    assert str(error).splitlines()[0] == "divides (program.py:12) failed at row 21: KeyError: b''"
    assert isinstance(error, ScannerException)
    assert isinstance(error, RuntimeError)


def test_the_attributes_say_it_to_programs():
    error = failure(divides, [b""])
    assert (error.op, error.rows) == ("divides (program.py:12)", (20,))


def test_the_traceback_holds_the_users_frames_only():
    error = failure(divides, [b""])
    lines = error.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.strip() for line in lines if "File " in line] == [
        f'File "{__file__}", line {divides.__code__.co_firstlineno + 1}, in divides',
        f'File "{__file__}", line {inner.__code__.co_firstlineno + 1}, in inner',
    ]
    assert lines[-1] == "KeyError: b''"
    assert error.traceback in str(error)


def test_causes_are_part_of_the_traceback():
    def f(config, x: bytes) -> bytes:
        try:
            inner(x)
        except KeyError as error:
            raise ValueError("bad row") from error

    error = failure(f, [b""])
    assert "failed at row 20: ValueError: bad row" in str(error)
    assert "KeyError" in error.traceback


def test_the_original_is_chained_for_debuggers():
    assert isinstance(failure(divides, [b""]).__cause__, KeyError)


def test_a_batch_names_its_rows():
    def f(config, x: Sequence[bytes]) -> Sequence[bytes]:
        raise ValueError

    assert failure(f, [b"a"] * 5, batch=3).rows == (20, 21, 22)


def test_a_call_that_does_not_fit_execute_has_no_users_frames():
    def f(config, x: bytes) -> bytes:
        return x

    host = host_of(f)
    f.__code__ = (lambda config, y: y).__code__
    with pytest.raises(KernelError, match=r"unexpected keyword argument 'x'") as told:
        run(host, [b""])
    assert "File" not in told.value.traceback


def test_it_survives_the_way_between_processes():
    error = failure(divides, [b""])
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.op, again.rows, again.traceback) == (str(error), error.op, error.rows, error.traceback)


@pytest.mark.parametrize(
    ("rows", "spelled"),
    [
        ([7], "row 7"),
        ([3, 4, 5], "rows 3–5"),
        ([3, 5], "rows 3, 5"),
        (range(0, 100, 10), "rows 0, 10, 20, 30, …, 70, 80, 90"),
    ],
)
def test_rows_are_spelled_shortly(rows, spelled):
    assert spell_rows(list(rows)) == spelled
