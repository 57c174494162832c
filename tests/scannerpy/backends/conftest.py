"""A client, a bucket, and databases for the tests of backends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.databases import lite, postgres, postgres_server
from tests.scannerpy.backends.fake_bucket import FakeBucket

__all__ = ["lite", "postgres", "postgres_server"]


@pytest.fixture
def sc(cl: Any) -> Any:
    """The client, under the name the contracts ask for."""
    return cl


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    """A fake S3 on this machine, with one bucket, and credentials as the provider's tools take them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with FakeBucket() as fake:
        yield fake
