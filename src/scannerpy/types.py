"""The types of values that ops exchange as blobs, and how each is written to bytes and read back.

A column's type is recorded with its stream by name (`cpp_name`), so `load` needs no type; the loading process must have
registered that name. Importing the module that defines a type registers it.

Surprises kept for stored streams: a `UniformList` of at most 4 bytes reads back as ``[]`` (so one that would not read
back is refused when written), and an `Image` reads back in BGR order.
"""

from __future__ import annotations

import pickle
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from scannerpy.errors import RegistrationError, SerializationError
from scannerpy.protobufs import protobufs

__all__ = [
    "Bbox",
    "BboxList",
    "BlobType",
    "FrameType",
    "Histogram",
    "Image",
    "NumpyArrayFloat32",
    "NumpyArrayInt32",
    "ProtobufType",
    "ScannerTypeInfo",
    "UniformList",
    "VariableList",
    "get_type_info",
    "get_type_info_cpp",
    "register_type",
]

T = TypeVar("T")

SMALLEST_UNIFORM_LIST = 5
"""Fewer bytes than this read back as an empty UniformList."""


@dataclass(frozen=True, slots=True)
class ScannerTypeInfo:
    """One registered type: the annotation programs use, its stored name, and its two functions."""

    type: Any
    cpp_name: str
    serialize: Callable[[Any], Any]
    deserialize: Callable[[Any], Any]


_by_type: dict[Any, ScannerTypeInfo] = {}
_by_name: dict[str, ScannerTypeInfo] = {}


def register_type_info(info: ScannerTypeInfo) -> None:
    """Register `info`, replacing what had its name before (a notebook cell run again)."""
    _by_type[info.type] = info
    _by_name[info.cpp_name] = info


def register_type(cls: type[T]) -> type[T]:
    """Class decorator: register a type by the class's name.

    The class has two plain functions (no ``self``): ``serialize(obj) -> bytes`` and ``deserialize(bytes) -> obj``.
    """
    if not isinstance(cls, type):
        raise RegistrationError(f"register_type decorates a class, not {cls!r}")
    functions = [getattr(cls, name, None) for name in ("serialize", "deserialize")]
    if not all(callable(function) for function in functions):
        raise RegistrationError(
            f"type {cls.__name__} needs two functions in its class: "
            "serialize(obj) -> bytes and deserialize(data) -> obj"
        )
    register_type_info(ScannerTypeInfo(cls, cls.__name__, *functions))  # type: ignore[arg-type]  # callable, see above
    return cls


def get_type_info(ty: Any) -> ScannerTypeInfo:
    """The registration of `ty`; raises RegistrationError when there is none."""
    try:
        return _by_type[ty]
    except (KeyError, TypeError):  # TypeError: not hashable, so never registered
        raise RegistrationError(
            f"{getattr(ty, '__name__', ty)!s} is not a registered type: decorate its class with "
            "@scannerpy.types.register_type, or use bytes, typing.Any, FrameType or one of scannerpy.types"
        ) from None


def get_type_info_cpp(cpp_name: str) -> ScannerTypeInfo:
    """The registration called `cpp_name`; raises SerializationError when this process has none."""
    try:
        return _by_name[cpp_name]
    except KeyError:
        raise SerializationError(
            f"no type called {cpp_name!r} is registered in this process: import the module that defines it, "
            "or load with fn=… to read the bytes yourself"
        ) from None


def _itself(value: T) -> T:
    return value


if TYPE_CHECKING:
    FrameType: TypeAlias = npt.NDArray[Any]  # what a kernel really gets, so that its own code can be checked
else:

    class FrameType:
        """Annotation of a frame column: a numpy array of at most three dimensions, uint8, float32 or float64."""

        serialize = staticmethod(_itself)
        deserialize = staticmethod(_itself)


BlobType = bytes
"""Bytes, stored as they are."""
register_type_info(ScannerTypeInfo(bytes, "Bytes", _itself, _itself))
register_type_info(ScannerTypeInfo(Any, "Any", pickle.dumps, pickle.loads))
register_type_info(ScannerTypeInfo(FrameType, "FrameType", _itself, _itself))


def _new_type(
    name: str, module: str, about: str, serialize: Callable[[Any], bytes], deserialize: Callable[[bytes], Any]
) -> Any:
    """Make and register a class called `name` that lives in `module` (so that it pickles by reference there)."""
    body = {
        "serialize": staticmethod(serialize),
        "deserialize": staticmethod(deserialize),
        "__doc__": about,
        "__module__": module,
        "__qualname__": name,
    }
    return register_type(type(name, (), body))


def _callers_module() -> str:
    return str(sys._getframe(2).f_globals.get("__name__", __name__))  # as collections.namedtuple does


def ProtobufType(name: str, message_class: Any) -> Any:  # noqa: N802  # a documented name
    """Register and return a type called `name` whose values are messages of `message_class`."""
    return _protobuf_type(name, _callers_module(), lambda: message_class)


def _protobuf_type(name: str, module: str, find_class: Callable[[], Any]) -> Any:
    """`find_class` is called late: the protobuf runtime is slow to import, and most programs need no messages."""

    def serialize(message: Any) -> bytes:
        message_class = find_class()
        if not isinstance(message, message_class):
            expected = message_class.DESCRIPTOR.full_name
            raise SerializationError(f"a {name} is a {expected} message, not {type(message).__name__}: {message!r:.80}")
        data: bytes = message.SerializeToString(deterministic=True)
        return data

    def deserialize(data: bytes) -> Any:
        try:
            return find_class().FromString(data)
        except Exception as error:  # the runtime raises its own DecodeError, imported only with it
            raise SerializationError(f"{len(data)} bytes are not a serialized {name}: {error}") from error

    return _new_type(name, module, "A protobuf message; written in protobuf's own form.", serialize, deserialize)


def VariableList(name: str, typ: Any) -> Any:  # noqa: N802  # a documented name
    """Register and return a type called `name`: lists of `typ` of any length, elements of any size.

    Stored as a count (uint64), then per element its length (uint64) and bytes.
    """
    element = get_type_info(typ)

    def serialize(values: Any) -> bytes:
        parts = [struct.pack("=Q", len(values))]
        for value in values:
            data = element.serialize(value)
            parts += (struct.pack("=Q", len(data)), data)
        return b"".join(parts)

    def deserialize(data: bytes) -> list[Any]:
        return [element.deserialize(piece) for piece in _split_variable(name, data)]

    about = f"A list of {element.cpp_name} of any length; written as a count, then a length and the bytes of each."
    return _new_type(name, _callers_module(), about, serialize, deserialize)


def _split_variable(name: str, data: bytes) -> list[bytes]:
    pieces: list[bytes] = []
    try:
        (count,) = struct.unpack_from("=Q", data)
        position = 8
        for _ in range(count):
            (size,) = struct.unpack_from("=Q", data, position)
            pieces.append(data[position + 8 : position + 8 + size])
            position += 8 + size
    except (struct.error, OverflowError):  # a length too long for the bytes, or for a machine
        position = -1
    if position != len(data):
        raise SerializationError(f"{len(data)} bytes are not a serialized {name}: the lengths inside do not add up")
    return pieces


def UniformList(name: str, typ: Any, size: int | None = None, parts: int | None = None) -> Any:  # noqa: N802
    """Register and return a type called `name`: lists of `typ` whose elements all take the same number of bytes.

    Exactly one of `size` (bytes per element) and `parts` (number of elements) is given. Stored as the concatenation.
    """
    if (size is None) == (parts is None) or (size or parts or 0) < 1:
        raise RegistrationError(f"UniformList {name!r} takes exactly one of size and parts, a positive number")
    element = get_type_info(typ)

    def serialize(values: Any) -> bytes:
        pieces = [bytes(element.serialize(value)) for value in values]
        _check_uniform(name, pieces, size, parts)
        return b"".join(pieces)

    def deserialize(data: bytes) -> list[Any]:
        if len(data) < SMALLEST_UNIFORM_LIST:
            return []
        step = size or len(data) // (parts or 1)
        if step * (parts or len(data) // step) != len(data):
            raise SerializationError(f"{len(data)} bytes are not a serialized {name}: they do not divide evenly")
        return [element.deserialize(data[i : i + step]) for i in range(0, len(data), step)]

    size_told = f"{parts} of them" if parts is not None else f"{size} bytes each"
    about = f"A list of {element.cpp_name}, {size_told}; written one after the other."
    return _new_type(name, _callers_module(), about, serialize, deserialize)


def _check_uniform(name: str, pieces: Sequence[bytes], size: int | None, parts: int | None) -> None:
    if not pieces:
        return
    sizes = {len(piece) for piece in pieces}
    if parts is not None and len(pieces) != parts:
        raise SerializationError(f"a {name} has {parts} elements, not {len(pieces)}")
    if len(sizes) > 1 or (size is not None and sizes != {size}):
        expected = "all of the same size" if size is None else f"{size} bytes each"
        raise SerializationError(f"the elements of a {name} are {expected}, not {sorted(sizes)} bytes")
    if sum(map(len, pieces)) < SMALLEST_UNIFORM_LIST:
        raise SerializationError(
            f"a {name} of {sum(map(len, pieces))} bytes would read back as an empty list: use a VariableList"
        )


def _numpy_type(name: str, dtype: npt.DTypeLike) -> Any:
    """A type whose values are flat arrays of `dtype`; read back without a copy, hence read-only."""
    wanted = np.dtype(dtype)

    def serialize(value: Any) -> bytes:
        array = np.asarray(value)
        if array.dtype != wanted:
            array = _convert(name, array, wanted)
        return array.tobytes()

    def deserialize(data: bytes) -> npt.NDArray[Any]:
        if len(data) % wanted.itemsize:
            raise SerializationError(f"{len(data)} bytes are not a serialized {name}: not a multiple of 4")
        return np.frombuffer(data, wanted)

    about = f"An array of {wanted}, of any shape; read back flat and read-only."
    return _new_type(name, __name__, about, serialize, deserialize)


def _convert(name: str, array: npt.NDArray[Any], wanted: np.dtype[Any]) -> npt.NDArray[Any]:
    """Convert to `wanted` where no value is lost but for rounding; np.histogram's int64 counts are the common case."""
    if np.can_cast(array.dtype, wanted, "same_kind"):
        converted = array.astype(wanted)
        if wanted.kind == "f" or np.array_equal(converted, array):
            return converted
    raise SerializationError(f"a {name} holds {wanted}; this {array.dtype} array does not fit: convert it in the op")


NumpyArrayFloat32 = _numpy_type("NumpyArrayFloat32", np.float32)
"""A flat float32 array; read-only where it is read back."""
NumpyArrayInt32 = _numpy_type("NumpyArrayInt32", np.int32)
"""A flat int32 array; read-only where it is read back."""
Histogram = UniformList("Histogram", NumpyArrayInt32, parts=3)
"""What the op Histogram gives: a list of three int32 arrays, one per channel."""
Bbox = _protobuf_type("Bbox", __name__, lambda: protobufs.BoundingBox)
"""A `protobufs.BoundingBox`: corners ``x1 y1 x2 y2``, ``score``, ``label``, ``track_id``, ``track_score``."""
BboxList = VariableList("BboxList", Bbox)
"""A list of `protobufs.BoundingBox`, such as a detector finds in one frame."""


@register_type
class Image:
    """A picture: written as PNG (lossless), read back as a BGR array whatever encoded format the bytes have.

    Bytes are taken as an image file that is already encoded, which is how an op stores a format of its own choice.
    """

    @staticmethod
    def serialize(image: Any) -> bytes:
        """Encode a BGR or gray uint8 or uint16 array as PNG; bytes stay as they are."""
        if isinstance(image, bytes):
            return image
        import cv2

        try:
            done, encoded = cv2.imencode(".png", image)
        except cv2.error as error:
            raise SerializationError(f"this value cannot be written as a PNG image: {error}") from error
        if not done:
            raise SerializationError("this value cannot be written as a PNG image")
        data: bytes = encoded.tobytes()
        return data

    @staticmethod
    def deserialize(data: bytes) -> npt.NDArray[np.uint8]:
        """Decode to a BGR array."""
        import cv2

        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if image is None:
            raise SerializationError(f"{len(data)} bytes are not an image that OpenCV can read")
        return np.asarray(image, np.uint8)
