"""`util.sample_video` gives a clip without the network."""

import tempfile
from pathlib import Path

import av

from scannerpy.util import sample_video


def frames_in(path):
    with av.open(path) as container:
        return container.streams.video[0].frames


def test_the_clip_lives_as_long_as_the_with_block():
    with sample_video() as path:
        assert frames_in(path) == 250
    assert not Path(path).exists()


def test_a_kept_clip_is_made_once(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with sample_video(delete=False) as path:
        made = Path(path).stat().st_mtime_ns
    with sample_video(delete=False) as again:
        assert again == path
    assert Path(path).stat().st_mtime_ns == made
    assert [p.name for p in tmp_path.iterdir()] == ["sample_video.mp4"]
