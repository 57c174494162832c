"""Hosting a kernel costs few lines of Python per row, so that tiny ops over millions of rows stay worth writing.

`benchmarks/kernel_host.py` has the microseconds.
"""

from __future__ import annotations

from tests.effort import lines
from tests.scannerpy.kernels.hosting import host_of

ROWS = 2000


def test_a_row_costs_few_lines():
    """25 of them were counted, the kernel's own among them."""

    def f(config, x: bytes) -> bytes:
        return x

    host = host_of(f)
    windows = [[[b"abc"]] * ROWS]
    assert lines(lambda: host.run(windows, [False] * ROWS, range(ROWS))) < 35 * ROWS
