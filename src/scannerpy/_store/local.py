"""Objects in a local folder: one file each.

A put writes a file in ``.staging``, syncs it, then gives it its name: by a hard link, which fails if the name is taken
(put-if-absent), or by a rename (replace). The folder is synced last. So a name never shows before its bytes are safe.
What a killed process leaves in ``.staging`` is swept when the folder is next opened (see `_words.owner`).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from scannerpy._store.objects import Data, ObjectMissing, Objects, check_path, storage_errors
from scannerpy._words.owner import sweep
from scannerpy.errors import ConfigError, StorageError

STAGING = ".staging"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EMLINK}


class LocalObjects(Objects):
    """Objects under the folder `root`, which is made if missing."""

    def __init__(self, root: str | os.PathLike[str], *, durable: bool = True) -> None:
        self._root = Path(root).expanduser().absolute()
        self._durable = durable
        self._synced: set[Path] = set()
        _make_root(self._root)
        sweep(self._root / STAGING, "*")

    @property
    def where(self) -> str:
        """The folder."""
        return str(self._root)

    def put(self, path: str, data: Data | Sequence[Data], *, create: bool = False) -> bool:
        """As `Objects.put`."""
        target = self._file(path)
        if create and target.exists():
            return False
        parts = [data] if isinstance(data, bytes | bytearray | memoryview) else data
        with self._errors(path, "write"), self.staging() as file:
            with file.open("wb") as out:
                out.writelines(parts)
                self._sync(out.fileno())
            return self._name(file, target, create=create)

    def put_file(self, path: str, file: Path, *, create: bool = False) -> bool:
        """As `Objects.put_file`."""
        target = self._file(path)
        with self._errors(path, "write"):
            with file.open("rb+") as out:
                self._sync(out.fileno())
            named = self._name(file, target, create=create)
            file.unlink(missing_ok=True)
            return named

    def get(self, path: str) -> bytes:
        """As `Objects.get`."""
        with self._errors(path, "read"):
            return self._file(path).read_bytes()

    def get_ranges(self, path: str, starts: Sequence[int], ends: Sequence[int]) -> list[bytes]:
        """As `Objects.get_ranges`."""
        with self._errors(path, "read"), _opened(self._file(path)) as fd:
            return [_pread(fd, int(start), int(end)) for start, end in zip(starts, ends, strict=True)]

    def get_tail(self, path: str, count: int) -> tuple[bytes, int]:
        """As `Objects.get_tail`."""
        with self._errors(path, "read"), _opened(self._file(path)) as fd:
            size = os.fstat(fd).st_size
            return _pread(fd, max(0, size - count), size), size

    def size(self, path: str) -> int | None:
        """As `Objects.size`."""
        try:
            with self._errors(path, "look at"):
                return self._file(path).stat().st_size
        except ObjectMissing:
            return None

    def written(self, path: str) -> float:
        """As `Objects.written`."""
        with self._errors(path, "look at"):
            return self._file(path).stat().st_mtime

    def list(self, prefix: str) -> list[tuple[str, int]]:
        """As `Objects.list`."""
        top = self._file(prefix) if prefix else self._root
        with self._errors(prefix or ".", "list"):
            return sorted(_walk(top, f"{prefix}/" if prefix else ""))

    def delete(self, paths: Sequence[str]) -> None:
        """As `Objects.delete`. Folders that become empty go too."""
        for path in paths:
            file = self._file(path)
            with self._errors(path, "delete"):
                file.unlink(missing_ok=True)
            self._prune(file.parent)

    def unsynced(self) -> Objects:
        """As `Objects.unsynced`: one flush of the file system is much quicker than four for each file."""
        return LocalObjects(self._root, durable=False)

    def sync(self) -> None:
        """As `Objects.sync`."""
        if self._durable:
            with self._errors("", "write"), _opened(self._root) as fd:
                _sync_file_system(fd)

    def staging_folder(self) -> Path:
        """A folder on the same disk, so that `put_file` need not copy."""
        folder = self._root / STAGING
        with self._errors(STAGING, "make"):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _file(self, path: str) -> Path:
        return self._root / check_path(path)

    def _name(self, file: Path, target: Path, *, create: bool) -> bool:
        while True:
            try:
                self._make_folder(target.parent)
                _link(file, target) if create else file.replace(target)
            except FileExistsError:
                return False
            except FileNotFoundError:  # another process pruned a folder it found empty
                self._synced.clear()
                if not file.exists():
                    raise
                continue
            with contextlib.suppress(FileNotFoundError):  # deleted again by another process
                self._sync_folder(target.parent)
            return True

    def _make_folder(self, folder: Path) -> None:
        if folder in self._synced and folder.is_dir():
            return
        if folder != self._root:
            self._make_folder(folder.parent)
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                self._sync_folder(folder.parent)
        self._synced.add(folder)

    def _prune(self, folder: Path) -> None:
        while folder != self._root:
            try:
                folder.rmdir()
            except OSError:  # not empty, or gone: either way nothing to tidy
                return
            self._synced.discard(folder)
            folder = folder.parent

    def _sync(self, fd: int) -> None:
        if self._durable:
            os.fsync(fd)

    def _sync_folder(self, folder: Path) -> None:
        if self._durable:
            with _opened(folder) as fd:
                os.fsync(fd)

    def _errors(self, path: str, verb: str) -> AbstractContextManager[None]:
        return storage_errors(f"{self._root}/{path}", verb)


def _sync_file_system(fd: int) -> None:
    """Flush the file system `fd` is on; all of them where only that can be asked for (not on Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
    elif libc.syncfs(fd):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _make_root(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"The database folder {root} cannot be made ({reason}): choose another db_path") from error


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        raise StorageError(
            f"The file system of {target} has no hard links, which putting an object only once needs: "
            "point db_path at a local disk (ext4, xfs, btrfs, apfs) or at a bucket"
        ) from error


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[int]:
    fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def _pread(fd: int, start: int, end: int) -> bytes:
    data = os.pread(fd, end - start, start) if end > start else b""
    while len(data) < end - start:  # one call reads at most 2 GiB
        more = os.pread(fd, end - start - len(data), start + len(data))
        if not more:
            break
        data += more
    return data


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name != STAGING:
                yield from _walk(folder / entry.name, f"{prefix}{entry.name}/")
            continue
        with contextlib.suppress(FileNotFoundError):  # deleted while we list
            yield prefix + entry.name, entry.stat().st_size
