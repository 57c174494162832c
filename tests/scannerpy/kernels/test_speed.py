"""Hosting a kernel costs microseconds per row, so that tiny ops over millions of rows stay worth writing."""

from __future__ import annotations

import time

from tests.pace import slowness
from tests.scannerpy.kernels.hosting import host_of

ROWS = 2000
BOUND = 30e-6
"""Seconds per row; about 4 µs were measured. Eight times as much, so that a busy machine does not fail the test."""


def test_a_row_costs_microseconds():
    def f(config, x: bytes) -> bytes:
        return x

    host = host_of(f)
    windows = [[[b"abc"]] * ROWS]
    taken = []
    for _ in range(9):
        started = time.perf_counter()
        host.run(windows, [False] * ROWS, range(ROWS))
        taken.append(time.perf_counter() - started)
    assert min(taken) / ROWS < BOUND * slowness()
