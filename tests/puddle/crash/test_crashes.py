"""Servers that are killed at any point leave no orphan, no double, no lost wish and no wrong bill.

A few trials here; ``python -m tests.puddle.crash.hammer --trials 300`` for the rest.
"""

from __future__ import annotations

import pytest

from tests.puddle.crash.hammer import trial

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("seed", range(3))
def test_sqlite(seed: int) -> None:
    trial(seed)


@pytest.mark.parametrize("servers", [1, 2])
def test_postgresql(servers: int, postgres_url: str) -> None:
    trial(100 + servers, postgres_url, servers)


def test_servers_that_are_suspended_longer_than_their_leases(postgres_url: str) -> None:
    trial(200, postgres_url, 2, naps=True)
