"""Values of the program itself as a stream: ``PythonStream([1, 2, 3])``. Input only; they travel with the tasks."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator, Sequence
from typing import Any

from scannerpy.backends.handles import InputStream, takes_client
from scannerpy.errors import ScannerException, SerializationError
from scannerpy.source import register_source
from scannerpy.storage import StorageBackend

__all__ = ["PythonStorage", "PythonStream"]


class PythonStorage(StorageBackend):
    """The program's memory."""

    def source(self, sc: Any, streams: Sequence[PythonStream]) -> Any:
        """Return the column ``output`` of the values: bytes as they are, others pickled."""
        return sc.sources.Python(data=[stream.serialized() for stream in streams])


class PythonStream(InputStream):
    """The elements of `data`, in order.

    ``bytes`` are taken as they are, anything else is pickled: an op whose input is declared ``Any`` gets the value
    back, one that takes ``bytes`` sees the pickle.
    """

    @takes_client
    def __init__(self, data: Sequence[Any]) -> None:
        if isinstance(data, str | bytes) or not hasattr(data, "__iter__"):
            raise ScannerException(f"PythonStream takes a list of values, not {data!r:.80}")
        self.data = list(data)

    def __repr__(self) -> str:
        return f"PythonStream of {len(self.data)} values"

    def storage(self) -> PythonStorage:
        """Return the backend."""
        return PythonStorage()

    def name(self) -> str:
        """Return what the stream is, as it has no name."""
        return repr(self)

    def type(self) -> Any:
        """Elements are pickled values, or bytes where all of them are."""
        return None if all(isinstance(value, bytes) for value in self.data) else Any

    def estimate_size(self) -> int:
        """Return the mean size of the elements."""
        return sum(map(len, self.serialized())) // max(1, len(self.data))

    def serialized(self) -> list[bytes]:
        """Return the elements as the graph sees them. Raises SerializationError for a value that cannot be pickled."""
        return [_serialized(row, value) for row, value in enumerate(self.data)]

    def open(self) -> PythonReader:
        """Return a reader of the values."""
        return PythonReader(self.serialized())

    def load(self, ty: Any = None, fn: Any = None, rows: Sequence[int] | None = None) -> Iterator[Any]:
        """Yield the values of `rows`; with `ty` or `fn`, what those make of the serialized elements."""
        if ty is None and fn is None:
            yield from (self.data[row] for row in (range(len(self.data)) if rows is None else rows))
        else:
            yield from super().load(ty, fn, rows)


def _serialized(row: int, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return pickle.dumps(value)
    except Exception as error:  # what cannot be pickled may raise anything
        raise SerializationError(
            f"element {row} of a PythonStream, a {type(value).__name__}, cannot be pickled: {error}"
        ) from error


@register_source("Python", stream_params=("data",))
class PythonReader:
    """Reads values that came with the task."""

    def __init__(self, data: Sequence[Any]) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def identity(self) -> str:
        """Return a digest of all elements."""
        digest = hashlib.sha256()
        for element in self.read(range(len(self._data))):
            digest.update(len(element).to_bytes(8, "little") + element)
        return digest.hexdigest()

    def read(self, rows: Sequence[int]) -> Iterator[bytes]:
        """Yield the elements."""
        return (_serialized(row, self._data[row]) for row in rows)
