"""Random rows, in random requests, of the videos where finding a frame is hardest."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HARD = ["h264-open-gop", "h264-deep-b", "h264-edit-list", "h264-fields-mkv", "hevc-open-gop", "vp9-webm", "mpeg4-mp4"]

row_sets = st.sets(st.integers(0, 39), min_size=1, max_size=12).map(sorted)


@pytest.mark.parametrize("name", HARD)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=st.lists(row_sets, min_size=1, max_size=4), threads=st.sampled_from([1, 1, 2]))
def test_any_requests_one_after_another_are_exact(video_of, name, requests, threads):
    """Forwards, backwards, again the same: the place the decoder keeps never shows in what it returns."""
    video = video_of(name)
    decoder = video.decoder(threads=threads)
    for rows in requests:
        for row, frame in decoder.frames(np.array(rows, np.int64)):
            assert np.array_equal(frame, video.golden[row])


@pytest.mark.parametrize("name", ["h264-open-gop", "hevc-mp4"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=row_sets, stop=st.integers(0, 11), then=row_sets)
def test_a_request_may_be_left_unfinished(video_of, name, rows, stop, then):
    """A generator that is dropped half way leaves a decoder that still tells the truth."""
    video = video_of(name)
    decoder = video.decoder()
    for (row, frame), _ in zip(decoder.frames(rows), range(stop), strict=False):
        assert np.array_equal(frame, video.golden[row])
    for row, frame in decoder.frames(then):
        assert np.array_equal(frame, video.golden[row])
