"""`Table.parent_rows`: which row of the input every stored row was made from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import scannerpy as sp
from scannerpy._store.objects import memory
from scannerpy._store.origins import has_origins, read_origins, write_origins
from scannerpy.errors import NotCommitted, ScannerException

ROWS = 40
PARAMS = sp.PerfParams.manual(5, 10)


@pytest.fixture
def numbers(cl):
    """A column whose row n holds n."""
    cl.new_table("numbers", ["column"], [[bytes([n])] for n in range(ROWS)])
    return cl.io.Input([sp.NamedStream(cl, "numbers")])


def chosen(cl, column, name="out"):
    """Store a column; return what its rows hold (−1: null) and the rows it says they are."""
    out = sp.NamedStream(cl, name)
    cl.run(cl.io.Output(column, [out]), PARAMS, show_progress=False)
    return [value[0] if isinstance(value, bytes) else -1 for value in out.load()], cl.table(name).parent_rows()


CHOICES = {
    "all": lambda cl, column: column,
    "stride": lambda cl, column: cl.streams.Stride(column, [7]),
    "ranges": lambda cl, column: cl.streams.Ranges(column, [{"intervals": [(30, 33), (2, 4)]}]),
    "any order": lambda cl, column: cl.streams.Gather(column, [[12, 3, 3, 39]]),
    "repeated": lambda cl, column: cl.streams.Repeat(cl.streams.Range(column, [(5, 8)]), [2]),
    "nulls between": lambda cl, column: cl.streams.RepeatNull(cl.streams.Stride(column, [20]), [3]),
    "nulls chosen": lambda cl, column: cl.streams.Gather(cl.streams.RepeatNull(column, [3]), [[0, 1, 3, 4, 60]]),
    "slices": lambda cl, column: cl.streams.Unslice(
        cl.streams.Slice(column, [cl.partitioner.ranges([(30, 40), (0, 5), (7, 7)])])
    ),
    "sampled slices of a sample": lambda cl, column: cl.streams.Unslice(
        cl.streams.Range(
            cl.streams.Slice(cl.streams.Range(column, [(2, 38)]), [cl.partitioner.all(10)]),
            [sp.SliceList([(1, 4), (0, 0), (2, 9), (0, 3)])],
        )
    ),
}


@pytest.mark.parametrize("name", CHOICES)
def test_every_row_knows_the_row_it_was_made_from(cl, numbers, name):
    values, parents = chosen(cl, CHOICES[name](cl, numbers))
    assert parents == values
    assert len(values) > 1


@sp.register_python_op(stencil=[-1, 0])
def ParentSecond(config, column: Sequence[bytes]) -> bytes:
    return column[1]


def test_ops_change_nothing_about_it(cl, numbers):
    values, parents = chosen(cl, cl.ops.ParentSecond(column=cl.streams.Stride(numbers, [3])))
    assert parents == values == list(range(0, ROWS, 3))


def test_each_stream_of_a_run_has_its_own(cl):
    for name in ("a", "b"):
        cl.new_table(name, ["column"], [[b"x"]] * 20)
    column = cl.io.Input([sp.NamedStream(cl, "a"), sp.NamedStream(cl, "b")])
    outs = [sp.NamedStream(cl, "out a"), sp.NamedStream(cl, "out b")]
    cl.run(cl.io.Output(cl.streams.Stride(column, [5, 10]), outs), PARAMS, show_progress=False)
    assert [cl.table(out.name()).parent_rows() for out in outs] == [[0, 5, 10, 15], [0, 10]]


def test_it_survives_the_client_and_is_kept_for_an_interrupted_run(cl, numbers, config, monkeypatch):
    """A run that ended before it could say where rows come from is told by the run that goes on with it."""
    sink = cl.io.Output(cl.ops.ParentFails(column=cl.streams.Stride(numbers, [4])), [sp.NamedStream(cl, "out")])
    monkeypatch.setenv("PARENT_FAILS", "yes")
    cl.run(sink, PARAMS, show_progress=False)
    for kept in Path(cl._db_path).rglob("origins.json"):
        kept.unlink()
    monkeypatch.delenv("PARENT_FAILS")
    cl.run(sink, PARAMS, show_progress=False)
    assert cl.table("out")._record.job_id == 0, "taken up, not made anew"
    with sp.Client(config=config, debug=True) as later:
        assert later.table("out").parent_rows() == list(range(0, ROWS, 4))


@sp.register_python_op()
def ParentFails(config, column: bytes) -> bytes:
    if "PARENT_FAILS" in os.environ:
        raise ValueError("not yet")
    return column


def test_a_table_without_a_job_has_no_parents(cl, numbers):
    with pytest.raises(ScannerException, match="'numbers' was not made by a job"):
        cl.table("numbers").parent_rows()
    with pytest.raises(NotCommitted, match="'nobody' does not exist"):
        cl.table("nobody").parent_rows()


def test_maps_are_small_and_shared():
    objects = memory()
    stride = np.arange(0, 3_000_000, 3)
    disorder = np.random.default_rng(1).integers(-1, 20, 200)
    write_origins(
        objects, 7, {1: stride, 2: stride.copy(), 3: np.array([5, -1, 5]), 5: np.array([], np.int64), 6: disorder}
    )
    assert objects.size("jobs/00000007/origins.json") < 600
    assert np.array_equal(read_origins(objects, 7, 2), stride)
    assert read_origins(objects, 7, 3).tolist() == [5, -1, 5]
    assert np.array_equal(read_origins(objects, 7, 6), disorder)
    assert read_origins(objects, 7, 5).tolist() == []
    assert read_origins(objects, 7, 4) is None
    assert read_origins(objects, 8, 1) is None
    assert (has_origins(objects, 7), has_origins(objects, 8)) == (True, False)


def test_nothing_is_stored_where_every_row_is_its_own_parent(cl, numbers):
    chosen(cl, cl.streams.Range(numbers, [(0, ROWS)]))
    assert list(Path(cl._db_path).rglob("origins.json")) == []
