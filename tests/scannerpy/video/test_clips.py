"""The real clips beside the repository, where they are present."""

from pathlib import Path

import numpy as np
import pytest

from tests.scannerpy.video.reference import Video, some, wrong

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "clips"
CLIPS = sorted(FOLDER.glob("*.mp4"))
FRAMES = {"bigbuckbunny": 132, "bottle-detection": 1189, "car-detection": 377, "h265_video": 10, "nasa_13013": 390}


@pytest.mark.skipif(not CLIPS, reason=f"no real clips in {FOLDER}")
@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.stem)
def test_rows_of_real_clips_are_exact(clip):
    """Compared with the first 150 frames and some later ones of a sequential decode."""
    video = Video(clip)
    assert video.scan.decoded == ""
    assert video.inplace.inplace_possible
    assert video.index.rows == FRAMES.get(clip.stem, video.index.rows) == len(video.golden)
    for threads, inplace in ((1, False), (2, True)):
        decoder = video.decoder(threads=threads, inplace=inplace)
        assert wrong(decoder, some(video.index.rows, 12, clip.stem), video.golden) == []
        assert wrong(decoder, range(0, video.index.rows, 30), video.golden) == []
        assert wrong(decoder, np.arange(min(40, video.index.rows)), video.golden) == []
