"""Chunks give back what was put in, from any rows, and never anything else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scannerpy._store import chunk as chunk_module
from scannerpy._store.chunk import Chunk, ChunkRef, ChunkWriter, RowOutOfRange, SpoolingChunkWriter, find_chunks
from scannerpy._store.chunk_format import FIRST_READ, TAIL
from scannerpy._store.objects import Objects, memory, open_local
from scannerpy._words.elements import NULL
from scannerpy.errors import CorruptObject, NewerFormat, StorageFull

items = st.lists(st.one_of(st.none(), st.binary(max_size=40)), max_size=40)


def write(
    objects: Objects, values: Sequence[bytes | None], path: str = "data/k/c-x/00000000", **kwargs: Any
) -> ChunkRef:
    writer = ChunkWriter("blob", {"note": "ä"}, **kwargs)
    for value in values:
        writer.add(value)
    return writer.to(objects, path)


@settings(max_examples=300, deadline=None)
@given(items, st.data())
def test_any_rows_in_any_order_come_back(values: list[bytes | None], data: st.DataObject) -> None:
    objects = memory()
    chunk = Chunk.open(objects, write(objects, values))
    rows = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=60)) if values else []
    assert chunk.read(rows) == [NULL if values[row] is None else values[row] for row in rows]
    assert chunk.items == len(values)
    assert chunk.sizes(rows).tolist() == [len(values[row] or b"") for row in rows]


@settings(max_examples=60, deadline=None)
@given(items, st.dictionaries(st.text(max_size=5), st.binary(max_size=20), max_size=3), st.integers(0, 10**12))
def test_a_spooled_chunk_has_the_same_bytes(values: list[bytes | None], sections: dict[str, bytes], start: int) -> None:
    objects = memory()
    plain = ChunkWriter("blob", {"a": 1}, start=start)
    with SpoolingChunkWriter(objects, "blob", {"a": 1}, start=start) as spooled:
        for writer in (plain, spooled):
            for value in values:
                writer.add(value)
            for name, data in sections.items():
                writer.section(name, data)
        first, second = plain.to(objects, "plain"), spooled.to(objects, "spooled")
    assert objects.get("plain") == objects.get("spooled") == b"".join(plain.finish())
    assert (first.start, first.end, first.bytes, first.checksum) == (
        second.start,
        second.end,
        second.bytes,
        second.checksum,
    )
    chunk = Chunk.open(objects, second)
    assert {name: chunk.section(name) for name in chunk.sections} == sections


def test_empty_bytes_and_null_are_two_things(objects: Objects) -> None:
    assert Chunk.open(objects, write(objects, [b"", None])).read([1, 0]) == [NULL, b""]


def test_a_chunk_says_where_its_rows_belong(objects: Objects) -> None:
    writer = ChunkWriter("video", {"codec": "h264"}, start=100)
    assert [writer.add(b"abc"), writer.add(b"de"), writer.add(b"f")] == [0, 3, 5]
    ref = writer.to(objects, "data/k/c-frame/00000001", rows=2)
    again = Chunk.open(objects, "data/k/c-frame/00000001")
    assert again.ref == ref
    assert (again.kind, again.start, again.end, again.items, ref.rows) == ("video", 100, 102, 3, 2)
    assert again.meta == {"codec": "h264"}
    assert ref.bytes == objects.size(ref.path)


def test_a_large_chunk_is_read_by_parts(objects: Objects) -> None:
    """Offsets, checksums and sections that do not fit in the first read are fetched when needed."""
    values = [bytes([k % 251]) * (k % 23) for k in range(30_000)]
    writer = ChunkWriter("blob", {"long": "x" * (2 * FIRST_READ)})
    for value in values:
        writer.add(value)
    writer.section("index", b"i" * 300_000)
    chunk = Chunk.open(objects, writer.to(objects, "big"))
    rows = np.random.default_rng(1).integers(0, len(values), 500)
    assert chunk.read(rows) == [values[row] for row in rows.tolist()]
    assert chunk.section("index") == b"i" * 300_000


def test_near_items_are_read_together_and_far_ones_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = memory()
    values = [bytes([k]) * 10_000 for k in range(100)]
    chunk = Chunk.open(objects, write(objects, values))
    chunk.read([0])
    asked: list[int] = []
    get_ranges = objects.get_ranges

    def watched(path: str, starts: Sequence[int], ends: Sequence[int]) -> list[bytes]:
        asked.append(len(starts))
        return get_ranges(path, starts, ends)

    monkeypatch.setattr(objects, "get_ranges", watched)
    assert chunk.read([0, 2, 1, 50, 99, 52]) == [values[k] for k in (0, 2, 1, 50, 99, 52)]
    assert asked == [3]
    asked.clear()
    monkeypatch.setattr(chunk_module, "RUN", 25_000)
    assert chunk.read(range(10)) == values[:10]
    assert asked == [5]


def test_opening_a_small_chunk_is_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = memory()
    ref = write(objects, [b"1", b"2"])
    monkeypatch.setattr(objects, "get_ranges", None)
    chunk = Chunk.open(objects, ref)
    assert chunk.sizes([0, 1]).tolist() == [1, 1]


def test_packets_are_read_by_byte_range(objects: Objects) -> None:
    writer = ChunkWriter("video", {})
    packets = [bytes([k]) * (k + 1) for k in range(50)]
    offsets = [writer.add(packet) for packet in packets]
    chunk = Chunk.open(objects, writer.to(objects, "v", rows=50))
    sizes = [len(packet) for packet in packets]
    assert chunk.data_ranges(offsets, sizes) == packets
    assert chunk.data_ranges(offsets[::-3], sizes[::-3]) == packets[::-3]
    assert chunk.data_ranges([offsets[3] + 1], [2]) == [packets[3][1:3]]
    assert chunk.data_ranges([], []) == []
    assert chunk.data_bytes == sum(sizes)


def test_ranges_outside_of_the_data_are_damage(objects: Objects) -> None:
    chunk = Chunk.open(objects, write(objects, [b"123"]))
    for start, size in ((2, 2), (-1, 2), (9, 1)):
        with pytest.raises(CorruptObject, match="outside"):
            chunk.data_ranges([start], [size])


def test_rows_that_are_not_there_are_named(objects: Objects) -> None:
    chunk = Chunk.open(objects, write(objects, [b"1", b"2"]))
    for rows, bad in (([0, 2], "Row 2"), ([-1], "Row -1")):
        with pytest.raises(RowOutOfRange, match=bad):
            chunk.read(rows)


def test_a_section_that_is_not_there(objects: Objects) -> None:
    chunk = Chunk.open(objects, write(objects, []))
    with pytest.raises(KeyError):
        chunk.section("index")


def test_a_name_serves_one_section() -> None:
    writer = ChunkWriter("blob")
    writer.section("a", b"")
    with pytest.raises(ValueError, match="already"):
        writer.section("a", b"")


@settings(max_examples=300, deadline=None)
@example(339, 1)
@given(st.integers(8, 354), st.integers(1, 255))
def test_no_flipped_byte_goes_unnoticed(at: int, flip: int) -> None:
    """Damage anywhere behind the first eight bytes is an error that names the object: never other data."""
    objects = memory()
    values = [b"hello", None, b"", b"world" * 5]
    writer = ChunkWriter("blob", {})
    for value in values:
        writer.add(value)
    writer.section("s", b"section")
    ref = writer.to(objects, "data/x")
    whole = bytearray(objects.get("data/x"))
    whole[min(at, len(whole) - 1)] ^= flip
    objects.put("data/x", bytes(whole))
    with pytest.raises((CorruptObject, NewerFormat), match="data/x"):
        _read_all(Chunk.open(objects, ref))


def _read_all(chunk: Chunk) -> None:
    chunk.read(range(chunk.items))
    chunk.section("s")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 200))
def test_a_cut_chunk_is_damaged(length: int) -> None:
    objects = memory()
    ref = write(objects, [b"hello"] * 20)
    objects.put(ref.path, objects.get(ref.path)[:length])
    with pytest.raises(CorruptObject, match=r"damaged.*again"):
        Chunk.open(objects, ref)


def test_a_damaged_packet_is_noticed(objects: Objects) -> None:
    writer = ChunkWriter("video")
    offsets = [writer.add(b"a" * 10), writer.add(b"b" * 10)]
    ref = writer.to(objects, "v", rows=2)
    whole = bytearray(objects.get("v"))
    whole[8 + 15] ^= 1
    objects.put("v", bytes(whole))
    chunk = Chunk.open(objects, ref)
    assert chunk.data_ranges(offsets[:1], [10]) == [b"a" * 10]
    with pytest.raises(CorruptObject, match="item 1"):
        chunk.data_ranges(offsets, [10, 10])
    with pytest.raises(CorruptObject, match="item 1"):
        chunk.read([0, 1])


def test_a_newer_format_is_not_called_damage(objects: Objects) -> None:
    ref = write(objects, [b"1"])
    whole = objects.get(ref.path)
    footer, crc, _, magic = TAIL.unpack(whole[-TAIL.size :])
    objects.put(ref.path, whole[: -TAIL.size] + TAIL.pack(footer, crc, 2, magic))
    with pytest.raises(NewerFormat, match=r"format 2.*upgrade"):
        Chunk.open(objects, ref)


def test_another_chunk_under_the_same_name_is_noticed(objects: Objects) -> None:
    ref = write(objects, [b"1"])
    objects.delete([ref.path])
    write(objects, [b"2"])
    Chunk.open(objects, ref.path)
    with pytest.raises(CorruptObject, match="not the object that was committed"):
        Chunk.open(objects, ref)


def test_the_first_of_two_writers_wins_and_both_refer_to_it(objects: Objects) -> None:
    first = write(objects, [b"1", b"2"])
    second = write(objects, [b"other"])
    assert first == second
    with SpoolingChunkWriter(objects, "blob") as writer:
        writer.add(b"third")
        assert writer.to(objects, first.path) == first


def test_finished_tasks_are_found_by_listing(objects: Objects) -> None:
    refs = [
        write(objects, [b"x"] * 10, f"data/k/c-x/{task:08d}", start=start) for task, start in ((2, 20), (0, 0), (1, 10))
    ]
    write(objects, [b"y"], "data/other/c-x/00000000")
    assert find_chunks(objects, "data/k/c-x") == (sorted(refs, key=lambda ref: ref.start), [])
    objects.put(refs[0].path, b"nonsense")
    found, damaged = find_chunks(objects, "data/k/c-x")
    assert [ref.start for ref in found] == [0, 10]
    assert len(damaged) == 1
    assert refs[0].path in str(damaged[0])
    assert find_chunks(objects, "data/none") == ([], [])


def test_a_full_disk_leaves_no_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = open_local(tmp_path)
    with SpoolingChunkWriter(objects, "video") as writer:
        writer.add(b"1" * 10)
        full = Path("/dev/full")
        if full.exists():
            assert writer._file is not None
            writer._file.close()
            writer._file = full.open("wb")
            with pytest.raises(StorageFull, match="No space"):
                writer.add(b"1" * (4 << 20))
    assert objects.list("") == []
    assert list(objects.staging_folder().iterdir()) == []


def test_spooling_needs_with(folder: Objects) -> None:
    with pytest.raises(TypeError, match="with"):
        SpoolingChunkWriter(folder, "video").add(b"1")


def test_a_reference_is_plain_data(objects: Objects) -> None:
    ref = write(objects, [b"1"])
    assert ChunkRef(*json.loads(json.dumps([ref.path, ref.start, ref.end, ref.bytes, ref.checksum]))) == ref
