"""Small documented helpers: a folder for downloads, cached downloads, and a sample clip."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from scannerpy._words.owner import owner, sweep
from scannerpy.errors import StorageError

__all__ = ["default", "download_temp_file", "sample_video", "temp_directory"]


def temp_directory() -> str:
    """Return ``~/.scanner/resources``, made if missing."""
    path = Path.home() / ".scanner" / "resources"
    path.mkdir(parents=True, exist_ok=True)
    return str(path)


def download_temp_file(url: str, local_path: str | None = None, untar: bool = False) -> str:
    """Fetch `url` into `temp_directory` once and return its path, or the folder it was unpacked to with `untar`.

    `local_path` is the name to keep it under. Archives are unpacked with tarfile's ``data`` filter, so nothing lands
    outside the folder.
    """
    target = Path(temp_directory()) / (local_path or Path(urlparse(url).path).name)
    if not target.exists():
        _download(url, target)
    if not untar:
        return str(target)
    folder = target.with_name(target.name.split(".")[0])
    if not folder.exists():
        import tarfile

        with tarfile.open(target) as archive:
            archive.extractall(folder, filter="data")
    return str(folder)


def _download(url: str, target: Path) -> None:
    """Fetch to a temporary name first: a broken download never looks like a whole one."""
    import urllib.request

    part = target.with_name(target.name + ".part")
    try:
        urllib.request.urlretrieve(url, part)  # noqa: S310 — the caller's own URL
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StorageError(f"cannot download {url}: {error}; check the address, or put the file at {target}") from error
    part.rename(target)


def default(d: MutableMapping[str, Any], k: str, v: Any | Callable[[], Any]) -> Any:
    """Return ``d[k]``, setting it first to `v` (or to what `v` returns) where it is missing."""
    if k not in d:
        d[k] = v() if callable(v) else v
    return d[k]


@contextmanager
def sample_video(delete: bool = True) -> Iterator[str]:
    """Give the path of a short sample clip, made on this machine: ten seconds, three shots of a road with cars.

    It is deleted when the block ends, or kept in the temporary folder with ``delete=False``.
    """
    if delete:
        with tempfile.TemporaryDirectory() as scratch:
            yield str(_make_sample(Path(scratch) / "sample_video.mp4"))
        return
    path = Path(tempfile.gettempdir()) / "sample_video.mp4"
    yield str(path if path.exists() else _make_sample(path))


def _make_sample(path: Path) -> Path:
    """Ten seconds of 320 × 240, made under another name first: a broken one never looks like a whole one."""
    from scannerpy.testing import scenes

    sweep(path.parent, f"{path.stem}.m*{path.suffix}")  # what a killed one left
    part = path.with_name(f"{path.stem}.{owner()}{path.suffix}")
    return scenes.write(part).rename(path)
