"""Fixtures are made once per session, and only those a test asks for."""

import functools

import pytest

from scannerpy.testing import videos
from tests.scannerpy.video.reference import Video


@pytest.fixture(scope="session")
def path_of(tmp_path_factory):
    """Return a function from a fixture's name to its file."""
    folder = tmp_path_factory.mktemp("videos")
    return functools.cache(lambda name: videos.make(name, folder))


@pytest.fixture(scope="session")
def video_of(path_of):
    """Return a function from a fixture's name to the scanned video."""
    return functools.cache(lambda name: Video(path_of(name)))
