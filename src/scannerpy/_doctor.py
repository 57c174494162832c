"""What `scanner doctor` looks at: the interpreter, the libraries, the codecs, the cores, the memory, the disk."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scannerpy.config import Config

LEAST_PYTHON = (3, 11)
LEAST_FREE = 1 << 30
LIBRARIES = {"av": "av", "cv2": "opencv-python-headless", "numpy": "numpy", "obstore": "obstore"}
DECODERS = ("h264", "hevc", "vp9", "av1", "mpeg4", "mjpeg", "prores")
ENCODERS = ("libx264",)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is as it should be, and what was seen or is to be done."""

    what: str
    ok: bool
    detail: str


def examine(db_path: Path | None = None) -> list[Finding]:
    """Look at everything; a look that fails is a finding too."""
    looks: list[tuple[str, Callable[[], tuple[bool, str]]]] = [
        ("python", _python),
        *((module, lambda module=module: _library(module)) for module in LIBRARIES),
        ("codecs", _codecs),
        ("machine", _machine),
        ("database", lambda: _database(db_path)),
    ]
    return [_look(what, look) for what, look in looks]


def _look(what: str, look: Callable[[], tuple[bool, str]]) -> Finding:
    try:
        return Finding(what, *look())
    except Exception as error:  # noqa: BLE001  # whatever is wrong with the machine is what is asked for
        return Finding(what, ok=False, detail=f"{type(error).__name__}: {error}")


def _python() -> tuple[bool, str]:
    version = sys.version.split()[0]
    return sys.version_info >= LEAST_PYTHON, f"{version} at {sys.executable}"


def _library(module: str) -> tuple[bool, str]:
    importlib.import_module(module)
    return True, importlib.metadata.version(LIBRARIES[module])


def _codecs() -> tuple[bool, str]:
    import av

    missing = [name for name in DECODERS if not _codec_exists(name, "r")]
    missing += [name for name in ENCODERS if not _codec_exists(name, "w")]
    ffmpeg = ".".join(map(str, av.library_versions["libavcodec"]))
    if missing:
        return False, f"libavcodec {ffmpeg} lacks {', '.join(missing)}: install PyAV's wheel (`pip install av`)"
    return True, f"libavcodec {ffmpeg} decodes {', '.join(DECODERS)} and encodes H.264"


def _codec_exists(name: str, mode: str) -> bool:
    import av

    try:
        av.Codec(name, mode)  # type: ignore[arg-type]  # "r" and "w" are the two modes
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def _machine() -> tuple[bool, str]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return True, f"{cores} cores, {memory / 2**30:.1f} GiB of memory"


def _database(db_path: Path | None) -> tuple[bool, str]:
    folder = db_path or Path(Config().db_path)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"scanner")
    free = shutil.disk_usage(folder).free
    detail = f"{folder} is writable, {free / 2**30:.1f} GiB free"
    return free >= LEAST_FREE, detail if free >= LEAST_FREE else f"{detail}: make room, or set db_path"
