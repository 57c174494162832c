"""Many elements in one file."""

import struct

import pytest

from scannerpy import errors
from scannerpy.backends.packed import PackedStream, write_packed
from scannerpy.testing.backends import InputContract


class TestPacked(InputContract):
    def stream(self, folder):
        write_packed(folder / "x.packed", self.elements())
        return PackedStream(str(folder / "x.packed"))

    def elements(self):
        return [b"one", b"", b"three" * 100, b"four"]

    def missing(self, folder):
        return PackedStream(str(folder / "none"))


def test_the_format_is_the_old_one(tmp_path):
    """A count, that many sizes, the bytes; numbers are uint64."""
    path = tmp_path / "x"
    path.write_bytes(struct.pack("=QQQ", 2, 3, 1) + b"abcd")
    assert list(PackedStream(str(path)).load()) == [b"abc", b"d"]
    write_packed(tmp_path / "y", [b"abc", b"d"])
    assert (tmp_path / "y").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234567",
        struct.pack("=Q", 1 << 60),
        struct.pack("=QQ", 1, 5) + b"abc",
        struct.pack("=QQQ", 2, 1 << 63, 9),
    ],
)
def test_what_is_no_packed_file_is_told(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(errors.IngestError, match="do not add up"):
        PackedStream(str(tmp_path / "x")).len()
