"""Types: what is written to bytes is read back; what would not be is refused in a sentence."""

from __future__ import annotations

import contextlib
import pickle
import struct
from typing import Any

import cloudpickle
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scannerpy import types
from scannerpy.errors import RegistrationError, ScannerException, SerializationError
from scannerpy.protobufs import protobufs

FLOATS = st.floats(allow_nan=False, width=32)
INT32 = st.integers(-(2**31), 2**31 - 1)
BOXES = st.builds(
    dict,
    x1=FLOATS,
    y1=FLOATS,
    x2=FLOATS,
    y2=FLOATS,
    score=FLOATS,
    track_id=INT32,
    track_score=st.floats(allow_nan=False),
    label=INT32,
)


def back(ty: Any, value: Any) -> Any:
    info = types.get_type_info(ty)
    return info.deserialize(info.serialize(value))


@pytest.fixture
def registry():
    """Lets a test register types without leaving them behind."""
    before = dict(types._by_type), dict(types._by_name)
    yield
    for live, saved in zip((types._by_type, types._by_name), before, strict=True):
        live.clear()
        live.update(saved)


@given(st.binary())
def test_bytes_are_themselves(data):
    assert back(bytes, data) == data


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.tuples(inner)))
def test_any_takes_whatever_pickles(value):
    assert back(Any, value) == value


@given(hnp.arrays(np.float32, st.integers(0, 40)))
def test_float32_arrays_return_flat(array):
    np.testing.assert_array_equal(back(types.NumpyArrayFloat32, array), array)


@given(hnp.arrays(np.int32, hnp.array_shapes(max_dims=3, max_side=5)))
def test_int32_arrays_return_flat_whatever_their_shape(array):
    np.testing.assert_array_equal(back(types.NumpyArrayInt32, array), array.ravel())


@given(hnp.arrays(np.int32, (3, 16)))
def test_a_histogram_is_three_arrays_of_sixteen(counts):
    result = back(types.Histogram, list(counts))
    assert [row.tolist() for row in result] == counts.tolist()


@given(BOXES)
def test_a_bbox_is_a_message(fields):
    box = protobufs.BoundingBox(**fields)
    assert back(types.Bbox, box) == box


@given(st.lists(BOXES, max_size=5))
def test_a_bbox_list_returns_as_a_list(boxes):
    messages = [protobufs.BoundingBox(**fields) for fields in boxes]
    assert back(types.BboxList, messages) == messages


@given(st.lists(st.binary(), max_size=6))
def test_a_variable_list_is_a_count_then_lengths_and_bytes(items):
    info = types.get_type_info(types.VariableList("Items", bytes))
    written = struct.pack("=Q", len(items)) + b"".join(struct.pack("=Q", len(i)) + i for i in items)
    assert info.serialize(items) == written
    assert info.deserialize(written) == items


@given(st.lists(st.lists(INT32, min_size=5, max_size=5), max_size=4))
def test_a_uniform_list_by_size_takes_any_number(rows):
    ty = types.UniformList("Fives", types.NumpyArrayInt32, size=20)
    assert [row.tolist() for row in back(ty, rows)] == rows


@given(st.binary(max_size=60))
def test_foreign_bytes_never_crash_a_list(data):
    for ty in (types.BboxList, types.Histogram, types.NumpyArrayInt32, types.Bbox):
        with contextlib.suppress(SerializationError):
            types.get_type_info(ty).deserialize(data)


def test_numpy_values_come_back_read_only():
    assert not back(types.NumpyArrayInt32, [1, 2]).flags.writeable


def test_counts_of_another_width_are_converted():
    assert back(types.NumpyArrayInt32, np.histogram([1, 2], 3)[0]).tolist() == [1, 0, 1]
    assert back(types.NumpyArrayFloat32, np.array([0.5])).dtype == np.float32


@pytest.mark.parametrize("value", [np.array([2**40]), np.array([0.5]), np.array([-1], np.int64).view(np.uint64)])
def test_numbers_that_would_be_lost_are_refused(value):
    with pytest.raises(SerializationError, match="does not fit"):
        back(types.NumpyArrayInt32, value)


def test_an_image_is_png_and_returns_bgr():
    picture = np.random.default_rng(1).integers(0, 255, (6, 7, 3), np.uint8)
    data = types.Image.serialize(picture)
    assert data.startswith(b"\x89PNG")
    np.testing.assert_array_equal(types.Image.deserialize(data), picture)


def test_what_is_no_image_is_refused():
    with pytest.raises(SerializationError, match="OpenCV can read"):
        types.Image.deserialize(b"text")
    with pytest.raises(SerializationError, match="OpenCV can read"):
        types.Image.deserialize(b"")
    with pytest.raises(SerializationError, match="PNG"):
        types.Image.serialize("text")


def test_a_uniform_list_of_at_most_four_bytes_reads_as_empty_and_is_not_written():
    info = types.get_type_info(types.UniformList("Tiny", bytes, size=1))
    assert info.deserialize(b"abcd") == []
    with pytest.raises(SerializationError, match="VariableList"):
        info.serialize([b"a", b"b"])


@pytest.mark.parametrize("wrong", [{}, {"size": 4, "parts": 2}, {"size": 0}, {"parts": -1}])
def test_a_uniform_list_takes_exactly_one_of_size_and_parts(wrong):
    with pytest.raises(RegistrationError, match="exactly one"):
        types.UniformList("Wrong", bytes, **wrong)


def test_a_uniform_list_names_what_does_not_fit():
    histogram = types.get_type_info(types.Histogram)
    with pytest.raises(SerializationError, match="has 3 elements, not 2"):
        histogram.serialize([np.zeros(16, np.int32)] * 2)
    with pytest.raises(SerializationError, match="of the same size"):
        histogram.serialize([np.zeros(16, np.int32)] * 2 + [np.zeros(8, np.int32)])
    with pytest.raises(SerializationError, match="20 bytes each"):
        types.get_type_info(types.UniformList("Twenties", bytes, size=20)).serialize([b"12345"])
    with pytest.raises(SerializationError, match="divide evenly"):
        histogram.deserialize(b"12345678")


@pytest.mark.parametrize("damaged", [b"", b"\1", struct.pack("=QQ", 1, 99), struct.pack("=Q", 2**60), bytes(9)])
def test_a_damaged_variable_list_is_an_error(damaged):
    with pytest.raises(SerializationError, match="BboxList"):
        types.get_type_info(types.BboxList).deserialize(damaged)


def test_a_message_of_another_kind_is_refused():
    with pytest.raises(SerializationError, match="BoundingBox message, not Point"):
        types.get_type_info(types.Bbox).serialize(protobufs.Point(x=1))


def test_a_registered_class_is_found_by_itself_and_by_name(registry):
    @types.register_type
    class Word:
        def serialize(text):  # noqa: N805  # as documented: no self
            return text.encode()

        def deserialize(data):  # noqa: N805
            return data.decode()

    info = types.get_type_info(Word)
    assert info is types.get_type_info_cpp("Word")
    assert info == types.ScannerTypeInfo(Word, "Word", Word.serialize, Word.deserialize)
    assert back(Word, "drei") == "drei"


def test_registering_a_name_again_replaces_it(registry):
    first = types.ProtobufType("Again", protobufs.Point)
    second = types.ProtobufType("Again", protobufs.BoundingBox)
    assert types.get_type_info_cpp("Again").type is second is not first


def test_type_info_is_frozen():
    with pytest.raises(AttributeError):
        types.get_type_info(bytes).cpp_name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("unknown", [int, list, dict[str, int], "bytes", [], None])
def test_unregistered_types_are_named(unknown):
    with pytest.raises(RegistrationError, match="not a registered type"):
        types.get_type_info(unknown)


def test_an_unknown_stored_name_says_what_to_import():
    with pytest.raises(ScannerException, match="'Poses' is registered in this process: import the module"):
        types.get_type_info_cpp("Poses")


@pytest.mark.parametrize("wrong", [3, type("NoDeserialize", (), {"serialize": bytes}), type("Neither", (), {})])
def test_a_type_needs_both_functions(wrong):
    with pytest.raises(RegistrationError, match=r"register_type|two functions"):
        types.register_type(wrong)


@pytest.mark.parametrize("name", ["Bbox", "BboxList", "Histogram", "NumpyArrayInt32", "NumpyArrayFloat32", "Image"])
def test_built_in_types_pickle_by_reference(name):
    ty = getattr(types, name)
    assert pickle.loads(pickle.dumps(ty)) is ty
    assert len(cloudpickle.dumps(ty)) < 100


def test_types_of_a_program_belong_to_its_module(registry):
    assert types.VariableList("Mine", bytes).__module__ == __name__


def test_the_stored_names_are_the_documented_ones():
    names = {bytes: "Bytes", Any: "Any", types.Bbox: "Bbox", types.BboxList: "BboxList", types.Image: "Image"}
    assert {ty: types.get_type_info(ty).cpp_name for ty in names} == names
    assert types.BlobType is bytes
