"""What a kernel receives, what it may return, and that no array is ever shared with anybody who may change it."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from scannerpy import types
from scannerpy._kernels.arrays import is_private
from scannerpy._kernels.host import KernelHost
from scannerpy._ops import registry
from scannerpy._words.elements import NULL, NullElement
from scannerpy.errors import KernelError
from scannerpy.kernel import Kernel
from scannerpy.protobufs import protobufs
from scannerpy.types import Bbox, FrameType, Histogram
from tests.scannerpy.kernels.hosting import host_of, place, run, run_windows, vertex_of


def picture(seed: int = 0, shape: tuple[int, ...] = (4, 5, 3), dtype: Any = np.uint8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, shape).astype(dtype)


# Inputs


def test_inputs_arrive_by_name_and_deserialized():
    seen = {}

    def f(config, *, box: Bbox, data: bytes, any_: Any, frame: FrameType) -> bytes:
        seen.update(box=box, data=data, any_=any_, frame=frame)
        return b""

    message = protobufs.BoundingBox(x1=0.5)
    run(host_of(f), [message.SerializeToString()], [b"raw"], [pickle.dumps({"a": 1})], [picture()])
    assert (seen["box"], seen["data"], seen["any_"]) == (message, b"raw", {"a": 1})
    np.testing.assert_array_equal(seen["frame"], picture())


@pytest.mark.parametrize("shape", [(7,), (4, 5), (4, 5, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_frames_keep_shape_and_type_both_ways(shape, dtype):
    def f(config, frame: FrameType) -> FrameType:
        assert frame.flags.c_contiguous
        assert frame.flags.writeable
        assert (frame.shape, frame.dtype) == (shape, dtype)
        return frame

    (result,) = run(host_of(f), [picture(0, shape, dtype)])
    np.testing.assert_array_equal(result, picture(0, shape, dtype))
    assert result.dtype == dtype


def test_a_variadic_op_gets_its_inputs_by_position():
    def f(config, *parts: bytes) -> bytes:
        return b"+".join(parts)

    vertex_of(f)
    host = KernelHost(place(registry.lookup("f"), {}, inputs=3))
    assert run(host, [b"a", b"d"], [b"b", b"e"], [b"c", b"f"]) == [b"a+b+c", b"d+e+f"]


def test_a_stencil_op_gets_windows():
    def f(config, x: Sequence[bytes]) -> bytes:
        return b"".join(x)

    host = host_of(f, stencil=[-1, 0])
    assert run_windows(host, [[b"a", b"a"], [b"a", b"b"]]) == [b"aa", b"ab"]


def test_a_frame_given_to_a_blob_input_is_its_raw_bytes():
    def f(config, x: bytes) -> bytes:
        return x

    def g(config, x: types.NumpyArrayInt32) -> bytes:
        return str(x.tolist()).encode()

    assert run(host_of(f), [picture()]) == [picture().tobytes()]
    assert run(host_of(g), [np.array([1, 0, 0, 0], np.uint8)]) == [b"[1]"]


def test_a_frame_given_to_an_any_input_is_the_array():
    def f(config, x: Any) -> bytes:
        x[:] = 0
        return str(x.shape).encode()

    frame = picture()
    assert run(host_of(f), [frame]) == [b"(4, 5, 3)"]
    np.testing.assert_array_equal(frame, picture())


def test_a_blob_given_to_a_frame_input_is_an_error():
    def f(config, frame: FrameType) -> bytes: ...

    with pytest.raises(KernelError, match=r"f \(program.py:12\) at row 3 input 'frame' takes frames but is fed a blob"):
        run(host_of(f), [b"data"], first=3)


def test_bytes_of_another_type_are_an_error():
    def f(config, x: Histogram) -> bytes: ...

    with pytest.raises(KernelError, match=r"input 'x' is fed bytes that are not a serialized Histogram: .*evenly"):
        run(host_of(f), [b"1234567"])


# Writing into inputs


class Draws(Kernel):
    """Writes into its input and returns it."""

    def execute(self, frame: FrameType) -> FrameType:
        frame += 1
        return frame


class DrawsOnAll(Kernel):
    """Writes into a window of inputs and returns one of them."""

    def execute(self, frame: Sequence[FrameType]) -> FrameType:
        for each in frame:
            np.add(each, 1, out=each)
        return frame[0]


def test_writing_into_an_input_reaches_nobody_else():
    frame = picture()
    results = run(host_of(Draws), [frame, frame])
    np.testing.assert_array_equal(frame, picture())
    for result in results:
        np.testing.assert_array_equal(result, picture() + 1)


def test_windows_that_share_an_array_do_not_see_each_others_writes():
    frame = picture()
    results = run_windows(host_of(DrawsOnAll, stencil=[0, 1]), [[frame, frame], [frame, frame]])
    np.testing.assert_array_equal(results[0], picture() + 1)
    np.testing.assert_array_equal(results[1], picture() + 1)


def test_an_owned_input_is_not_copied():
    seen = []

    class Looks(Kernel):
        def execute(self, frame: FrameType) -> bytes:
            seen.append(frame)
            return b""

    frame = picture()
    run(host_of(Looks, owned=[True]), [frame])
    run(host_of(Looks, owned=[False], name="b"), [frame])
    run(host_of(Looks, keeps_inputs=True, name="c"), [frame])
    assert [each is frame for each in seen] == [True, False, True]


def test_an_owned_input_that_cannot_be_written_is_copied():
    frame = picture()
    frame.flags.writeable = False
    (result,) = run(host_of(Draws, owned=[True]), [frame])
    np.testing.assert_array_equal(result, picture() + 1)


# Outputs nobody else can reach


def test_a_fresh_array_is_passed_on_as_it_is():
    identities = []

    def f(config, frame: FrameType) -> FrameType:
        fresh = frame + 1
        identities.append(id(fresh))
        return fresh

    def g(config, frame: FrameType) -> FrameType:
        fresh = np.zeros(12, np.uint8)
        identities.append(fresh.ctypes.data)
        return fresh.reshape(2, 2, 3)

    (result,) = run(host_of(f), [picture()])
    assert id(result) == identities[0]
    (result,) = run(host_of(g), [picture()])
    assert result.ctypes.data == identities[1]


def test_a_fresh_array_in_a_tuple_or_a_batch_is_passed_on_as_it_is():
    identities = []

    def fresh() -> np.ndarray:
        array = np.zeros((2, 2, 3), np.uint8)
        identities.append(id(array))
        return array

    def two(config, x: bytes) -> tuple[FrameType, FrameType]:
        return fresh(), fresh()

    def batch(config, x: Sequence[bytes]) -> Sequence[FrameType]:
        return [fresh() for _ in x]

    first, second = run(host_of(two), [b""])
    assert [id(first[0]), id(second[0])] == identities
    identities.clear()
    results = run(host_of(batch, batch=3), [b""] * 3)
    assert [id(result) for result in results] == identities


class Reuses(Kernel):
    """Returns the same buffer for every row."""

    def __init__(self, config):
        self.buffer = np.zeros((2, 2, 3), np.uint8)

    def execute(self, x: bytes) -> FrameType:
        self.buffer[:] = x[0]
        return self.buffer


class ReusesView(Reuses):
    """Returns views of one buffer."""

    def execute(self, x: bytes) -> FrameType:
        return super().execute(x)[:1]


class ReusesInTuple(Reuses):
    """Returns one buffer twice, in a tuple it keeps."""

    def execute(self, x: bytes) -> tuple[FrameType, FrameType]:
        self.kept = (super().execute(x), np.full(3, x[0], np.uint8))
        return self.kept


class ReusesInBatch(Reuses):
    """Returns a list it keeps."""

    def execute(self, x: Sequence[bytes]) -> Sequence[FrameType]:
        self.kept = [np.full(3, each[0], np.uint8) for each in x]
        return self.kept


class Shows(Kernel):
    """Returns what it will write into at the next row."""

    def __init__(self, config):
        self.last = np.zeros(3, np.uint8)

    def execute(self, x: bytes) -> FrameType:
        self.last[:] = 9
        self.last = np.full(3, x[0], np.uint8)
        return self.last


ROWS = [bytes([i]) for i in range(5)]


@pytest.mark.parametrize("kernel", [Reuses, ReusesView, ReusesInTuple, Shows])
def test_an_array_the_kernel_keeps_is_copied(kernel):
    outputs = run(host_of(kernel), ROWS)
    columns = outputs if kernel is ReusesInTuple else [outputs]
    for column in columns:
        assert [int(result.flat[0]) for result in column] == list(range(5))


def test_a_list_the_kernel_keeps_is_copied():
    host = host_of(ReusesInBatch, batch=2)
    results = run(host, ROWS)
    for kept in host.kernel.kept:
        kept[:] = 99
    assert [int(result[0]) for result in results] == list(range(5))


def test_a_stack_of_frames_is_a_batch():
    def f(config, x: Sequence[bytes]) -> Sequence[FrameType]:
        return np.stack([np.full((2, 2, 3), each[0], np.uint8) for each in x])

    results = run(host_of(f, batch=3), ROWS)
    assert [int(result[0, 0, 0]) for result in results] == list(range(5))
    assert not np.shares_memory(results[0], results[1])


def test_an_input_returned_as_it_is_becomes_an_array_of_its_own():
    def f(config, frame: FrameType) -> FrameType:
        return frame

    frame = picture()
    (result,) = run(host_of(f, keeps_inputs=True), [frame])
    assert not np.shares_memory(result, frame)


def test_privacy_is_judged_by_references():
    held = np.zeros(3)
    assert is_private([np.zeros(3)], 0)
    assert is_private([np.zeros(6).reshape(2, 3)], 0)
    assert not is_private([held], 0)
    assert not is_private([held[:2]], 0)
    assert not is_private([np.frombuffer(b"abc", np.uint8)], 0)
    assert not is_private([np.frombuffer(bytearray(3), np.uint8)[1:]], 0)


# What may be returned


def gives(value: Any, kind: Any = FrameType) -> Any:
    """What becomes of `value`, returned for an output of type `kind`."""

    def f(config, x):
        return value

    f.__annotations__ = {"x": bytes, "return": kind}
    return run(host_of(f), [b""], first=7)[0]


@pytest.mark.parametrize(
    "array",
    [picture()[:, ::-1], picture().T, picture()[::2, 1:], picture()[:, :, ::-1], np.asfortranarray(picture())],
)
def test_any_memory_layout_is_made_right(array):
    result = gives(array)
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, array)


def test_subclasses_and_foreign_byte_order_become_plain_arrays():
    class Special(np.ndarray):
        pass

    result = gives(picture().view(Special))
    assert type(result) is np.ndarray
    np.testing.assert_array_equal(result, picture())
    result = gives(np.array([[1.5]], ">f4"))
    assert (result.dtype, result.dtype.isnative, result[0, 0]) == (np.float32, True, 1.5)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int32, np.int64, np.uint16, np.float16, complex, object])
def test_other_dtypes_are_refused_with_the_way_out(dtype):
    with pytest.raises(KernelError, match=r"at row 7 returned, for frame output 'ret0', an array of .*uint8, float32"):
        gives(np.zeros((2, 2), dtype))


@pytest.mark.parametrize("shape", [(), (1, 2, 3, 4)])
def test_a_frame_has_one_to_three_dimensions(shape):
    with pytest.raises(KernelError, match="1 to 3 dimensions"):
        gives(np.zeros(shape))


@pytest.mark.parametrize("value", [None, [[1, 2]], b"data", 3, "text", np.float64(1)])
def test_a_frame_is_an_array(value):
    with pytest.raises(KernelError, match=r"returned, for frame output 'ret0', .*: a frame is a numpy array"):
        gives(value)


@pytest.mark.parametrize(
    "value", [b"ab", bytearray(b"ab"), memoryview(b"ab"), "ab", np.frombuffer(b"ab", np.uint8), memoryview(b"a-b")[::2]]
)
def test_bytes_outputs_take_buffers_and_text(value):
    result = gives(value, bytes)
    assert result == b"ab"
    assert type(result) is bytes


def test_text_is_stored_as_utf8():
    assert gives("Häuser", bytes) == "Häuser".encode()


@pytest.mark.parametrize("value", [None, 3, [b"a"], {"a": 1}, 1.5])
def test_bytes_outputs_take_nothing_else(value):
    with pytest.raises(KernelError, match=r"returned, for bytes output 'ret0', .*bytes, a buffer or a str is expected"):
        gives(value, bytes)


@pytest.mark.parametrize("value", [None, 3, {"a": [1]}, picture()])
def test_any_takes_anything_that_pickles(value):
    np.testing.assert_equal(pickle.loads(gives(value, Any)), value)


def test_what_does_not_pickle_is_told():
    with pytest.raises(
        KernelError, match=r"at row 7 returned, for output 'ret0', .*which pickle cannot store: .*pickle"
    ):
        gives(lambda: 3, Any)


def test_typed_outputs_are_serialized():
    assert gives([np.zeros(16, np.int32)] * 3, Histogram) == bytes(192)
    with pytest.raises(KernelError, match=r"None: its type is Histogram"):
        gives(None, Histogram)
    with pytest.raises(KernelError, match=r"which is not a Histogram: .*has 3 elements, not 2"):
        gives([np.zeros(16, np.int32)] * 2, Histogram)


def test_a_users_failing_serializer_is_told_with_its_lines():
    @types.register_type
    class Fussy:
        def serialize(obj):  # noqa: N805  # as documented: no self
            raise LookupError("not today")

        deserialize = staticmethod(bytes)

    with pytest.raises(KernelError, match="is not a Fussy: LookupError: not today") as told:
        gives(3, Fussy)
    assert "in serialize" in told.value.traceback


def test_a_serializer_must_give_bytes():
    @types.register_type
    class Wrong:
        serialize = deserialize = staticmethod(lambda value: value)

    assert gives("text", Wrong) == b"text"
    with pytest.raises(KernelError, match="a type Wrong whose serialize gave a int"):
        gives(3, Wrong)


@pytest.mark.parametrize("kind", [bytes, FrameType, Any, Histogram])
def test_a_kernel_may_return_null(kind):
    assert gives(NullElement(), kind) is NULL


def test_several_outputs_are_a_tuple():
    def f(config, x: bytes) -> tuple[bytes, Any]:
        return x, None

    assert run(host_of(f), [b"a"]) == [[b"a"], [pickle.dumps(None)]]


@pytest.mark.parametrize("value", [b"a", (b"a",), (b"a", b"b", b"c"), None])
def test_the_wrong_number_of_outputs_is_told(value):
    def f(config, x: bytes) -> tuple[bytes, bytes]:
        return value

    with pytest.raises(KernelError, match=r"at row 0 returned .*it has 2 outputs"):
        run(host_of(f), [b""])
