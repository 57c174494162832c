"""Messages, enum values and stubs that programs take from `scannerpy.protobufs`."""

from __future__ import annotations

import pickle
import tomllib
from pathlib import Path

import pytest

from scannerpy import protobufs
from scannerpy.errors import NotSupported

MESSAGES = tomllib.loads((Path(__file__).parent / "messages.toml").read_text(encoding="utf-8"))
TYPES = {
    1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 8: "bool", 9: "string", 11: "message", 12: "bytes",
    13: "uint32", 14: "enum",
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_its_fields(name: str) -> None:
    fields = getattr(protobufs, name).DESCRIPTOR.fields_by_name
    for field, line in MESSAGES[name].items():
        number, _, kind = line.rpartition(" ") if line[0].isdigit() else ("", "", line)
        found = fields[field]
        assert f"{'repeated ' * found.is_repeated}{TYPES[found.type]}" == kind, field
        assert number in {"", str(found.number)}, field


def test_boxes_and_points_are_written_as_other_tools_read_them() -> None:
    box = protobufs.BoundingBox(x1=1, y1=2, x2=3, y2=4, score=5, track_id=6, track_score=7, label=8)
    floats = b"".join(bytes([number << 3 | 5]) + data for number, data in _floats(1, 2, 3, 4, 5))
    assert box.SerializeToString() == floats + b"\x30\x06\x39\x00\x00\x00\x00\x00\x00\x1c\x40\x40\x08"
    assert protobufs.Point(x=1).SerializeToString() == b"\x0d\x00\x00\x80\x3f"


def _floats(*values: float) -> list[tuple[int, bytes]]:
    import struct

    return [(number, struct.pack("<f", value)) for number, value in enumerate(values, start=1)]


@pytest.mark.parametrize(
    "names", [["CPU", "GPU"], ["Bytes", "Video", "Image"], ["U8", "U16", "F32", "F64"], ["PNG", "JPEG"]]
)
def test_enum_values_count_from_zero(names: list[str]) -> None:
    assert [getattr(protobufs, name) for name in names] == list(range(len(names)))


@pytest.mark.parametrize("name", ["MasterStub", "WorkerStub"])
def test_stubs_are_there_and_say_that_there_is_no_master(name: str) -> None:
    stub = getattr(protobufs, name)
    with pytest.raises(NotSupported, match=rf"protobufs\.{name}: .*job_status"):
        stub("a channel")


def test_the_instance_travels() -> None:
    assert pickle.loads(pickle.dumps(protobufs)).Point(x=1) == protobufs.Point(x=1)
