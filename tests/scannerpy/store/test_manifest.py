"""Manifests come back as written, short ones without an object of their own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scannerpy._store.chunk import ChunkRef
from scannerpy._store.documents import encode
from scannerpy._store.layout import chunk_path, column_folder, key_folder, release
from scannerpy._store.manifest import read_manifest, write_manifest
from scannerpy._store.objects import Objects, check_path, memory
from scannerpy._store.state import State
from scannerpy.errors import CorruptObject, NewerFormat

from .test_state import table


def refs(rows: list[int]) -> list[ChunkRef]:
    found, start = [], 0
    for number, count in enumerate(rows):
        found.append(ChunkRef(chunk_path("k", "frame", number), start, start + count, 10**10, 2**32 - 1))
        start += count
    return found


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 1000), max_size=30), st.text(max_size=5))
def test_a_manifest_comes_back(rows: list[int], column: str) -> None:
    objects = memory()
    columns = {"frame": refs(rows), column: refs(rows)}
    assert read_manifest(objects, write_manifest(objects, "k", columns)) == columns


def test_a_short_one_is_no_object_and_a_long_one_is(objects: Objects) -> None:
    write_manifest(objects, "k", {"frame": refs([10])})
    assert objects.list("") == []
    path = write_manifest(objects, "k", {"frame": refs([10] * 100)})
    assert write_manifest(objects, "k", {"frame": refs([10] * 100)}) == path
    assert [found for found, _ in objects.list(key_folder("k"))] == [path]


def test_rows_must_follow_one_another(objects: Objects) -> None:
    with pytest.raises(ValueError, match="starts at row 10, not 0"):
        write_manifest(objects, "k", {"frame": refs([10, 10])[1:]})
    with pytest.raises(ValueError, match="different numbers"):
        write_manifest(objects, "k", {"a": refs([10]), "b": refs([11])})


def test_damage_absence_and_the_future_are_told_apart(objects: Objects) -> None:
    path = write_manifest(objects, "k", {"frame": refs([10] * 100)})
    whole = objects.get(path)
    objects.put(path, whole[:-3] + b"9" + whole[-2:])
    with pytest.raises(CorruptObject, match="checksum"):
        read_manifest(objects, path)
    objects.put(path, encode("log", {}))
    with pytest.raises(CorruptObject, match="is a log"):
        read_manifest(objects, path)
    objects.put(path, whole.replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(NewerFormat, match="upgrade"):
        read_manifest(objects, path)
    objects.delete([path])
    with pytest.raises(CorruptObject, match="missing"):
        read_manifest(objects, path)


@settings(deadline=None)
@given(st.text(min_size=1))
def test_any_column_name_makes_a_path(column: str) -> None:
    assert len(check_path(chunk_path("k", column, 3)).split("/")[-2]) < 255


@pytest.mark.parametrize("name", [".", "..", "a/b", "\ud800", "x" * 500])
def test_odd_column_names_make_paths(name: str) -> None:
    assert check_path(column_folder("k", name)) != column_folder("k", "a")


def test_data_goes_when_the_last_table_of_its_key_does(objects: Objects) -> None:
    objects.put(chunk_path("k1", "frame", 0), b"1")
    objects.put(chunk_path("k2", "frame", 0), b"1")
    a, b, c = (table(n, name, key=key) for n, (name, key) in enumerate([("a", "k1"), ("b", "k1"), ("c", "k2")]))
    before = State(tables={0: a, 1: b, 2: c})
    assert release(objects, before, State(tables={1: b, 2: c})) == 0
    assert release(objects, before, State(tables={2: c})) == 1
    assert objects.list("") == [(chunk_path("k2", "frame", 0), 1)]
