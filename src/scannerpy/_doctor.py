"""The checks of `scanner doctor`: interpreter, libraries, codecs, machine, configuration, database. They create and
change nothing.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scannerpy._words import sizing
from scannerpy.config import Config

LEAST_PYTHON = (3, 11)
LEAST_FREE = 1 << 30
LEAST_MEMORY = 1 << 30
LEAST_SHARED = 16 << 20
LIBRARIES = {"av": "av", "cv2": "opencv-python-headless", "numpy": "numpy", "obstore": "obstore"}
DECODERS = ("h264", "hevc", "vp9", "av1", "mpeg4", "mjpeg", "prores")
ENCODERS = ("libx264",)
DISTRIBUTION = "scanner-puddle"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # where Linux keeps it


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is as it should be, what was seen, and what to do where it is not."""

    what: str
    ok: bool
    detail: str
    mend: str = ""


class Wrong(Exception):  # not an error of the program's: a finding on its way
    """What is not as it should be, and what to do."""

    def __init__(self, detail: str, mend: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.mend = mend


def examine(db_path: Path | None = None) -> list[Finding]:
    """Look at everything; a look that fails is a finding too."""
    looks: list[tuple[str, Callable[[], str]]] = [
        ("python", _python),
        *((module, lambda module=module: _library(module)) for module in LIBRARIES),
        ("codecs", _codecs),
        ("cores", _cores),
        ("memory", _memory),
        ("shared memory", _shared_memory),
        ("configuration", _configuration),
        ("database", lambda: _database(db_path)),
        ("disk", lambda: _disk(db_path)),
        ("signing key", _signing_key),
        ("extras", _extras),
    ]
    return [_look(what, look) for what, look in looks]


def _look(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, detail=look())
    except Wrong as wrong:
        return Finding(what, ok=False, detail=wrong.detail, mend=wrong.mend)
    except Exception as error:  # noqa: BLE001  # whatever is wrong with the machine is what is asked for
        return Finding(what, ok=False, detail=f"{type(error).__name__}: {error}", mend="see the message")


def _python() -> str:
    version = sys.version.split()[0]
    if sys.version_info < LEAST_PYTHON:
        raise Wrong(f"{version} at {sys.executable}", "install Python 3.11 or newer, and Scanner in it")
    return f"{version} at {sys.executable}"


def _library(module: str) -> str:
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise Wrong(f"{type(error).__name__}: {error}", f"pip install {LIBRARIES[module]}") from error
    return importlib.metadata.version(LIBRARIES[module])


def _codecs() -> str:
    import av

    missing = [name for name in DECODERS if not _codec_exists(name, "r")]
    missing += [name for name in ENCODERS if not _codec_exists(name, "w")]
    ffmpeg = ".".join(map(str, av.library_versions["libavcodec"]))
    if missing:
        raise Wrong(
            f"libavcodec {ffmpeg} lacks {', '.join(missing)}", "install PyAV's own wheel: pip install --force av"
        )
    return f"libavcodec {ffmpeg} decodes {', '.join(DECODERS)} and encodes H.264"


def _codec_exists(name: str, mode: str) -> bool:
    import av

    try:
        av.Codec(name, mode)  # type: ignore[arg-type]  # "r" and "w" are the two modes
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def _cores() -> str:
    usable, there = sizing.machine_cpus(), os.cpu_count() or 1
    return f"{usable} for worker processes" + (f" (the machine has {there})" if there != usable else "")


def _memory() -> str:
    usable = sizing.machine_memory()
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    capped = f" (a container's limit; the machine has {_gib(there)})" if usable < 0.95 * there else ""
    if usable < LEAST_MEMORY:
        raise Wrong(f"{_gib(usable)}{capped}", "give the container more, or run with pipeline_instances_per_node=1")
    return f"{_gib(usable)}{capped}"


def _shared_memory() -> str:
    if not SHARED_MEMORY.is_dir():
        return "not used on this system"
    free = shutil.disk_usage(SHARED_MEMORY).free
    if free < LEAST_SHARED or not os.access(SHARED_MEMORY, os.W_OK):
        raise Wrong(
            f"{SHARED_MEMORY} has {free >> 20} MiB free, or is not writable", "docker run --shm-size=256m, or make room"
        )
    return f"{SHARED_MEMORY} has {free >> 20:,} MiB free"


def _configuration() -> str:
    file = Path(Config.default_config_path())
    if not file.exists():
        return f"none at {file}: the defaults hold"
    config = Config()  # raises what is wrong with it
    return f"{file}, storage of type {config.storage_config['type']}"


def _database(db_path: Path | None) -> str:
    from scannerpy._store.catalog import Catalog
    from scannerpy._store.objects import open_config

    storage = _storage(db_path)
    where = storage["db_path"]
    if storage["type"] == "posix" and not Path(where, "scanner.json").exists():
        if Path(where, "db_metadata.bin").exists():
            raise Wrong(f"{where} is of the original Scanner", "choose an empty db_path and ingest the videos again")
        return f"none at {where} yet: the first program makes it"
    state = Catalog(open_config(storage)).state()
    return f"{where}, format 1: {len(state.tables):,} tables and {len(state.jobs):,} jobs"


def _disk(db_path: Path | None) -> str:
    storage = _storage(db_path)
    if storage["type"] != "posix":
        return f"a bucket ({storage.get('bucket')})"
    folder = _nearest(Path(storage["db_path"]))
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"scanner")
    except OSError as error:
        raise Wrong(
            f"{folder} is not writable ({error.strerror})", "change its owner or mode, or choose another db_path"
        ) from error
    free = shutil.disk_usage(folder).free
    detail = f"{folder} is writable, {_gib(free)} free"
    if free < LEAST_FREE:
        raise Wrong(detail, "make room, or choose a db_path on another disk")
    return detail


def _signing_key() -> str:
    file = Path.home() / ".scanner" / "signing.key"
    if not file.exists():
        return "none yet: the first run makes it"
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        raise Wrong(f"{file} can be read by others (mode {mode:o})", f"chmod 600 {file}")
    return f"{file}, readable by this account only"


def _extras() -> str:
    wanted: dict[str, list[str]] = {}
    for line in importlib.metadata.requires(DISTRIBUTION) or ():
        match = re.match(r"([A-Za-z0-9._-]+).*extra\s*==\s*['\"]([a-z0-9-]+)", line)
        if match is not None and match[2] != "dev":
            wanted.setdefault(match[2], []).append(match[1])
    told = [f"{extra} ({_presence(names, extra)})" for extra, names in sorted(wanted.items())]
    return ", ".join(told) or "none are offered"


def _presence(names: list[str], extra: str) -> str:
    missing = [name for name in names if not _installed(name)]
    return f"pip install '{DISTRIBUTION}[{extra}]' adds {', '.join(missing)}" if missing else "installed"


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _storage(db_path: Path | None) -> dict[str, str]:
    """The ``[storage]`` table that would be used; the default without writing it down."""
    if not Path(Config.default_config_path()).exists():
        storage = dict(Config.default_config()["storage"])
        named = str(db_path) if db_path is not None else os.environ.get("SCANNER_DB_PATH")
        return {**storage, **({"db_path": named} if named else {})}
    return Config(db_path=None if db_path is None else str(db_path)).storage_config


def _nearest(folder: Path) -> Path:
    """The folder, or of its parents the first that exists."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _gib(count: float) -> str:
    return f"{count / 2**30:.1f} GiB"
