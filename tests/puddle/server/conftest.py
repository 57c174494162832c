"""What tests of servers leave as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """A server that is put together in this process lets nobody else read what it makes; other tests are no server."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
