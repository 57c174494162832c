"""Encoding AV1 leaves no real-time thread behind, which would lock others out of the processors."""

import os

import pytest

from scannerpy._video.scheduling import scheduled_as_before
from scannerpy.testing.videos import CATALOGUE, encode

linux = pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="this system has no scheduling policies")


@linux
def test_a_changed_policy_is_changed_back():
    before = os.sched_getscheduler(0)
    with scheduled_as_before():
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    assert os.sched_getscheduler(0) == before


@linux
def test_encoding_av1_changes_nothing(tmp_path):
    before = os.sched_getscheduler(0)
    encode(tmp_path / "film.mp4", CATALOGUE["av1-mp4"])
    assert os.sched_getscheduler(0) == before
