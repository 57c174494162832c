"""A column of blobs reads like a list, wherever its chunks end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scannerpy._store import blobs
from scannerpy._store.blobs import BlobColumn
from scannerpy._store.chunk import ChunkRef, ChunkWriter, RowOutOfRange
from scannerpy._store.objects import Objects, memory
from scannerpy._words.elements import NULL
from scannerpy.errors import CorruptObject


def store(objects: Objects, chunks: list[list[bytes | None]]) -> list[ChunkRef]:
    refs, start = [], 0
    for number, values in enumerate(chunks):
        writer = ChunkWriter("blob", start=start)
        for value in values:
            writer.add(value)
        refs.append(writer.to(objects, f"data/k/c-x/{number:08d}"))
        start += len(values)
    return refs


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.binary(max_size=9)), max_size=9), max_size=9), st.data())
def test_a_column_reads_like_a_list(chunks: list[list[bytes | None]], data: st.DataObject) -> None:
    objects = memory()
    column = BlobColumn(objects, store(objects, chunks))
    values = [NULL if value is None else value for chunk in chunks for value in chunk]
    assert column.rows == len(values)
    assert list(column.read()) == values
    if values:
        rows = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=40))
        assert list(column.read(rows)) == [values[row] for row in rows]


def test_reading_is_lazy_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = memory()
    column = BlobColumn(objects, store(objects, [[bytes([k, j]) * 500 for j in range(10)] for k in range(10)]))
    monkeypatch.setattr(blobs, "WINDOW_BYTES", 3500)
    monkeypatch.setattr(blobs, "OPEN_CHUNKS", 2)
    taken: list[int] = []
    get_ranges = objects.get_ranges

    def watched(path, starts, ends):
        taken.append(sum(ends) - sum(starts))
        return get_ranges(path, starts, ends)

    monkeypatch.setattr(objects, "get_ranges", watched)
    reading = column.read()
    assert not taken
    next(reading)
    assert sum(taken) == 3000
    assert len(list(reading)) == 99
    assert max(taken) <= 3500
    assert len(column._chunks._open) == 2


def test_one_item_may_be_larger_than_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "WINDOW_BYTES", 10)
    objects = memory()
    values = [b"x" * 100, b"y" * 5, b"z" * 50]
    assert list(BlobColumn(objects, store(objects, [values])).read([2, 1, 0, 0])) == [values[k] for k in (2, 1, 0, 0)]


def test_rows_out_of_range_are_refused_at_once() -> None:
    objects = memory()
    column = BlobColumn(objects, store(objects, [[b"1", b"2"]]))
    for rows in ([0, 2], [-1]):
        with pytest.raises(RowOutOfRange, match="column of 2 rows"):
            column.read(rows)
    with pytest.raises(IndexError):
        BlobColumn(objects, []).read([0])


def test_a_damaged_chunk_is_met_when_its_rows_are() -> None:
    objects = memory()
    refs = store(objects, [[b"1"], [b"2"]])
    objects.put(refs[1].path, b"junk")
    column = BlobColumn(objects, refs)
    assert list(column.read([0])) == [b"1"]
    with pytest.raises(CorruptObject, match="00000001"):
        list(column.read([0, 1]))
