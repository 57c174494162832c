"""Base class and helpers of the backends' stream handles."""

from __future__ import annotations

import errno
import functools
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from scannerpy.errors import ScannerException, StorageError
from scannerpy.storage import StoredStream

Self = TypeVar("Self")
Given = ParamSpec("Given")


def takes_client(init: Callable[Concatenate[Self, Given], None]) -> Callable[..., None]:
    """Let a stream be made with or without a client in front: older programs write both, and none is needed."""

    @functools.wraps(init)
    def made(self: Self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("sc", None)
        init(self, *(args[1:] if args and _is_client(args[0]) else args), **kwargs)

    return made


def _is_client(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("io", "ops", "streams", "sources"))


class InputStream(StoredStream):
    """A stream that can only be read, by the reader class `open` makes. One with a `path` exists when the file does."""

    def open(self) -> Any:
        """Return the reader of this stream. Raises ScannerException where what is there cannot be read."""
        raise NotImplementedError(f"{type(self).__name__}.open")

    def exists(self) -> bool:
        """Whether there is something to read."""
        path = getattr(self, "path", None)
        return path is None or Path(path).is_file()

    def committed(self) -> bool:
        """The same as `exists`."""
        return self.exists()

    def len(self) -> int:
        """How many elements there are."""
        return len(self.open())

    def type(self) -> Any:
        """Elements are bytes, or frames."""
        return

    def load_bytes(self, rows: Sequence[int] | None = None) -> Iterator[Any]:
        """Yield the elements of `rows` (any order; None: all)."""
        reader = self.open()
        yield from in_order(reader.read, len(reader), rows)


def in_order(read: Callable[[Sequence[int]], Iterable[Any]], count: int, rows: Sequence[int] | None) -> Iterator[Any]:
    """Yield what `read`, which wants ascending rows, gives for `rows` in any order and with duplicates.

    Rows in order are read lazily; others are read first and held. Raises ScannerException for a row that is not there.
    """
    if rows is None:
        yield from read(range(count))
        return
    for row in rows:
        if not 0 <= row < count:
            raise ScannerException(f"there is no row {row}: the stream has {count}, counted from 0")
    wanted = sorted(set(rows))
    if list(rows) == wanted:
        yield from read(wanted)
        return
    found = dict(zip(wanted, read(wanted), strict=True))
    yield from (found[row] for row in rows)


def absolute(path: str) -> str:
    """Return `path` from the root on: worker processes may be in another folder than the program."""
    return str(Path(path).absolute())


def read_file(path: str, what: str) -> bytes:
    """Return a file's bytes. Raises StorageError, calling the file `what`."""
    try:
        refuse_special(path)
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise StorageError(f"{what} {path} does not exist: check the path") from None
    except OSError as error:
        raise StorageError(f"{what} {path} cannot be read: {error.strerror}") from error


def refuse_special(path: str) -> None:
    """Raise OSError for a pipe or device, which to read may take for ever."""
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # reading a folder fails by itself
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", path)


def file_identity(path: str, what: str) -> tuple[str, int, int]:
    """Return path, size and time of change: what tells a file that has been replaced. Raises StorageError."""
    try:
        refuse_special(path)
        found = Path(path).stat()
    except OSError as error:
        raise StorageError(f"{what} {path} cannot be read: {error.strerror}") from error
    return path, found.st_size, found.st_mtime_ns
