"""How slow this machine is right now, so that tests bound work by work and never by bare seconds.

A fixed piece of work, half Python and half numpy, is timed in processor seconds and compared with what it takes on the
quiet machine the bounds were written on. A bound is then ``seconds there * slowness()``.
"""

from __future__ import annotations

import time

import numpy as np

QUIET = 0.036
"""Processor seconds the piece of work takes on a quiet machine."""


def slowness() -> float:
    """Return how many times slower than a quiet machine this one is now (at least 1), doubled for noise."""
    return 2 * max(1.0, min(_piece_of_work() for _ in range(3)) / QUIET)


def _piece_of_work() -> float:
    began = time.process_time()
    total = 0
    for number in range(400_000):
        total += number % 7
    np.sort((np.arange(400_000) * 7919) % 1_000_003)
    return time.process_time() - began
